"""Encoder, heads, adaptor, language model and their composition.

- `encoder` (Conformer, with `kernels`); heads of pretraining: `ctc_head`, `decoder` (AED), `quantizer` (Best-RQ)
- `adaptor`; `llm` (`qwen3`: a published folder, checked); `speech_llm`: the splice of all three
- `build`: modules from settings or files; `device`: where they run; `done`: what describes a checkpoint
- `fireredasr`: its encoder, imported
"""
