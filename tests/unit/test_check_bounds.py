import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

GOOD = {
    "cer_zh": 0.04,
    "wer_en": 0.12,
    "mer_zh_en": 0.1,
    "per_zh": 0.1,
    "per_en": 0.2,
    "cer_zh_quiet": 0.08,
    "wer_en_quiet": 0.1,
    "wall_seconds": 600.0,
    "swap_steps": [3000, 5000],
    "align_started": 1000.0,
    "pretrain_ended": 1100.0,
}


@pytest.fixture(scope="module")
def checks(repository: Path) -> Any:
    """The script's `checks`."""
    return runpy.run_path(str(repository / "bench/check_bounds.py"))["checks"]


def test_good_run_holds_all_bounds(checks: Any) -> None:
    assert all(held for held, _ in checks(GOOD))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cer_zh", 0.081),
        ("wer_en", 0.1201),
        ("mer_zh_en", 0.2),
        ("per_zh", 0.432),
        ("per_en", 0.21),
        ("cer_zh_quiet", 0.431),
        ("wer_en_quiet", 0.13),
        ("wall_seconds", 721),
        ("swap_steps", [3000]),
        ("align_started", 1100.0),
        ("cer_zh", float("nan")),
    ],
)
def test_each_bound_can_be_missed(checks: Any, key: str, value: Any) -> None:
    assert [line.split()[0] for held, line in checks(GOOD | {key: value}) if not held] == [
        "alignment" if key == "align_started" else key
    ]


@pytest.mark.parametrize("key", GOOD)
def test_missing_key_is_a_missed_bound(checks: Any, key: str) -> None:
    assert not all(held for held, _ in checks({name: value for name, value in GOOD.items() if name != key}))


@pytest.mark.parametrize(
    ("text", "code"),
    [(json.dumps(GOOD), 0), (json.dumps(GOOD | {"cer_zh": 0.5}), 1), ("{", 2), (None, 2)],
    ids=["good", "missed", "damaged", "absent"],
)
def test_exit_code(text: str | None, code: int, repository: Path, tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    if text is not None:
        path.write_text(text)
    script = str(repository / "bench/check_bounds.py")
    ran = subprocess.run([sys.executable, script, str(path)], capture_output=True, text=True, check=False)
    assert ran.returncode == code
    assert ("MISSED cer_zh 0.5, at most 0.08" in ran.stdout) == (code == 1)
