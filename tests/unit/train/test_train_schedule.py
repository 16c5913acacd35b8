import pytest

from earmark.config import Stage
from earmark.train.schedule import TAIL_END, consistency, rate


def stage(**values: object) -> Stage:
    plain = {"trained": ["encoder"], "loss": "cr_ctc", "frames_per_batch": 100, "steps": 1000, "segment_steps": 100}
    return Stage.model_validate(plain | {"peak_rate": 1e-3} | values)


def test_warm_up_is_linear_and_never_zero() -> None:
    warming = stage(warmup_steps=4)
    assert [rate(step, warming, 1000) for step in range(6)] == pytest.approx(
        [0.25e-3, 0.5e-3, 0.75e-3, 1e-3, 1e-3, 1e-3]
    )


def test_rate_halves_in_a_half_life() -> None:
    falling = stage(warmup_steps=10, half_life=50)
    assert [rate(10 + 50 * number, falling, 1000) for number in range(4)] == pytest.approx(
        [1e-3, 0.5e-3, 0.25e-3, 0.125e-3]
    )


def test_warm_up_meets_decay_at_the_peak() -> None:
    falling = stage(warmup_steps=10, half_life=50)
    assert rate(9, falling, 1000) == pytest.approx(1e-3)
    assert max(rate(step, falling, 1000) for step in range(1000)) == pytest.approx(1e-3)


def test_tail_falls_linearly_to_a_twentieth() -> None:
    tailed = stage(tail_fraction=0.2)
    values = [rate(step, tailed, 1000) for step in range(1000)]
    assert values[:801] == pytest.approx([1e-3] * 801)
    assert values[900] == pytest.approx(1e-3 * (TAIL_END + (1 - TAIL_END) / 2))
    assert values[999] == pytest.approx(1e-3 * TAIL_END, rel=0.15)
    steps = [one - other for one, other in zip(values[801:], values[800:], strict=False)]
    assert steps == pytest.approx([steps[0]] * len(steps))


def test_tail_depends_on_the_steps_of_this_phase() -> None:
    tailed = stage(tail_fraction=0.5)
    assert rate(300, tailed, 400) < rate(300, tailed, 1000) == pytest.approx(1e-3)


def test_consistency_grows_over_its_warm_up() -> None:
    growing = stage(consistency_scale=0.2, consistency_warmup=4, consistency_from=10)
    values = [consistency(step, growing) for step in (0, 9, 10, 11, 12, 13, 14, 99)]
    assert values == pytest.approx([0, 0, 0.05, 0.1, 0.15, 0.2, 0.2, 0.2])


def test_consistency_without_warm_up_is_there_at_once() -> None:
    assert consistency(0, stage(consistency_warmup=0)) == pytest.approx(0.2)


def test_over_a_swap_warm_up_and_decay_go_on() -> None:
    falling = stage(warmup_steps=10, half_life=50, tail_fraction=0.5)
    whole = [rate(step, stage(warmup_steps=10, half_life=50), 1000) for step in range(60)]
    first = [rate(step, falling, 40, goes_on=True) for step in range(40)]
    second = [rate(step, falling, 20, earlier=40) for step in range(20)]
    assert first == whole[:40]  # no tail before another phase
    assert second[:10] == whole[40:50]
    assert second[-1] < 0.2 * whole[59]
