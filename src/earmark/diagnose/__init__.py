"""What an encoder becomes while it is trained.

- `watch`: its drift by CKA, and the decisions that follow; `entropy`: NSE, PAI and CSAI of snapshots
"""
