"""From files to samples and log-mel features.

- `read`: any audio to samples; `segments`: stretches of long recordings; `fbank`: features
- where bytes lie: `source`, `container` (tar, Parquet), `view` (a stretch of a file), `archive` (unpacking)
- `level`: how loud; `trim`: where speech begins and ends
- `formats/`: decoders, and headers that say how much there is
"""
