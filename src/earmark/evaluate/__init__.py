"""Test sets in, error tables out.

- `run`: the job; `altered`: test sets in noise, quieter, or in other voices
"""
