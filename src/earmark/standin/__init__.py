"""The stand-in for pretrained weights: a small language model that is taught text before it meets speech.

- `language`: its lessons; `heard`: what an encoder might give of phones, which it learns to read; `muon`: its optimizer
"""
