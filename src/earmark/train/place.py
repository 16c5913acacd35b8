"""Where a segment stands in its stage."""

from earmark.config import Config, Stage


class Place:
    """Where a segment stands: stage instance (ia_sft_2), its kind (ia_sft), first and last step.

    :param steps: updates of the instance where they are not its stage's own (`post_training.updates: equal`): its
        half-life is stretched in proportion, else the rate would have fallen to nothing long before the end.
    """

    def __init__(self, config: Config, instance: str, end: int, last_phase: bool, steps: int | None = None):
        self.instance = instance
        self.kind = "ia_sft" if instance.startswith("ia_sft") else instance
        self.stage: Stage = getattr(config.stages, self.kind)
        self.last_phase = last_phase
        own = config.stage_steps(self.kind, last_phase)
        self.given = steps
        self.steps = steps or own
        if self.stage.half_life and self.steps != own:
            self.stage = self.stage.model_copy(update={"half_life": self.stage.half_life * self.steps / own})
        self.end = end
        self.start = (end - 1) // self.stage.segment_steps * self.stage.segment_steps
