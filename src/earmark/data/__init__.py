"""Manifests, Arrow shards, the catalogue and the batch plan."""
