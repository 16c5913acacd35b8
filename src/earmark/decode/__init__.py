"""Greedy and beam search.

- `search`: over the LLM's tokens; `ctc`, `attention`: the heads of pretraining; `lexicon`: a CTC head that spells
- `recognize`: test sets; `transcribe`: any audio
"""
