"""One loop over four stages, in segments.

- `segment`: one job of a stage, from beginning to end; `place`: where it stands in its stage; `launch`: its processes
- the loop: `loop`, `engine` (the one file that knows DeepSpeed), `tasks` and `variants` (losses), `schedule`,
  `validate`
- beside it: `records`, `guard`, `stopping`, `memory` (what to lower), `flops`, `profile`
- `feed/`: batches made ready ahead, and their augmentation
- `state/`: what is handed from one segment to the next
"""
