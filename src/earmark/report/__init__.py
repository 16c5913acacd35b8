"""One self-contained page about a run.

- `results`: what a run left behind; `summary`: its numbers for scripts; `page` (with page.html): for people
- `figures`: all of them; drawn (`drawing`) by subject: `timeline`, `curves`, `trajectories`
- `provenance`: where results came from; `compare` (with compare.html): several runs side by side
"""
