"""What one segment leaves and the next takes: weights and the engine's state.

- `initialise`: weights that come from no segment; `handover`: those that do; `swap`: a newer encoder among them
- `checkpoint`: weights on disk; `ending`: their mean (`average`) where asked for, and done.json, written last of all
- `universal`: the engine's state for another number of processes
- `fallback`: what to train again where a file is damaged
"""
