"""One reader a corpus: each turns a published folder layout, or tables of one's own, into manifest rows.

- `base`: what every reader is; `sources`: what a corpus is made of, so that an edit is noticed
- `tables`: the paper's lists
- `entries`, `recordings`: what readers of all kinds share
- `public/`: corpora as they are published; `own/`: data of one's own in common formats; `small/`: for a laptop
"""
