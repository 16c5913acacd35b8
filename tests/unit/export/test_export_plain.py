"""The traced form of encoder and CTC head against the fast one, and the ONNX graph against both."""

from pathlib import Path

import pytest
import torch

from earmark.errors import UserError
from earmark.export import graph
from earmark.export.plain import PlainCTC
from earmark.models.ctc_head import CTCHead
from earmark.models.encoder import ConformerEncoder


@pytest.fixture(scope="module")
def modules() -> tuple[ConformerEncoder, CTCHead]:
    """Random encoder and head whose every parameter matters."""
    torch.manual_seed(5)
    encoder, head = ConformerEncoder(80, 2, 4, 32, 7).eval(), CTCHead(32, 20).eval()
    for parameter in (*encoder.parameters(), *head.parameters()):
        torch.nn.init.normal_(parameter, std=0.3)
    return encoder, head


@pytest.mark.parametrize("lengths", [[1], [4], [83], [120, 57, 3], [401, 1], [30, 30]])
@torch.no_grad()
def test_plain_form_equals_the_encoder(modules: tuple[ConformerEncoder, CTCHead], lengths: list[int]) -> None:
    encoder, head = modules
    features, sizes = torch.randn(len(lengths), max(lengths), 80), torch.tensor(lengths)
    encoded, expected_sizes = encoder(features, sizes)
    expected = head(encoded).log_softmax(-1)
    found, found_sizes = PlainCTC(encoder, head)(features, sizes)
    assert found.shape == expected.shape
    assert found_sizes.tolist() == expected_sizes.tolist()
    for row, other, length in zip(found, expected, found_sizes.tolist(), strict=True):
        torch.testing.assert_close(row[:length], other[:length], atol=1e-4, rtol=0)
        assert row[:length].std() > 0.1  # something is compared


def test_a_graph_that_differs_is_not_let_through(
    modules: tuple[ConformerEncoder, CTCHead], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wrong(PlainCTC):
        def forward(self, features: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            log_probs, sizes = super().forward(features, lengths)
            return log_probs + 2e-3, sizes

    monkeypatch.setattr(graph, "PlainCTC", Wrong)
    with pytest.raises(UserError, match=r"differs from torch by 0\.002"):
        graph.write_onnx(*modules, tmp_path / "model.onnx")


@pytest.mark.slow
def test_large_weights_lie_beside_the_graph(
    modules: tuple[ConformerEncoder, CTCHead], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, "_LARGEST_FILE", 1000)
    assert graph.write_onnx(*modules, tmp_path / "model.onnx") < 1e-3
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in tmp_path.glob("model.onnx*"):
        path.rename(moved / path.name)
    assert (moved / "model.onnx.data").stat().st_size > 50_000
    assert (moved / "model.onnx").stat().st_size < 200_000
    assert graph.compare(*modules, moved / "model.onnx") < 1e-3
