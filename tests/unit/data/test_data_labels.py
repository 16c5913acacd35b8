import math
from pathlib import Path

import pytest
import torch

from earmark.audio.fbank import frame_count
from earmark.config import Shards, Text
from earmark.data.labels import frames_status, label, label_part, length_status, minimum_ctc_frames, phonemizer
from earmark.data.manifest import KEPT, LABELLED, table, write_manifest
from earmark.io import read_parquet
from earmark.losses import ctc_sum
from earmark.text.inventory import Inventory

LIMITS = Shards(min_seconds=0.2, max_seconds=10.0)
LABELLER = phonemizer(Text())


def labelled(*rows: dict) -> list[dict]:
    complete = [
        {"id": f"a-{number}", "corpus": "a", "split": "train", "language": "zh", "duration": 3.0} | row
        for number, row in enumerate(rows)
    ]
    made = label(table(complete), LABELLER, LIMITS)
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
        ({"raw_text": "こんにちは"}, "wrong script for its language"),
        ({"raw_text": "你好", "language": "fr"}, "unknown language"),
        ({"raw_text": "你好", "duration": None}, "no audio"),
        ({"raw_text": "你好", "duration": 0.0}, "no audio"),
        ({"raw_text": "你好", "duration": 0.19}, "too short"),
        ({"raw_text": "你好", "duration": 10.01}, "too long"),
        ({"raw_text": "你好你好你好你好", "duration": 0.5}, "too few frames for CTC"),
        ({"raw_text": "你", "duration": 9.0}, "impossible speaking rate"),
        ({"raw_text": "a 你", "language": "en"}, "wrong script for its language"),
        ({"raw_text": "你好", "language": None}, "unknown language"),
        ({"raw_text": "你好", "status": "missing audio"}, "missing audio"),
        # A word that is heard and not written would be a wrong label; in a test set it is the recogniser's to find.
        ({"raw_text": "你好[UNK]"}, "unknown words in the text"),
        ({"raw_text": "你好［unk］", "split": "valid"}, "unknown words in the text"),
        ({"raw_text": "say <unk> again", "language": "en"}, "unknown words in the text"),
        ({"raw_text": "say (inaudible) again", "language": "en"}, "unknown words in the text"),
        ({"raw_text": "say (( )) again", "language": "en"}, "unknown words in the text"),
        ({"raw_text": "say [noise] unknown again", "language": "en"}, KEPT),
        ({"raw_text": "say <unk> again", "language": "en", "split": "test_en"}, KEPT),
        # Nothing but a word that nobody understood is not the same as nothing said.
        ({"raw_text": "<unk>", "language": "en", "split": "test_en"}, "empty after normalising"),
        # Utterances without words: what is recognised there is invented.
        ({"raw_text": "", "split": "test_noise"}, KEPT),
        ({"raw_text": " ", "split": "test_noise"}, KEPT),
        ({"raw_text": None, "split": "test_noise"}, "empty text"),
        ({"raw_text": "", "split": "valid"}, "empty text"),
        ({"raw_text": "", "split": "test_noise", "duration": None}, "no audio"),
        # A test set stays whole: limits of training are none of it.
        ({"raw_text": "", "split": "test_noise", "duration": 11.0}, KEPT),
        ({"raw_text": "你好你好你好你好", "duration": 0.5, "split": "test_zh"}, KEPT),
        ({"raw_text": "你", "duration": 199.0, "split": "test_zh"}, KEPT),
        ({"raw_text": "你", "duration": 0.1, "split": "test_zh"}, KEPT),
        ({"raw_text": "a 你", "language": "en", "split": "test_en"}, KEPT),
        ({"raw_text": "你好", "duration": 0.01, "split": "test_zh"}, "no audio"),
        ({"raw_text": "你好", "duration": 200.5, "split": "test_zh"}, "longer than the encoder takes"),
    ],
)
def test_what_cannot_be_used_is_set_aside_with_its_reason(row: dict, status: str) -> None:
    (found,) = labelled(row)
    assert found["status"] == status


def test_an_utterance_without_words_has_no_phones() -> None:
    first, silent, last = labelled(
        {"raw_text": "打开"}, {"raw_text": "", "split": "test_noise"}, {"raw_text": "空调", "split": "test_noise"}
    )
    assert (silent["text"], silent["phones"], silent["status"]) == ("", [], KEPT)
    assert [first["phones"][0], last["phones"][0]] == ["d", "k"]


def test_a_bad_row_moves_no_label_to_another() -> None:
    rows = labelled({"raw_text": "打开"}, {"raw_text": ""}, {"raw_text": "こ"}, {"raw_text": "空调"})
    assert [row["phones"] for row in rows] == [["d", "a3", "k", "ai1"], None, None, ["k", "ong1", "t", "iao2"]]


def test_speaking_rate_has_bounds_on_both_sides() -> None:
    limits = LIMITS.model_copy(update={"min_labels_per_second": 2.0, "max_labels_per_second": 8.0})
    assert length_status(0.49, list("abcd"), limits) == "impossible speaking rate"
    assert length_status(0.51, list("abcd"), limits) == KEPT
    assert length_status(1.99, list("abcd"), limits) == KEPT
    assert length_status(2.01, list("abcd"), limits) == "impossible speaking rate"


def test_parts_together_are_the_whole(tmp_path: Path) -> None:
    rows = [
        {"id": f"a-{number}", "language": "zh", "duration": 3.0, "raw_text": text, "audio": str(number)}
        for number, text in enumerate(["打开", "", "空调", "こ", "你好", "再见", "音乐"])
    ]
    raw = tmp_path / "manifest.parquet"
    write_manifest(raw, rows, "a")
    label_part(raw, 0, 1, tmp_path / "1" / "part_0000.parquet", LABELLER, LIMITS)
    for part in range(3):
        label_part(raw, part, 3, tmp_path / "3" / f"part_{part:04d}.parquet", LABELLER, LIMITS)
    parts = [read_parquet(tmp_path / "3" / f"part_{part:04d}.parquet") for part in range(3)]
    assert [len(part) for part in parts] == [2, 2, 3]
    whole = read_parquet(tmp_path / "1" / "part_0000.parquet")
    assert [row for part in parts for row in part.to_pylist()] == whole.to_pylist()


def test_parts_of_other_settings_are_removed(tmp_path: Path) -> None:
    raw = tmp_path / "manifest.parquet"
    write_manifest(raw, [{"id": "a-1", "language": "zh", "duration": 1.0, "raw_text": "你好"}], "a")
    for parts in (3, 2):
        for part in range(parts):
            label_part(raw, part, parts, tmp_path / f"part_{part:04d}.parquet", LABELLER, LIMITS)
    assert sorted(path.name for path in tmp_path.glob("part_*")) == ["part_0000.parquet", "part_0001.parquet"]


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
