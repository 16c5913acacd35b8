"""The figures of the report: each takes what was read from a run's files and returns an SVG with its words.

Glyphs are drawn as paths, so the page looks alike wherever it is read; words in other scripts stand in the page only.
"""

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from earmark.report.results import Results, Segment, kind_of

INK, MUTED, RULE, ACCENT, WARNING = "#1c2530", "#5b6673", "#d5dbe1", "#0b62a4", "#b3261e"
COLOURS = {
    "data": "#c3cad2",
    "language": "#7d8894",
    "pretrain": ACCENT,
    "align": "#e0a100",
    "ia_sft": "#1a8f6e",
    "joint": "#b85c9e",
}
"""Colours of the stages, distinguishable with colour-blind eyes (after Okabe and Ito); all bars are labelled, too."""
NAMES = {
    "data": "data",
    "language": "language model",
    "pretrain": "pretraining",
    "align": "alignment",
    "joint": "joint SFT",
}

WIDTH = 10.4
"""Inches of a figure: at 9 points its words are as large as the page's small print."""
POINTS = 1500
"""Points of a drawn curve at most; longer ones are averaged in equal bins."""
IDLE_SECONDS = 30.0
"""Shorter times without any training are the start of jobs."""

STYLE: Any = {
    "svg.fonttype": "path",
    "svg.hashsalt": "earmark",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 17,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e9edf1",
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}


@dataclass(frozen=True)
class Drawing:
    """A figure for the page: `alt` says what it shows to those who do not see it."""

    name: str
    svg: str
    alt: str
    caption: str


def draw_all(results: Results) -> dict[str, Drawing]:
    """All figures by name."""
    drawings = [timeline(results), drift(results), losses(results), validation(results)]
    drawings += [trajectories(results), layers(results)]
    return {drawing.name: drawing for drawing in drawings}


@contextmanager
def canvas(height: float) -> Iterator[tuple[Figure, io.StringIO]]:
    """A figure in the report's style; its SVG is in the buffer when the block has ended."""
    with matplotlib.rc_context(STYLE):
        figure, buffer = Figure(figsize=(WIDTH, height), layout="constrained"), io.StringIO()
        yield figure, buffer
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})


def label(instance: str) -> str:
    """Name of a stage instance for people."""
    return NAMES.get(instance) or instance.replace("ia_sft_", "IA-SFT ")


def short(instance: str) -> str:
    """Name of a stage instance where there is little room."""
    return label(instance).replace("IA-SFT ", "").replace("alignment", "align").replace(" SFT", "")


def colour(instance: str) -> str:
    """Colour of a stage instance."""
    return COLOURS[kind_of(instance)]


# ---------------------------------------------------------------------------- timeline


def timeline(results: Results) -> Drawing:
    """Gantt chart of all training on one clock, swaps as arrows from a snapshot to the stage that took it."""
    stages, zero = results.stages, results.started
    unit, units = clock(results.ended - zero)
    with canvas(3.1) as (figure, buffer):
        axes = figure.add_subplot()
        scale = _Clock(zero, unit)
        _overlap(axes, scale, results)
        for name, began, ended in preparation(results):
            _bar(axes, scale, 2, name, began, ended)
            centre = scale((began + ended) / 2)
            axes.text(centre, 1.58, label(name), ha="center", va="center", color=INK, size=8)
        for instance, parts in stages.items():
            for part in parts:
                _bar(axes, scale, int(instance == "pretrain"), instance, part.started, part.ended)
            if instance != "pretrain":
                _bar_label(axes, scale, instance, parts, results.ended - zero)
        for step, part in swaps(results):
            _swap(axes, scale, stages["pretrain"], step, part)
        for began, ended in idle(results):
            _idle(axes, scale, began, ended)
        axes.set_yticks([2, 1, 0], ["data and text", "pretraining", "post-training"])
        axes.tick_params(axis="y", labelcolor=INK)
        axes.set(ylim=(-0.62, 2.85), xlim=(0, scale(results.ended)), xlabel=f"{units} since the run began")
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
    return Drawing("timeline", buffer.getvalue(), *_timeline_words(results))


class _Clock:
    """Unix seconds to the axis's unit."""

    def __init__(self, zero: float, unit: float):
        self.zero, self.unit = zero, unit

    def __call__(self, moment: float) -> float:
        return (moment - self.zero) / self.unit


def clock(seconds: float) -> tuple[float, str]:
    """(seconds, plural name) of the unit that a time of this length is shown in."""
    for unit, name in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 1.5 * unit:
            return unit, name
    return 1.0, "seconds"


def duration(seconds: float) -> str:
    """A length of time for people: 47 s, 3.2 min, 5.1 h, 4.0 d."""
    unit, name = clock(seconds)
    short = {"days": "d", "hours": "h", "minutes": "min", "seconds": "s"}[name]
    return f"{seconds / unit:.0f} s" if unit == 1 else f"{seconds / unit:.1f} {short}"


def preparation(results: Results) -> list[tuple[str, float, float]]:
    """(what, began, ended) of what comes before training on speech, Unix seconds.

    The data's end is the time that their last file bears; after a copy that keeps no times it is left out.
    """
    taught = ("language", float(results.language["started"]), float(results.language["ended"]))
    made = ("data", results.started, results.paths.dataset.stat().st_mtime)
    plausible = made[1] < made[2] <= results.stages["pretrain"][0].started
    return [made, taught] if plausible else [taught]


def overlap(results: Results) -> tuple[float, float]:
    """From when to when post-training ran beside pretraining, Unix seconds; the end is not after the start if never."""
    return results.stages["align"][0].started, results.stages["pretrain"][-1].ended


def swaps(results: Results) -> list[tuple[int, Segment]]:
    """(pretraining step of the encoder, first segment that has it) of alignment and each change after it."""
    found: list[tuple[int, Segment]] = []
    for parts in results.stages.values():
        step = parts[0].encoder_step
        if step is not None and (not found or found[-1][0] != step):
            found.append((step, parts[0]))
    return found


def idle(results: Results) -> list[tuple[float, float]]:
    """Times of more than IDLE_SECONDS, and of a fiftieth of the run, between trainings in which none ran."""
    spans = sorted((one.started, one.ended) for parts in results.stages.values() for one in parts)
    spans = sorted([*spans, (results.language["started"], results.language["ended"])])
    least = max(IDLE_SECONDS, (results.ended - results.started) / 50)
    gaps, last = [], spans[0][1]
    for began, ended in spans:
        if began - last > least:
            gaps.append((last, began))
        last = max(last, ended)
    return gaps


def _bar(axes: Axes, scale: _Clock, lane: int, instance: str, began: float, ended: float) -> None:
    width = scale(ended) - scale(began)
    axes.barh(lane, width, 0.56, scale(began), color=colour(instance), edgecolor="white", lw=0.8)


def _bar_label(axes: Axes, scale: _Clock, instance: str, parts: list[Segment], whole: float) -> None:
    """Name of a stage below its bars, short where they are narrow."""
    centre = (parts[0].started + parts[-1].ended) / 2
    wide = parts[-1].ended - parts[0].started > 0.07 * whole
    text = label(instance) if wide else short(instance)
    axes.text(scale(centre), -0.42, text, ha="center", va="center", color=INK, size=8)


def _idle(axes: Axes, scale: _Clock, began: float, ended: float) -> None:
    place = (scale(began), scale(ended))
    axes.axvspan(*place, facecolor="none", edgecolor=MUTED, hatch="////", lw=0, alpha=0.35)
    text = f"nothing trained\n{duration(ended - began)}"
    axes.text(sum(place) / 2, -0.1, text, ha="center", va="center", color=MUTED, size=8)


def _overlap(axes: Axes, scale: _Clock, results: Results) -> None:
    began, ended = overlap(results)
    if ended > began:
        axes.axvspan(scale(began), scale(ended), color=ACCENT, alpha=0.08, lw=0)
        text = f"both at work for {duration(ended - began)}"
        axes.text(scale((began + ended) / 2), 2.62, text, ha="center", va="center", color=ACCENT, size=8.5)


def _swap(axes: Axes, scale: _Clock, pretrain: list[Segment], step: int, taker: Segment) -> None:
    source = next(one for one in pretrain if one.step == step)
    style = {"arrowstyle": "-|>", "color": INK, "lw": 1.1, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (scale(taker.started), 0.29), (scale(source.ended), 0.72), arrowprops=style, zorder=4)
    axes.plot(scale(source.ended), 0.72, "o", color=INK, ms=3.5, zorder=4)
    axes.text(scale(source.ended), 1.4, f"{step:,}", ha="center", va="center", color=INK, size=8)


def _timeline_words(results: Results) -> tuple[str, str]:
    began, ended = overlap(results)
    beside = (
        f"Alignment began {duration(ended - began)} before pretraining ended (shaded)."
        if ended > began
        else "Alignment began after pretraining had ended."
    )
    taken = ", ".join(f"{step:,} to {label(part.instance)}" for step, part in swaps(results))
    alt = (
        f"Gantt chart with lanes for data and language model, pretraining, and post-training. {beside} Encoders "
        f"were handed over at pretraining steps: {taken}."
    )
    caption = (
        "All stages on one clock; a bar of training is a segment. Data: up to the last shard; language model: its "
        f"training on text. {beside} Arrows: an encoder, with its pretraining step, is handed over to the stage "
        "that starts with it. Blank stretches of a lane are the start of jobs, or waiting for a decision of the "
        "watch; hatched ones, if any, are times in which nothing was trained."
    )
    return alt, caption


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
        records = results.records("pretrain", ["step", "loss", "ctc"])
        _curve(left, records["step"], records["ctc"], colour("pretrain"))
        left.set(title="pretraining: CTC", xlabel="step", ylabel="nats a frame")
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
        "Training loss at every step (pale) and smoothed (dark). Pretraining shows the CTC part alone, so that "
        "the curve means the same before and after the consistency term joins; the language model's is its "
        "training on text."
    )
    return Drawing("losses", buffer.getvalue(), alt, caption)


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
        _dots(left, pretrain, "loss", 1.0)
        left.set(title="pretraining: CTC loss", xlabel="step", ylabel="nats a frame")
        _dots(middle, pretrain, "per", 100.0)
        middle.set(title="pretraining: phone error rate", xlabel="step", ylabel="%")
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
    alt = "Validation loss and phone error rate of pretraining, validation loss of post-training, at segments' ends."
    return Drawing("validation", buffer.getvalue(), alt, "The validation split at the end of every segment.")


def _dots(axes: Axes, parts: list[Segment], measure: str, factor: float, offset: int = 0) -> None:
    found = [one for one in parts if measure in one.done["valid"]]
    x, y = [offset + one.step for one in found], [one.done["valid"][measure] * factor for one in found]
    axes.plot(x, y, "o-", ms=4.5, color=colour(parts[0].instance))
    if y:
        shown = f"{y[-1]:.1f} %" if factor == 100 else f"{y[-1]:.2f}"
        axes.annotate(shown, (x[-1], y[-1]), (0, 7), textcoords="offset points", ha="center", size=8)


# ---------------------------------------------------------------------------- entropy


PANELS = (
    ("nse", "NSE: spectral entropy left"),
    ("pai", "PAI: phones accessible (bits)"),
    ("csai", "CSAI: meaning beyond phones (bits)"),
)


def trajectories(results: Results) -> Drawing:
    """NSE, PAI and CSAI over pretraining's snapshots, then after each stage of post-training."""
    before = [one for one in results.entropy if one["instance"] == "pretrain"]
    after = [one for one in results.entropy if one["instance"] != "pretrain"]
    last = before[-1]["step"]
    stride = last * 0.55 / max(len(after), 1)
    places = [last + stride * (number + 1) for number in range(len(after))]
    with canvas(3.2) as (figure, buffer):
        for axes, (key, title) in zip(figure.subplots(1, 3), PANELS, strict=True):
            axes.plot([one["step"] for one in before], [one[key] for one in before], "o-", ms=4.5, color=ACCENT)
            axes.plot(
                [last, *places],
                [before[-1][key], *(one[key] for one in after)],
                "-",
                color=RULE,
                lw=1.2,
                zorder=1,
            )
            for place, one in zip(places, after, strict=True):
                own = one["instance"] == "joint"
                tint = colour(one["instance"])
                axes.plot(place, one[key], "o", ms=7 if own else 6, mfc=tint if own else "white", mec=tint, mew=1.6)
            axes.axvline(last + stride / 2, color=RULE, lw=0.8)
            steps = [one["step"] for one in before[:: max(1, len(before) // 2)]]
            axes.set_xticks([*steps, *places], [*(f"{step:,}" for step in steps), *_short_names(after)])
            for tick in axes.get_xticklabels():
                tick.set(rotation=55, ha="right", rotation_mode="anchor", size=8)
            axes.set_title(title, pad=6)
            axes.margins(y=0.15)
    words = ", ".join(f"{key.upper()} from {before[0][key]:.3f} to {after[-1][key]:.3f}" for key, _ in PANELS)
    settings = results.entropy[-1]
    caption = (
        "Dots joined by a line: the encoder over pretraining. Rings: the encoder that alignment and each phase of "
        "IA-SFT had, frozen, hence equal to a snapshot of pretraining. Last, filled: the encoder after joint SFT. "
        f"Eqs. 6 to 9, on {settings['utterances']} utterances outside training; each block reduced to "
        f"{settings['pca_dim']} dimensions by PCA, ridge {settings['ridge']:g}: PAI and CSAI depend on both and "
        "compare within this run only."
    )
    return Drawing("trajectories", buffer.getvalue(), f"Trajectories over the run: {words}.", caption)


def _short_names(points: list[dict[str, Any]]) -> list[str]:
    several = sum(one["instance"] == "joint" for one in points) > 1
    names = []
    for one in points:
        name = label(one["instance"]).replace("alignment", "align").replace(" SFT", "")
        names.append(f"{name} {one['step']:,}" if several and one["instance"] == "joint" else name)
    return names


def warnings(results: Results) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Consecutive points of joint SFT, from its start on, between which CSAI rises while PAI falls (section 3.2)."""
    joint = [number for number, one in enumerate(results.entropy) if one["instance"] == "joint"]
    pairs = [(results.entropy[number - 1], results.entropy[number]) for number in joint]
    return [(old, new) for old, new in pairs if new["csai"] > old["csai"] and new["pai"] < old["pai"]]


def layers(results: Results) -> Drawing:
    """Linear CKA (Eq. 10) between each layer, the adaptor last, and the text, before and after joint SFT."""
    pretrained = next(one for one in reversed(results.entropy) if one["instance"] == "pretrain")
    before = next(one for one in reversed(results.entropy) if one["instance"].startswith("ia_sft"))
    after = results.entropy[-1]
    with canvas(3.3) as (figure, buffer):
        axes = figure.add_subplot()
        rows = (
            (pretrained, "end of pretraining", "o-", ACCENT),
            (after, "after joint SFT", "D-", colour("joint")),
        )
        names = list(after["layerwise_cka"])
        for one, text, style, tint in rows:
            values = one["layerwise_cka"]
            axes.plot([names.index(name) for name in values], values.values(), style, ms=6, color=tint, label=text)
        edge = len(names) - 1
        step = [pretrained["layerwise_cka"][names[edge - 1]], before["layerwise_cka"][names[edge]]]
        axes.plot(
            [edge - 1, edge],
            step,
            "o:",
            ms=6,
            mfc="white",
            color=ACCENT,
            zorder=1,
            label="with IA-SFT's adaptor",
        )
        axes.axvspan(edge - 0.5, edge + 0.5, color=ACCENT, alpha=0.06, lw=0)
        axes.set_xticks(range(len(names)), [name.replace("layer ", "") for name in names])
        axes.set(xlabel="encoder layer", ylabel="linear CKA with the text", xlim=(-0.5, edge + 0.5))
        axes.margins(y=0.18)
        figure.legend(loc="outside upper left", ncols=3)
    last = names[edge - 1]
    rise = before["layerwise_cka"]["adaptor"] - pretrained["layerwise_cka"][last]
    after_rise = after["layerwise_cka"]["adaptor"] - after["layerwise_cka"][last]
    words = f"{_signed(rise)} before joint SFT, {_signed(after_rise)} after it"
    caption = (
        "Linear CKA (Eq. 10, centred) between time-averaged representations and sentence embeddings of the "
        f"transcripts, as in the paper's Figure 4. From the last layer to the adaptor: {words}. The paper finds a "
        "rise there for its recipe, and a fall for FireRedASR-LLM."
    )
    return Drawing(
        "layers",
        buffer.getvalue(),
        f"Layer-wise linear CKA with the text; the adaptor's step is {words}.",
        caption,
    )


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")
