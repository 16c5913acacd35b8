"""Encoder, CTC head, adaptor, language model and their composition."""
