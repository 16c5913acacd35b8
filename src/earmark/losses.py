"""The training objectives: CR-CTC for pretraining and what it is compared with, next-token cross entropy afterwards.

CR-CTC (Yao et al., 2024; the icefall recipe): two differently masked copies of one utterance, each with its
CTC loss, and a pull of each distribution towards the other's, which counts as fixed. Shapes: B utterances,
L encoder frames, V symbols with the blank at 0, S target symbols.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

BLANK = 0


class CRCTCLoss(NamedTuple):
    """`loss` is what is minimised; `ctc` and `consistency` are its parts. Nats a valid frame of one view."""

    loss: Tensor
    ctc: Tensor
    consistency: Tensor


def ctc_sum(log_probs: Tensor, lengths: Tensor, targets: Tensor, target_lengths: Tensor) -> Tensor:
    """CTC loss in nats, summed over the utterances.

    `log_probs` (B, L, V), `lengths` and `target_lengths` (B,), `targets` concatenated (sum of S,) or padded
    (B, S). Infinite when an utterance has fewer frames than symbols and blanks between equal neighbours:
    `earmark.data.labels` sets such ones aside.
    """
    by_frame = log_probs.transpose(0, 1)
    return F.ctc_loss(by_frame, targets, lengths, target_lengths, blank=BLANK, reduction="sum")


def consistency_sum(log_probs_a: Tensor, log_probs_b: Tensor, lengths: Tensor) -> Tensor:
    """KL(stop(b) || a) + KL(stop(a) || b) in nats, summed over valid frames; both views are (B, L, V)."""
    frame = torch.arange(log_probs_a.shape[1], device=log_probs_a.device)
    valid = frame < lengths.to(frame.device)[:, None]
    a, b = log_probs_a[valid], log_probs_b[valid]
    towards_b = F.kl_div(a, b.detach(), reduction="sum", log_target=True)
    towards_a = F.kl_div(b, a.detach(), reduction="sum", log_target=True)
    return towards_b + towards_a


def cr_ctc_loss(
    logits_a: Tensor,
    logits_b: Tensor,
    lengths: Tensor,
    targets: Tensor,
    target_lengths: Tensor,
    consistency_scale: float,
) -> CRCTCLoss:
    """The pretraining objective: 0.5 (CTC_a + CTC_b) + scale 0.5 (KL both ways), a valid frame of one view.

    icefall sums over frames and leaves the scale to its optimizer; Adam wants the mean. `logits_a` and
    `logits_b` are (B, L, V), the rest as in `ctc_sum`. The two views' CTC is one call on a batch of 2B.
    """
    log_probs = torch.cat((logits_a, logits_b)).float().log_softmax(-1)
    log_probs_a, log_probs_b = log_probs.chunk(2)
    frames = lengths.sum().to(log_probs.device)
    twice = (torch.cat((part, part)) for part in (lengths, targets, target_lengths))
    both = ctc_sum(log_probs, *twice)
    ctc = 0.5 * both / frames
    consistency = 0.5 * consistency_sum(log_probs_a, log_probs_b, lengths) / frames
    return CRCTCLoss(ctc + consistency_scale * consistency, ctc, consistency)


def aed_sum(logits: Tensor, written: Tensor, counted: Tensor) -> Tensor:
    """Cross entropy in nats of the labels an attention decoder is to write, summed (Eq. 38).

    `logits` (B, U, V), `written` (B, U), `counted` (B, U) true at labels and the end, false at padding.
    """
    return F.cross_entropy(logits[counted].float(), written[counted], reduction="sum")


def hybrid_loss(ctc: Tensor, aed: Tensor, ctc_weight: float, frames: Tensor) -> Tensor:
    """lambda CTC + (1 - lambda) AED (Eq. 39), both summed over the utterances, by `frames`, the valid ones.

    One divisor for both: a mean a frame and a mean a label would weigh them by the speaking rate besides.
    """
    return (ctc_weight * ctc + (1 - ctc_weight) * aed) / frames


def masked_code_loss(logits: Tensor, codes: Tensor, masked: Tensor) -> Tensor:
    """Mean cross entropy in nats of the codes of masked frames (Eq. 40): `logits` (B, L, V), the others (B, L)."""
    return F.cross_entropy(logits[masked].float(), codes[masked])


def next_token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross entropy in nats of the labelled positions (paper Eq. 5): `logits` (N, V), `labels` (N,)."""
    return F.cross_entropy(logits.float(), labels)
