"""What a configuration will take, before it is run.

- `footprint`: memory of a training process (`activations`: what a batch takes); `stages`: of each stage, as a table
- `resources`: what each job of the workflow asks for, from `counts` (parameters and FLOPs by formula) and the `site`
- `jobs`: all of them, as a table; `devices`: which GPUs of one machine a job takes
"""
