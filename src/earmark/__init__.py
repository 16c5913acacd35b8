"""earmark: entropy allocation in LLM-based speech recognition (arXiv 2604.08003)."""

__version__ = "0.1.0"
