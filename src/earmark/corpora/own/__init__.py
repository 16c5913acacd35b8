"""Readers of data of one's own: `folder` (a TSV or JSONL table), `kaldi`, `lhotse_cuts`, `hf_parquet`, `webdataset`."""
