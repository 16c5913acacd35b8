"""What the loop is fed with.

- `ahead`: batches made ready by a thread while the step before computes
- `augment`: warps, masks and levels, drawn on the processor and applied where the batch lies
"""
