"""Pure functions of tensors and strings: entropy metrics, CKA, error rates."""
