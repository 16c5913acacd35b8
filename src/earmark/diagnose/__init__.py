"""The CKA watch and the entropy metrics of snapshots."""
