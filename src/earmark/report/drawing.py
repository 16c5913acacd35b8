"""What the report's figures share: colours, names of stages, and the canvas that becomes an SVG.

Glyphs are drawn as paths, so the page looks alike wherever it is read; words in other scripts stand in the page only.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from earmark.report.results import kind_of

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
