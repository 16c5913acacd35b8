"""One loop over four stages, in segments."""
