"""CR-CTC against stored losses and gradients of the icefall recipe."""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from earmark.losses import consistency_sum, cr_ctc_loss, ctc_sum

SHARED = Path(os.environ.get("EARMARK_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
GOLDEN = SHARED / "golden" / "cr_ctc.safetensors"

pytestmark = pytest.mark.skipif(
    not GOLDEN.exists(),
    reason=f"{GOLDEN} is absent: set EARMARK_SHARED to the folder with golden/",
)


@pytest.fixture(scope="module")
def golden():
    return load_file(GOLDEN)


def test_consistency_and_its_gradients(golden):
    a, b = golden["logits_view1"].requires_grad_(), golden["logits_view2"].requires_grad_()
    total = consistency_sum(a.log_softmax(-1), b.log_softmax(-1), golden["lengths"])
    torch.testing.assert_close(total[None], golden["consistency_sum_both_directions"], atol=1e-3, rtol=1e-6)
    grad_a, grad_b = torch.autograd.grad(total, (a, b))
    torch.testing.assert_close(grad_a, golden["consistency_grad_view1"], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(grad_b, golden["consistency_grad_view2"], atol=1e-6, rtol=1e-5)


def test_ctc_summed_over_both_views(golden):
    total = sum(
        ctc_sum(logits.log_softmax(-1), golden["lengths"], golden["targets"], golden["target_lengths"])
        for logits in (golden["logits_view1"], golden["logits_view2"])
    )
    torch.testing.assert_close(total[None], golden["ctc_sum_both_views"], atol=1e-3, rtol=1e-6)


def test_whole_loss_is_the_weighted_sum_a_valid_frame(golden):
    views = golden["logits_view1"], golden["logits_view2"]
    loss = cr_ctc_loss(*views, golden["lengths"], golden["targets"], golden["target_lengths"], 0.2)
    summed = 0.5 * golden["ctc_sum_both_views"] + 0.2 * 0.5 * golden["consistency_sum_both_directions"]
    torch.testing.assert_close(loss.loss[None], summed / golden["lengths"].sum(), rtol=1e-5, atol=0)
