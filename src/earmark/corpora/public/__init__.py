"""Readers of corpora as they are published, a module a corpus.

They share `published` (layouts that are checked, bad lines), `lines` (tables and large JSON documents) and
`from_lhotse` (entries in lhotse's form).
"""
