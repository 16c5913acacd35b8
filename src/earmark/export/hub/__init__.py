"""The code that an exported folder carries: classes of transformers around this package's own modules.

`earmark.export.sources` copies these files, and those that they import, with `from earmark.x.y import` made `from .y
import`: what is exported is what is tested here. So they import nothing but torch, numpy, transformers and modules of
this package that do the same.
"""
