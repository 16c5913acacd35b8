"""Loss and phone error rate on the validation split, at every segment's end."""

import torch
from torch import nn

from earmark.data.dataset import Dataset
from earmark.decode.ctc import ctc_greedy
from earmark.losses import ctc_sum
from earmark.metrics.error_rates import error_counts, error_rate
from earmark.train.tasks import CTCTask, NextTokenTask

BATCH = 16


@torch.no_grad()
def validate(task: nn.Module, dataset: Dataset) -> dict[str, float]:
    """{"loss", "per"} of a CTC task, {"loss"} of a next-token task; the mean loss is weighted by frames or batches."""
    rows = dataset.split("valid")
    if len(rows) == 0:
        return {}
    batches = [dataset.batch(part) for part in dataset.batches(rows, BATCH)]
    if isinstance(task, NextTokenTask):
        losses = [float(task(batch, None).value) * len(batch.ids) for batch in batches]
        return {"loss": sum(losses) / len(rows)}
    assert isinstance(task, CTCTask)
    total, frames = 0.0, 0
    references: list[list[str]] = []
    hypotheses: list[list[str]] = []
    for batch in batches:
        encoded, lengths = task.encoder(batch.features, batch.lengths)[:2]
        log_probs = task.head(encoded).float().log_softmax(-1)
        total += float(ctc_sum(log_probs, lengths, batch.phones, batch.phone_lengths))
        frames += int(lengths.sum())
        hypotheses += [dataset.inventory.decode(ids) for ids in ctc_greedy(log_probs, lengths)]
        for ids, length in zip(batch.phones.tolist(), batch.phone_lengths.tolist(), strict=True):
            references.append(dataset.inventory.decode(ids[:length]))
    return {"loss": total / frames, "per": error_rate(error_counts(references, hypotheses))}
