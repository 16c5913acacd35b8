"""Curves over steps: the drift that CKA sees, losses, and errors on the validation set."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from earmark.config import TRAINS
from earmark.report.drawing import ACCENT, MUTED, RULE, WARNING, Drawing, canvas, colour, short
from earmark.report.results import Results, Segment

JUDGED = {
    "per": "phone error rate",
    "ter": "token error rate",
    "decoder_per": "phone error rate of the decoder",
    "decoder_ter": "token error rate of the decoder",
    "accuracy": "codes told",
}
"""What a pretraining's validation is judged by besides the loss, and its name; the first that there is, is drawn."""
POINTS = 1500
"""Points of a drawn curve at most; longer ones are averaged in equal bins."""


# ---------------------------------------------------------------------------- CKA


def drift(results: Results) -> Drawing:
    """Score of each watched snapshot against its reference, as in the paper's Figure 5."""
    first, tau, last = results.config.watch.first_step, results.config.watch.tau, results.trace[-1]
    with canvas(3.3) as (figure, buffer):
        axes = figure.add_subplot()
        axes.axhline(tau, color=WARNING, lw=1.2, ls=(0, (5, 3)))
        axes.text(first, tau, f"threshold {tau:g}  ", color=WARNING, size=8.5, va="bottom", ha="left")
        for reference in dict.fromkeys(one["compared_with"] for one in results.trace):
            scored = [one for one in results.trace if one["compared_with"] == reference]
            steps = [reference, *(one["step"] for one in scored)]
            axes.plot(steps, [1.0, *(one["score"] for one in scored)], color=ACCENT, lw=1.8)
            axes.plot(reference, 1.0, "o", ms=6, mfc="white", mec=ACCENT, mew=1.5, zorder=3)
        axes.plot(*_marks(results, results.trace), "o", ms=4, color=ACCENT)
        _marked(axes, results, last["triggers"], "D", WARNING)
        _marked(axes, results, last["surplus"], "X", MUTED)
        for number, step in enumerate(last["triggers"]):
            (_, (score,)) = _marks(results, [one for one in results.trace if one["step"] == step])
            axes.annotate(
                f"swap {number + 1}",
                (step, score),
                (0, -13),
                textcoords="offset points",
                ha="center",
                size=8.5,
            )
        low = min(tau, *(one["score"] for one in results.trace))
        axes.set(xlabel="pretraining step", ylabel="average CKA with the reference")
        axes.set_ylim(low - 0.22 * (1 - low), 1 + 0.06 * (1 - low))
        axes.xaxis.set_major_formatter(_thousands)
    return Drawing("drift", buffer.getvalue(), *_drift_words(results))


def _thousands(value: float, _position: float) -> str:
    return f"{value:,.0f}"


def _marks(results: Results, decisions: Sequence[dict[str, Any]]) -> tuple[list[int], list[float]]:
    return [one["step"] for one in decisions], [one["score"] for one in decisions]


def _marked(axes: Axes, results: Results, steps: list[int], marker: str, tint: str) -> None:
    chosen = [one for one in results.trace if one["step"] in steps]
    axes.plot(*_marks(results, chosen), marker, ms=8, color=tint, mec="white", zorder=4)


def _drift_words(results: Results) -> tuple[str, str]:
    watch, last = results.config.watch, results.trace[-1]
    triggers = ", ".join(f"{step:,}" for step in last["triggers"]) or "none"
    surplus = ", ".join(f"{step:,}" for step in last["surplus"])
    beyond = (
        f" Crosses: scores below the threshold after the {watch.max_swaps} swaps allowed (steps {surplus}); they "
        "moved nothing."
        if surplus
        else ""
    )
    end = " The trigger at the last step is the final encoder, and makes no phase of its own."
    end = end if results.config.stages.pretrain.steps in last["triggers"] else ""
    alt = (
        f"Average CKA against the reference encoder by pretraining step, {len(results.trace)} scores; threshold "
        f"{watch.tau:g}; swaps at steps {triggers}."
    )
    caption = (
        f"The watch (Eqs. 11 to 13): average CKA over {watch.utterances} validation utterances between a snapshot "
        "and the reference (ring; 1 by definition). A score below the threshold (diamond) swaps the encoder into "
        f"post-training and makes it the new reference.{beyond}{end}"
    )
    return alt, caption


# ---------------------------------------------------------------------------- losses


def losses(results: Results) -> Drawing:
    """Training loss a step of all stages, raw and smoothed."""
    with canvas(2.9) as (figure, buffer):
        left, middle, right = figure.subplots(1, 3, width_ratios=(5, 5, 3))
        column, title, unit = objective(results)
        records = results.records("pretrain", ["step", column])
        _curve(left, records["step"], records[column], colour("pretrain"))
        left.set(title=f"pretraining: {title}", xlabel="step", ylabel=unit)
        offset = 0
        for instance, parts in post_training(results):
            records = results.records(instance, ["step", "loss"])
            _curve(middle, [offset + step for step in records["step"]], records["loss"], colour(instance))
            _stage_name(middle, instance, offset, parts[-1].step)
            offset += parts[-1].step
        middle.set(title="post-training: next token", xlabel="step since alignment began", ylabel="nats a token")
        _focus(middle)
        taught = results.language.get("losses", [])
        _curve(right, range(1, len(taught) + 1), taught, colour("language"))
        right.set(title="language model: text", xlabel="step")
        if not taught:
            right.text(
                0.5,
                0.5,
                "pretrained weights:\nnot taught here",
                ha="center",
                transform=right.transAxes,
                color=MUTED,
            )
        for axes in (left, middle, right):
            axes.xaxis.set_major_formatter(_thousands)
            axes.set_ylim(bottom=0)
    alt = "Training loss by step: pretraining, post-training stage by stage, and the language model on text."
    caption = (
        "Training loss at every step (pale) and smoothed (dark). Of CR-CTC the CTC part alone is shown, so that "
        "the curve means the same before and after the consistency term joins; the language model's is its "
        "training on text."
    )
    return Drawing("losses", buffer.getvalue(), alt, caption)


def objective(results: Results) -> tuple[str, str, str]:
    """Column, name and unit of pretraining's loss."""
    loss = results.config.stages.pretrain.loss
    column = "ctc" if loss in ("ctc", "cr_ctc") else "loss"
    name = "CTC" if column == "ctc" else TRAINS[loss][0]
    return column, name, {"aed": "nats a label", "best_rq": "nats a masked frame"}.get(loss, "nats a frame")


def post_training(results: Results) -> list[tuple[str, list[Segment]]]:
    """Stage instances after pretraining, in order."""
    return [(name, parts) for name, parts in results.stages.items() if name != "pretrain"]


def binned(steps: Sequence[float], values: Sequence[float], points: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """At most `points` points of a curve: means over equally many steps each."""
    if len(steps) <= points:
        return np.asarray(steps, float), np.asarray(values, float)
    parts = np.array_split(np.arange(len(steps)), points)
    x, y = np.asarray(steps, float), np.asarray(values, float)
    return np.array([x[part].mean() for part in parts]), np.array([y[part].mean() for part in parts])


def smoothed(values: np.ndarray, share: float = 0.03) -> np.ndarray:
    """Centred moving average over a share of the curve; the window shrinks at both ends."""
    half = max(1, math.ceil(len(values) * share / 2))
    total = np.concatenate([[0.0], np.cumsum(values)])
    low = np.maximum(np.arange(len(values)) - half, 0)
    high = np.minimum(np.arange(len(values)) + half + 1, len(values))
    return (total[high] - total[low]) / (high - low)


def _curve(axes: Axes, steps: Sequence[float], values: Sequence[float], tint: str) -> None:
    if len(steps) == 0:
        return
    x, y = binned(steps, values)
    axes.plot(x, y, color=tint, alpha=0.28, lw=0.7)
    axes.plot(x, smoothed(y), color=tint, lw=1.8)


def _stage_name(axes: Axes, instance: str, start: float, steps: float) -> None:
    """A stage's name above its steps, below the title."""
    axes.axvline(start, color=RULE, lw=0.8)
    place = axes.get_xaxis_transform()
    tint = colour(instance)
    axes.text(start + steps / 2, 1.01, short(instance), ha="center", va="bottom", color=tint, size=8, transform=place)


def _focus(axes: Axes) -> None:
    """Cut the first steps' peak, which would flatten all that follows."""
    curves = [np.asarray(line.get_ydata(), float) for line in axes.lines]
    drawn = np.concatenate([curve for curve in curves if len(curve) > 2])
    axes.set_ylim(top=float(np.quantile(drawn, 0.985)) * 1.25)


# ---------------------------------------------------------------------------- validation


def validation(results: Results) -> Drawing:
    """Loss and phone error rate on the validation split at every segment's end."""
    pretrain = results.stages["pretrain"]
    with canvas(2.7) as (figure, buffer):
        left, middle, right = figure.subplots(1, 3, width_ratios=(4, 4, 5))
        _, title, unit = objective(results)
        _dots(left, pretrain, "loss", 1.0)
        left.set(title=f"pretraining: {title} loss", xlabel="step", ylabel=unit)
        judged = next((name for name in JUDGED if name in pretrain[-1].done["valid"]), "per")
        _dots(middle, pretrain, judged, 100.0)
        middle.set(title=f"pretraining: {JUDGED[judged]}", xlabel="step", ylabel="%")
        offset = 0
        for instance, parts in post_training(results):
            _dots(right, parts, "loss", 1.0, offset)
            _stage_name(right, instance, offset, parts[-1].step)
            offset += parts[-1].step
        right.set(title="post-training: next-token loss", xlabel="step since alignment began", ylabel="nats a token")
        right.set_xlim(0, offset * 1.03)
        for axes in (left, middle, right):
            axes.xaxis.set_major_formatter(_thousands)
            axes.set_ylim(0, axes.get_ylim()[1] * 1.12)
    alt = f"Validation loss and {JUDGED[judged]} of pretraining, validation loss of post-training, at segments' ends."
    return Drawing("validation", buffer.getvalue(), alt, "The validation split at the end of every segment.")


def _dots(axes: Axes, parts: list[Segment], measure: str, factor: float, offset: int = 0) -> None:
    found = [one for one in parts if measure in one.done["valid"]]
    x, y = [offset + one.step for one in found], [one.done["valid"][measure] * factor for one in found]
    axes.plot(x, y, "o-", ms=4.5, color=colour(parts[0].instance))
    if y:
        shown = f"{y[-1]:.1f} %" if factor == 100 else f"{y[-1]:.2f}"
        axes.annotate(shown, (x[-1], y[-1]), (0, 7), textcoords="offset points", ha="center", size=8)
