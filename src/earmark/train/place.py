"""Where a segment stands in its stage."""

from earmark.config import Config, Stage


class Place:
    """Where a segment stands: stage instance (ia_sft_2), its kind (ia_sft), first and last step."""

    def __init__(self, config: Config, instance: str, end: int, last_phase: bool):
        self.instance = instance
        self.kind = "ia_sft" if instance.startswith("ia_sft") else instance
        self.stage: Stage = getattr(config.stages, self.kind)
        self.last_phase = last_phase
        self.steps = config.stage_steps(self.kind, last_phase)
        self.end = end
        self.start = (end - 1) // self.stage.segment_steps * self.stage.segment_steps
