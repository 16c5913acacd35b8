"""From files to samples and log-mel features."""
