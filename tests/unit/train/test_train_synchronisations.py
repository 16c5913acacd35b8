"""The host waits for the device twice in an update, whatever is accumulated: for the loss, and the gradient's norm."""

import sys
from pathlib import Path

import pytest
import torch
from tiny import one_process


def test_an_update_reads_two_numbers(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(repository / "bench"))
    import synchronisations

    with one_process():
        assert 1 <= synchronisations.count() <= synchronisations.LIMIT
    with synchronisations.reads() as counted:
        float(torch.ones(1))
        torch.ones(3).tolist()
        torch.ones(3, dtype=torch.long).tolist()
        int(torch.ones(1, dtype=torch.long))
    assert counted.count == 2
    sys.modules.pop("synchronisations")
