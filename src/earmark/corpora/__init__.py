"""One reader a corpus: each turns a published folder layout into manifest rows."""
