"""A finished run as folders that others load: transformers with code of its own, and ONNX.

- `folder`: the verb; `card`: its README; `sources`: copies the code that goes along, which stands in `hub/`
- `graph`: ONNX, traced from `plain`
"""
