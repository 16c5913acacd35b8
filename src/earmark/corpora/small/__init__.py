"""Small corpora for a laptop.

- `synthetic`: sentences of `grammar.yaml`, spoken by `espeak`
- `hsk_words`, `spoken_digits`, `asterisk_prompts`: real recordings
"""
