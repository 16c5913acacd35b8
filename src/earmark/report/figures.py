"""All figures of the report: each takes what was read from a run's files and returns an SVG with its words."""

from earmark.report.curves import drift, losses, validation
from earmark.report.drawing import Drawing
from earmark.report.results import Results
from earmark.report.timeline import timeline
from earmark.report.trajectories import layers, trajectories


def draw_all(results: Results) -> dict[str, Drawing]:
    """All figures by name."""
    drawings = [timeline(results), drift(results), losses(results), validation(results)]
    drawings += [trajectories(results), layers(results)]
    return {drawing.name: drawing for drawing in drawings}
