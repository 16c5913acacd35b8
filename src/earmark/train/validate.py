"""Loss and error rates on the validation split, at every segment's end."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import nn

from earmark.data.dataset import Batch, Dataset
from earmark.data.spread import spread
from earmark.decode.attention import decoder_greedy
from earmark.decode.ctc import ctc_greedy
from earmark.losses import ctc_sum, hybrid_loss
from earmark.metrics.error_rates import error_counts
from earmark.text.inventory import Inventory
from earmark.train.tasks import CTCTask, Moment, NextTokenTask
from earmark.train.variants import AEDTask, BestRQTask

BATCH = 16
"""Utterances at a time, at most."""
LIGHTER = 8
"""How many times a training batch's frames fit where no gradients are kept: so a lower frame budget helps here, too."""
RATES = {
    "per": "phone error rate",
    "ter": "token error rate",
    "decoder_per": "phone error rate of the decoder",
    "decoder_ter": "token error rate of the decoder",
    "accuracy": "codes told",
}
"""Names of what a validation may hold besides the loss, all of them shares."""


Sums = Callable[[Sequence[float]], list[float]]
"""Sums over all processes."""


@torch.no_grad()
def validate(
    task: nn.Module,
    dataset: Dataset,
    budget: int,
    targets: str = "phones",
    utterances: int = 1000,
    part: tuple[int, int] = (0, 1),
    summed: Sums = list,
) -> dict[str, float]:
    """The loss on clean features, and what the task can be judged by besides (see RATES).

    CTC: the head's phone error rate (of characters: token error rate). AED: the decoder's, greedily. Best-RQ: accuracy
    under masks that are the same every time. Means are weighted by frames, labels or tokens as in training.

    :param budget: feature frames of a training batch. :param targets: phones or characters, as `text.targets` has it.
    :param utterances: as many of the validation split, spread over corpora and languages.
    :param part: this process's number, and how many share the utterances; all of them call it.
    :param summed: sums over them.
    """
    rows = spread(dataset, "valid", utterances)
    if len(rows) == 0:
        return {}
    fitting = LIGHTER * budget // int(dataset.frames(rows).max())
    device = next(task.parameters()).device
    rank, world = part
    parts = list(dataset.batches(rows, max(1, min(BATCH, fitting))))[rank::world]
    batches = (dataset.batch(one).to(device) for one in parts)
    if isinstance(task, NextTokenTask):
        weighed = [(float(task(batch, None).value), task.weigh(batch)) for batch in batches]
        loss, tokens = summed([sum(loss * tokens for loss, tokens in weighed), sum(tokens for _, tokens in weighed)])
        return {"loss": loss / tokens}
    if isinstance(task, BestRQTask):
        return _codes(task, batches, rank, world, summed)
    assert isinstance(task, CTCTask | AEDTask)
    return _labels(task, batches, dataset.inventory, "per" if targets == "phones" else "ter", summed)


def _labels(
    task: CTCTask | AEDTask, batches: Iterable[Batch], inventory: Inventory, rate: str, summed: Sums
) -> dict[str, float]:
    """Loss, and error rates of the CTC head and of the decoder, whichever there are."""
    ctc, aed, frames, labels = 0.0, 0.0, 0, 0
    references: list[list[str]] = []
    heard: list[list[str]] = []
    written: list[list[str]] = []
    for batch in batches:
        encoded, lengths = task.encoder(batch.features, batch.lengths)[:2]
        frames += int(lengths.sum())
        if task.head is not None:
            log_probs = task.head(encoded).float().log_softmax(-1)
            ctc += float(ctc_sum(log_probs, lengths, batch.phones, batch.phone_lengths))
            heard += [inventory.decode(ids) for ids in ctc_greedy(log_probs, lengths)]
        if isinstance(task, AEDTask):
            total, count = task.aed(encoded, lengths, batch)
            aed, labels = aed + float(total), labels + int(count)
            written += [inventory.decode(ids) for ids in decoder_greedy(task.decoder, encoded, lengths)]
        for ids, length in zip(batch.phones.tolist(), batch.phone_lengths.tolist(), strict=True):
            references.append(inventory.decode(ids[:length]))
    ctc, aed, all_frames, all_labels = summed([ctc, aed, frames, labels])
    rates = {}
    if task.head is not None:
        rates[rate] = _rate(references, heard, summed)
    if isinstance(task, AEDTask):
        rates[f"decoder_{rate}"] = _rate(references, written, summed)
    if not isinstance(task, AEDTask):
        return {"loss": ctc / all_frames} | rates
    if task.head is None:
        return {"loss": aed / all_labels} | rates
    loss = hybrid_loss(torch.tensor(ctc), torch.tensor(aed), task.ctc_weight, torch.tensor(all_frames))
    return {"loss": float(loss)} | rates


def _rate(references: list[list[str]], hypotheses: list[list[str]], summed: Sums) -> float:
    counts = error_counts(references, hypotheses) if references else []
    errors, length = summed([sum(one.errors for one in counts), sum(one.reference_length for one in counts)])
    return errors / length


def _codes(task: BestRQTask, batches: Iterable[Batch], rank: int, world: int, summed: Sums) -> dict[str, float]:
    """Loss and accuracy over masked frames."""
    loss = right = count = 0.0
    for number, batch in enumerate(batches):
        found = task(batch, Moment(0, "valid", 0, number * world + rank, 0))
        masked = float(found.parts["masked"])
        loss += float(found.value) * masked
        right += float(found.parts["accuracy"]) * masked
        count += masked
    loss, right, count = summed([loss, right, count])
    return {"loss": loss / count, "accuracy": right / count}
