"""Formats of audio: how they are decoded, and what their headers say.

- `decoder`: what every decoder offers; `decoders`: libsndfile, and the choice; `ffmpeg`, `flac`: the others
- `chunks` (WAV and its like), `mp3`, `ogg`: headers; `whole`: whether a recording is all there
"""
