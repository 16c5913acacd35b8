"""A finished run as folders that others load: transformers with code of its own, and ONNX."""
