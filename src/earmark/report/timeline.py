"""The timeline of a run: its stages, that they overlapped, and its swaps."""

from matplotlib.axes import Axes

from earmark.report.drawing import ACCENT, INK, MUTED, Drawing, canvas, colour, label, short
from earmark.report.results import Results, Segment

IDLE_SECONDS = 30.0
"""Shorter times without any training are the start of jobs."""


def timeline(results: Results) -> Drawing:
    """Gantt chart of all training on one clock, swaps as arrows from a snapshot to the stage that took it."""
    stages, zero = results.own_stages, results.started
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
        for step, part in swaps(results) if "pretrain" in stages else []:
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

    The data's end is the time that their last file bears; after a copy that keeps no times it is left out. Of another
    run's data nothing is shown.
    """
    if results.config.shares.data:
        return []
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
    spans = [(one.started, one.ended) for parts in results.own_stages.values() for one in parts]
    if not results.config.shares.data:
        spans.append((results.language["started"], results.language["ended"]))
    spans.sort()
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
