"""Test sets in, error tables out."""
