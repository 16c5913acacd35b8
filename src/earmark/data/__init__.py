"""Manifests, Arrow shards, the catalogue and the batch plan.

- `manifest`: rows of a corpus; `labels`: theirs; `build`: features and labels into `shards` (Arrow), with `moments`
- `collect`: shards become the dataset, without what `overlap` finds (both in `steps`, which survive a kill)
- `verify`: whether files are what was written
- `dataset`: reading it, `memory` reused; `spread`: few of many utterances; `batches`: the batch plan
- `catalog`: all of it in SQL (DuckDB)
"""
