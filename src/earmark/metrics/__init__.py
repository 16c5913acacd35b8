"""Pure functions of tensors and strings: `cka`, `entropy` (NSE, PAI, CSAI), `error_rates`, `hallucination`."""
