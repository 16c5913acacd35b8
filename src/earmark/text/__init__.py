"""From raw transcripts to normalised text and phoneme labels."""
