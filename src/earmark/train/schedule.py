"""Learning rate as a pure function of the step (section A.3)."""

from earmark.config import Stage

TAIL_END = 0.05
"""Share of the rate that is left at the end of a linear tail."""


def rate(step: int, stage: Stage, steps: int, earlier: int = 0, goes_on: bool = False) -> float:
    """Learning rate of `step` (from 0) of `steps`: linear warm-up, exponential decay, linear tail if one is set.

    :param earlier: updates of phases before, with which warm-up and decay go on.
    :param goes_on: another phase follows, and no tail comes before it.
    """
    made = earlier + step
    if made < stage.warmup_steps:
        return stage.peak_rate * (made + 1) / stage.warmup_steps
    value = stage.peak_rate
    if stage.half_life:
        value *= 0.5 ** ((made - stage.warmup_steps) / stage.half_life)
    tail = 0.0 if goes_on else stage.tail_fraction * steps
    left = steps - step
    if tail and left < tail:
        value *= TAIL_END + (1 - TAIL_END) * left / tail
    return value


def consistency(step: int, stage: Stage) -> float:
    """Weight of the consistency term at `step`: grows linearly to `consistency_scale`; the growth is ours."""
    since = step - stage.consistency_from
    if since < 0:
        return 0.0
    return stage.consistency_scale * min(1.0, (since + 1) / max(1, stage.consistency_warmup))
