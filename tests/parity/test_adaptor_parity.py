"""The adaptor against stored outputs of the public one, with four frames an embedding."""

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from earmark.models.adaptor import Adaptor

SHARED = Path(os.environ.get("EARMARK_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
GOLDEN = SHARED / "golden" / "adaptor.safetensors"

pytestmark = pytest.mark.skipif(
    not GOLDEN.exists(),
    reason=f"{GOLDEN} is absent: set EARMARK_SHARED to the folder with golden/",
)


def test_outputs_equal_the_public_adaptor():
    with safe_open(str(GOLDEN), "pt") as file:
        config = json.loads(file.metadata()["config"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    adaptor = Adaptor(config["encoder_dim"], config["llm_dim"], config["downsample"])
    adaptor.load_state_dict(
        {key.removeprefix("weight."): value for key, value in tensors.items() if key.startswith("weight.")}
    )
    speech, lengths = adaptor(tensors["encoded"], tensors["encoded_lengths"])
    assert lengths.tolist() == tensors["speech_lengths"].tolist() == [11, 6, 6]
    torch.testing.assert_close(speech, tensors["speech"], atol=1e-5, rtol=0)
