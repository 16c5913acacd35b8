"""NSE, PAI and CSAI over the stages, their warning sign, and CKA layer by layer."""

from typing import Any

from earmark.report.drawing import ACCENT, RULE, Drawing, canvas, colour, label
from earmark.report.results import Results

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
    filled = " Last, filled: the encoder after joint SFT." if "joint" in results.stages else ""
    caption = (
        "Dots joined by a line: the encoder over pretraining. Rings: the encoder that alignment and each phase of "
        f"IA-SFT had, frozen, hence equal to a snapshot of pretraining.{filled} "
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
    """Linear CKA (Eq. 10) between each layer, the adaptor last, and the text, before and after joint SFT.

    Without joint SFT there is nothing after, and without IA-SFT the adaptor is alignment's.
    """
    pretrained = next(one for one in reversed(results.entropy) if one["instance"] == "pretrain")
    before = next(one for one in reversed(results.entropy) if one["instance"] not in ("joint", "pretrain"))
    joint = "joint" in results.stages
    after = results.entropy[-1]
    with canvas(3.3) as (figure, buffer):
        axes = figure.add_subplot()
        rows = (
            (pretrained, "end of pretraining", "o-", ACCENT),
            *([(after, "after joint SFT", "D-", colour("joint"))] if joint else []),
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
            label=f"with the adaptor of {label(before['instance'])}",
        )
        axes.axvspan(edge - 0.5, edge + 0.5, color=ACCENT, alpha=0.06, lw=0)
        axes.set_xticks(range(len(names)), [name.replace("layer ", "") for name in names])
        axes.set(xlabel="encoder layer", ylabel="linear CKA with the text", xlim=(-0.5, edge + 0.5))
        axes.margins(y=0.18)
        figure.legend(loc="outside upper left", ncols=3)
    last = names[edge - 1]
    rise = before["layerwise_cka"]["adaptor"] - pretrained["layerwise_cka"][last]
    after_rise = after["layerwise_cka"]["adaptor"] - after["layerwise_cka"][last]
    words = f"{_signed(rise)} before joint SFT, {_signed(after_rise)} after it" if joint else _signed(rise)
    caption = (
        "Linear CKA (Eq. 10, centred) between time-averaged representations and the mean of the LLM's own input "
        "embeddings of a transcript's tokens (section 4.4), as in the paper's Figure 4. From the last layer to the "
        f"adaptor: {words}. The paper finds a rise there for its recipe, and a fall for FireRedASR-LLM."
    )
    return Drawing(
        "layers",
        buffer.getvalue(),
        f"Layer-wise linear CKA with the text; the adaptor's step is {words}.",
        caption,
    )


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")
