"""The CKA watch (section A.4): scores between snapshots, and the decisions that follow from them.

A decision is a pure function of the one before and a score; it is the only place that knows tau. Its file holds the
whole state, so the workflow needs no other: reference, triggers so far, and triggers beyond max_swaps.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from earmark.config import Config, Watch
from earmark.config import phases as encoders_of
from earmark.io import read_json, write_json

if TYPE_CHECKING:
    import torch

    from earmark.data.dataset import Dataset

State = dict[str, Any]


def initial(watch: Watch) -> State:
    """State before the first score: the reference is the encoder of `first_step` (section A.4: 500k)."""
    return {"step": watch.first_step, "reference": watch.first_step, "triggers": [], "surplus": []}


def decide(state: State, step: int, score: float, watch: Watch) -> State:
    """Eqs. 11 and 13: a score below tau triggers a swap, and the snapshot becomes the reference.

    Once there were `max_swaps` triggers, further ones are recorded as surplus and move nothing.
    """
    low = score < watch.tau
    triggered = low and len(state["triggers"]) < watch.max_swaps
    return {
        "step": step,
        "score": score,
        "compared_with": state["reference"],
        "tau": watch.tau,
        "triggered": triggered,
        "reference": step if triggered else state["reference"],
        "triggers": [*state["triggers"], step] if triggered else state["triggers"],
        "surplus": [*state["surplus"], step] if low and not triggered else state["surplus"],
    }


def phases(state: State, pretrain_steps: int) -> list[int]:
    """Pretraining steps of the encoders of post-training by a state of the watch: see `earmark.config.phases`."""
    return encoders_of(state["triggers"], pretrain_steps)


def write_decision(config: Config, before: Path | None, score: Path, output: Path) -> State:
    """`earmark decide`: one decision from the one before (None: the initial state) and a score's file."""
    scored = read_json(score)
    state = read_json(before) if before else initial(config.watch)
    decision = decide(state, scored["step"], scored["score"], config.watch)
    write_json(output, decision)
    return decision


def in_short(decision: State) -> str:
    """A decision in a line for the terminal."""
    low = decision["score"] < decision["tau"]
    verdict = "swap" if decision["triggered"] else "surplus, no swap" if low else "no swap"
    return (
        f"CKA of steps {decision['compared_with']:,} and {decision['step']:,}: {decision['score']:.4f}, "
        f"threshold {decision['tau']:g}: {verdict}"
    )


def write_score(config: Config, current: Path, reference: Path, output: Path) -> None:
    """`earmark cka`: average CKA (Eq. 12) of two snapshots on the fixed validation utterances."""
    from earmark.data.dataset import Dataset
    from earmark.data.spread import spread
    from earmark.metrics.cka import encoder_cka
    from earmark.models.build import build_encoder, load_weights
    from earmark.models.device import placed
    from earmark.models.done import read_done
    from earmark.text.inventory import Inventory

    dataset = Dataset(config.paths.dataset, Inventory.from_settings(config.text))
    encoder = build_encoder(config)
    placed(encoder, config.precision)

    def frames_of(described: State) -> list["torch.Tensor"]:
        load_weights(encoder, described["weights"]["encoder"])
        return encode(encoder, dataset, config.watch.utterances)

    now, then = read_done(current), read_done(reference)
    rows = spread(dataset, "valid", config.watch.utterances)
    languages = [label.language for label in dataset.labels(rows)]
    frames, before = frames_of(now), frames_of(then)
    write_json(
        output,
        {
            "step": now["step"],
            "reference": then["step"],
            "score": encoder_cka(frames, before),
            "mode": "average over utterances",
            "utterances": len(frames),
            "languages": by_language(languages, frames, before),
        },
    )


def by_language(
    languages: list[str], a: list["torch.Tensor"], b: list["torch.Tensor"]
) -> dict[str, dict[str, float | int | None]]:
    """Score and number of utterances of each language; None: none of its utterances varies."""
    from earmark.metrics.cka import encoder_cka

    found: dict[str, dict[str, float | int | None]] = {}
    for language in sorted(set(languages)):
        mine = [number for number, one in enumerate(languages) if one == language]
        try:
            score = encoder_cka([a[number] for number in mine], [b[number] for number in mine])
        except ValueError:
            score = None
        found[language] = {"score": score, "utterances": len(mine)}
    return found


def encode(encoder: "torch.nn.Module", dataset: "Dataset", utterances: int) -> list["torch.Tensor"]:
    """Valid frames (L_i, d) of so many utterances of the validation split, spread over corpora and languages."""
    import torch

    from earmark.data.spread import spread

    at = next(encoder.parameters())
    rows = spread(dataset, "valid", utterances)
    places = {row: number for number, row in enumerate(rows.tolist())}
    frames: list[torch.Tensor] = [torch.empty(0)] * len(rows)
    with torch.no_grad():
        for some in dataset.batches(rows, 16):
            batch = dataset.batch(some)
            encoded, lengths = encoder(batch.features.to(at.device, at.dtype), batch.lengths)[:2]
            encoded = encoded.float().cpu()
            for row, one, length in zip(some.tolist(), encoded, lengths.tolist(), strict=True):
                frames[places[row]] = one[:length]
    return frames
