"""Where segments begin and end."""

import pytest
from tiny import CONFIG, Runner, TinyRun

from earmark.errors import TrainingError
from earmark.train.place import Place
from earmark.train.schedule import rate


@pytest.mark.parametrize(
    ("instance", "end", "last_phase", "kind", "start", "steps"),
    [
        ("pretrain", 2, False, "pretrain", 0, 6),
        ("pretrain", 6, False, "pretrain", 4, 6),
        ("align", 2, False, "align", 0, 2),
        ("ia_sft_1", 2, False, "ia_sft", 0, 2),
        ("ia_sft_12", 4, True, "ia_sft", 2, 4),
        ("joint", 4, False, "joint", 2, 4),
    ],
)
def test_place(tiny_run: TinyRun, instance: str, end: int, last_phase: bool, kind: str, start: int, steps: int) -> None:
    place = Place(tiny_run.config, instance, end, last_phase)
    assert (place.kind, place.start, place.end, place.steps) == (kind, start, end, steps)
    assert place.stage == getattr(tiny_run.config.stages, kind)


def test_more_updates_stretch_the_half_life(tiny_run: TinyRun) -> None:
    joint = tiny_run.config.stages.joint.model_copy(update={"half_life": 10.0})
    stages = tiny_run.config.stages.model_copy(update={"joint": joint})
    config = tiny_run.config.model_copy(update={"stages": stages})
    longer = Place(config, "joint", 6, False, steps=10)
    assert (longer.steps, longer.start, longer.stage.half_life) == (10, 4, 25.0)
    assert Place(config, "joint", 4, False, steps=4).stage.half_life == 10.0
    assert rate(10, longer.stage, 10) / rate(0, longer.stage, 10) == pytest.approx(
        rate(4, joint, 4) / rate(0, joint, 4)
    )


def test_shorter_last_segment_starts_where_the_one_before_ended(tiny_run: TinyRun) -> None:
    joint = tiny_run.config.stages.joint.model_copy(update={"steps": 5})
    stages = tiny_run.config.stages.model_copy(update={"joint": joint})
    config = tiny_run.config.model_copy(update={"stages": stages})
    assert [Place(config, "joint", end, False).start for end in (2, 4, 5)] == [0, 2, 4]


@pytest.mark.parametrize("instance", ["jointt", "ia_sft", "ia_sftfoo", "ia_sft_0", "ia_sft_1 ", "steps"])
def test_an_instance_that_there_is_not_is_refused(earmark: Runner, tiny_copy: TinyRun, instance: str) -> None:
    code, _, err = earmark("train", CONFIG, instance, 2)
    assert code == 2
    assert err == (f"error: there is no stage '{instance}': name pretrain, align, ia_sft_1, ia_sft_2, ..., or joint\n")


@pytest.mark.parametrize("step", [-2, 0, 1, 3, 8])
def test_a_step_at_which_no_segment_ends_is_refused(tiny_run: TinyRun, step: int) -> None:
    with pytest.raises(TrainingError, match=f"pretrain has no segment that ends with step {step}: name one of 2, 4, 6"):
        Place(tiny_run.config, "pretrain", step, False)


def test_of_many_segments_a_few_are_named(tiny_run: TinyRun) -> None:
    with pytest.raises(TrainingError, match=r"step 3: name one of 2, 4, 6, \.\.\., 11$"):
        Place(tiny_run.config, "pretrain", 3, False, steps=11)


def test_a_phase_goes_on_with_the_one_before_unless_it_restarts(tiny_run: TinyRun) -> None:
    config = tiny_run.config
    first, second = Place(config, "ia_sft_1", 2, False), Place(config, "ia_sft_3", 2, True)
    assert (first.earlier, first.goes_on) == (0, True)
    assert (second.earlier, second.goes_on) == (4, False)
    assert second.follows("ia_sft_2")
    assert second.follows("ia_sft_3")
    assert not second.follows("ia_sft_1")
    assert not first.follows("align")
    assert not Place(config, "ia_sft_3", 4, True).follows("ia_sft_2")  # its second segment
    restarting = config.model_copy(
        update={"post_training": config.post_training.model_copy(update={"at_swap": "restart"})}
    )
    again = Place(restarting, "ia_sft_3", 2, True)
    assert (again.earlier, again.goes_on, again.follows("ia_sft_2")) == (0, False, False)
