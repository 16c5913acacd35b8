"""The watch as a pure function of scores: references, swaps, surplus, and the phases that follow."""

import itertools

import pytest
from tiny import TinyRun

from earmark.config import Watch
from earmark.diagnose.watch import decide, in_short, initial, phases
from earmark.io import read_json

WATCH = Watch(first_step=100, every=100, tau=0.95, max_swaps=2)


def after(*scores: float, watch: Watch = WATCH) -> list[dict]:
    """States after scores at steps 200, 300, ..."""
    states = [initial(watch)]
    for number, score in enumerate(scores):
        states.append(decide(states[-1], 200 + 100 * number, score, watch))
    return states[1:]


def test_first_reference_is_the_first_step() -> None:
    assert initial(WATCH) == {"step": 100, "reference": 100, "triggers": [], "surplus": []}
    (state,) = after(0.99)
    assert state["compared_with"] == 100


def test_score_below_tau_makes_the_snapshot_the_reference() -> None:
    states = after(0.97, 0.94, 0.96, 0.90)
    assert [state["triggered"] for state in states] == [False, True, False, True]
    assert [state["reference"] for state in states] == [100, 300, 300, 500]
    assert [state["compared_with"] for state in states] == [100, 100, 300, 300]
    assert states[-1]["triggers"] == [300, 500]


@pytest.mark.parametrize(("score", "triggered"), [(0.9499, True), (0.95, False), (0.9501, False), (1.0, False)])
def test_tau_itself_is_no_trigger(score: float, triggered: bool) -> None:
    assert after(score)[0]["triggered"] is triggered


def test_triggers_beyond_max_swaps_are_surplus_and_move_nothing() -> None:
    states = after(0.9, 0.9, 0.9, 0.99, 0.8)
    assert [state["triggered"] for state in states] == [True, True, False, False, False]
    assert states[-1]["triggers"] == [200, 300]
    assert states[-1]["surplus"] == [400, 600]
    assert [state["reference"] for state in states[1:]] == [300] * 4
    assert [state["compared_with"] for state in states[2:]] == [300] * 3


def test_decisions_in_a_line() -> None:
    said = [in_short(state).split(": ")[-1] for state in after(0.9, 0.99, 0.9, 0.9)]
    assert said == ["swap", "no swap", "swap", "surplus, no swap"]
    assert in_short(after(0.94321)[0]) == "CKA of steps 100 and 200: 0.9432, threshold 0.95: swap"


def test_a_decision_changes_no_state_before_it() -> None:
    before = initial(WATCH)
    decide(before, 200, 0.5, WATCH)
    assert before == initial(WATCH)


def test_state_is_all_that_the_next_decision_needs() -> None:
    whole = after(0.9, 0.99, 0.9)
    again = decide(whole[1], 400, 0.9, WATCH)
    assert again == whole[2]


def test_other_tau_gives_other_decisions_from_the_same_scores() -> None:
    strict = WATCH.model_copy(update={"tau": 0.98})
    assert [state["triggered"] for state in after(0.97, 0.99, watch=strict)] == [True, False]
    assert [state["tau"] for state in after(0.97, watch=strict)] == [0.98]


@pytest.mark.parametrize(
    ("triggers", "expected"),
    [
        ([], [1000]),  # nothing ever triggered: alignment and one phase with the final encoder
        ([300], [300, 1000]),
        ([300, 700], [300, 700, 1000]),
        ([1000], [1000]),  # a trigger at the very end is the final encoder
        ([300, 1000], [300, 1000]),
    ],
)
def test_phases_end_with_the_final_encoder(triggers: list[int], expected: list[int]) -> None:
    assert phases({"triggers": triggers}, 1000) == expected


def test_surplus_makes_no_phase() -> None:
    assert phases(after(0.9, 0.9, 0.9)[-1], 1000) == [200, 300, 1000]


def test_phases_known_so_far_never_change_later() -> None:
    states = after(0.9, 0.99, 0.9, 0.9, 0.99, 0.8)
    for one, other in itertools.pairwise(states):
        assert phases(other, 1000)[: len(phases(one, 1000)) - 1] == phases(one, 1000)[:-1]


def test_decisions_of_a_run_are_those_of_its_scores(tiny_run: TinyRun) -> None:
    trace = read_json(tiny_run.paths.trace)
    state = initial(tiny_run.config.watch)
    for step, found in zip(tiny_run.config.watched_steps(), trace, strict=True):
        scored = read_json(tiny_run.paths.score(step, state["reference"]))
        assert (scored["step"], scored["reference"]) == (step, state["reference"])
        state = decide(state, step, scored["score"], tiny_run.config.watch)
        assert found == state
    assert state["triggers"] == [4] and state["surplus"] == [6]


def test_snapshot_compared_with_itself_has_not_drifted(tiny_copy: TinyRun, earmark) -> None:
    done = tiny_copy.paths.step("pretrain", 4) / "done.json"
    assert earmark("cka", "tiny.yaml", done, done, "score.json")[0] == 0
    score = read_json("score.json")
    assert score["score"] == pytest.approx(1.0, abs=1e-6)
    assert (score["step"], score["reference"], score["utterances"]) == (4, 4, 4)
