import math

import pytest
import torch

from earmark.audio.fbank import frame_count
from earmark.config import Shards
from earmark.data.labels import frames_status, label, length_status, minimum_ctc_frames
from earmark.data.manifest import KEPT, LABELLED, table
from earmark.losses import ctc_sum
from earmark.text.inventory import Inventory

LIMITS = Shards(min_seconds=0.2, max_seconds=10.0)


def labelled(*rows: dict) -> list[dict]:
    complete = [
        {"id": f"a-{number}", "corpus": "a", "split": "train", "language": "zh", "duration": 3.0} | row
        for number, row in enumerate(rows)
    ]
    made = label(table(complete), Inventory.load(), LIMITS)
    assert made.schema == LABELLED
    assert len(made) == len(rows)  # no row is lost
    return made.to_pylist()


def test_kept_rows_have_text_and_phones_of_the_inventory() -> None:
    zh, en, mixed = labelled(
        {"raw_text": "打开 空调！"},
        {"raw_text": "Play MUSIC.", "language": "en"},
        {"raw_text": "打开Music", "language": "zh-en"},
    )
    assert [row["text"] for row in (zh, en, mixed)] == ["打开空调", "play music", "打开 music"]
    assert zh["phones"] == ["d", "a3", "k", "ai1", "k", "ong1", "t", "iao2"]
    assert mixed["phones"] == zh["phones"][:4] + en["phones"][-len(mixed["phones"]) + 4 :]
    for row in (zh, en, mixed):
        assert row["status"] == KEPT
        Inventory.load().encode(row["phones"])


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ({"raw_text": ""}, "empty text"),
        ({"raw_text": " \t"}, "empty text"),
        ({"raw_text": None}, "empty text"),
        ({"raw_text": "。！"}, "empty after normalising"),
        ({"raw_text": "こんにちは"}, "cannot be labelled"),
        ({"raw_text": "你好", "language": "fr"}, "unknown language"),
        ({"raw_text": "你好", "duration": None}, "no audio"),
        ({"raw_text": "你好", "duration": 0.0}, "no audio"),
        ({"raw_text": "你好", "duration": 0.19}, "too short"),
        ({"raw_text": "你好", "duration": 10.01}, "too long"),
        ({"raw_text": "你好你好你好你好", "duration": 0.5}, "too few frames for CTC"),
        ({"raw_text": "你好", "status": "missing audio"}, "missing audio"),
    ],
)
def test_what_cannot_be_used_is_set_aside_with_its_reason(row: dict, status: str) -> None:
    (found,) = labelled(row)
    assert found["status"] == status


def test_a_bad_row_moves_no_label_to_another() -> None:
    rows = labelled({"raw_text": "打开"}, {"raw_text": ""}, {"raw_text": "こ"}, {"raw_text": "空调"})
    assert [row["phones"] for row in rows] == [["d", "a3", "k", "ai1"], None, None, ["k", "ong1", "t", "iao2"]]


def test_no_row_is_a_table_of_none() -> None:
    assert labelled() == []


@pytest.mark.parametrize("symbols", [[1, 2], [1, 1], [1, 2, 1], [3, 3, 3, 1, 1]])
def test_ctc_needs_that_many_frames_and_not_one_less(symbols: list[int]) -> None:
    def loss(frames: int) -> float:
        log_probs = torch.zeros(1, frames, 4).log_softmax(-1)
        return float(ctc_sum(log_probs, *map(torch.tensor, ([frames], [symbols], [len(symbols)]))))

    enough = minimum_ctc_frames(symbols)
    assert math.isfinite(loss(enough))
    assert math.isinf(loss(enough - 1))


def test_frames_are_counted_after_subsampling() -> None:
    phones = list("abcdd")  # six frames of 40 ms, for the blank between equals
    assert frames_status(21, phones) == KEPT
    assert frames_status(20, phones) == "too few frames for CTC"
    seconds = next(number / 100 for number in range(1, 99) if frame_count(number * 160) == 21)
    assert length_status(seconds, phones, LIMITS) == KEPT
    assert length_status(seconds - 0.01, phones, LIMITS) == "too few frames for CTC"
