"""What a configuration will take, before it is run.

- `footprint`: memory of a training process (`activations`: what a batch takes); `stages`: of each stage, as a table
"""
