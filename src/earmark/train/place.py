"""Where a segment stands in its stage."""

import re

from earmark.config import Config, Stage, segments
from earmark.errors import TrainingError


class Place:
    """Where a segment stands: stage instance (ia_sft_2), its kind (ia_sft), first and last step.

    `earlier` are the updates of the phases before, where training goes on over a swap: rate and order of utterances are
    functions of them and the step together.

    :param steps: updates of the instance where they are not its stage's own (`post_training.updates: equal`): its
        half-life is stretched in proportion, else the rate would have fallen to nothing long before the end.
    :raises TrainingError: there is no such instance, or none of its segments ends with step `end`.
    """

    def __init__(self, config: Config, instance: str, end: int, last_phase: bool, steps: int | None = None):
        self.instance = instance
        self.kind = kind_of(instance)
        self.stage: Stage = getattr(config.stages, self.kind)
        self.last_phase = last_phase
        own = config.stage_steps(self.kind, last_phase)
        self.given = steps
        self.steps = steps or own
        if self.stage.half_life and self.steps != own:
            self.stage = self.stage.model_copy(update={"half_life": self.stage.half_life * self.steps / own})
        ends = segments(self.steps, self.stage.segment_steps)
        if end not in ends:
            shown = [*ends[:3], "...", ends[-1]] if len(ends) > 4 else ends
            raise TrainingError(
                f"{instance} has no segment that ends with step {end}: name one of {', '.join(map(str, shown))}"
            )
        number = int(instance.removeprefix("ia_sft_")) if self.kind == "ia_sft" else 1
        self.before = f"ia_sft_{number - 1}" if number > 1 and config.post_training.at_swap == "go_on" else None
        self.earlier = (number - 1) * config.stage_steps("ia_sft") if self.before else 0
        # Others follow on any phase but the last: its rate has no tail.
        self.goes_on = self.kind == "ia_sft" and not last_phase and config.post_training.at_swap == "go_on"
        self.end = end
        self.start = (end - 1) // self.stage.segment_steps * self.stage.segment_steps

    def follows(self, instance: str | None) -> bool:
        """Whether the segment goes on with the training of a stage instance: its own, or the phase before a swap."""
        return instance == self.instance or (self.start == 0 and instance is not None and instance == self.before)


def kind_of(instance: str) -> str:
    """Stage of an instance: ia_sft for ia_sft_2.

    :raises TrainingError: there is no such instance.
    """
    if instance in ("pretrain", "align", "joint"):
        return instance
    if not re.fullmatch(r"ia_sft_[1-9]\d*", instance):
        raise TrainingError(f"there is no stage {instance!r}: name pretrain, align, ia_sft_1, ia_sft_2, ..., or joint")
    return "ia_sft"
