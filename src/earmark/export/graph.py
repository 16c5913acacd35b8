"""Encoder and CTC head as an ONNX graph, compared with torch before it is handed out."""

import logging
import warnings
from pathlib import Path
from typing import Any

import torch

from earmark.errors import UserError
from earmark.export.plain import PlainCTC
from earmark.models.build import N_MELS
from earmark.models.ctc_head import CTCHead
from earmark.models.encoder import ConformerEncoder

OPSET = 18
TOLERANCE = 1e-3
"""Largest difference of a log-probability that is let through."""
INPUTS, OUTPUTS = ["features", "lengths"], ["log_probs", "log_prob_lengths"]
COMPARED = [[83], [1], [120, 57, 3], [640, 5]]
"""Lengths (frames of 10 ms) of the batches that torch and the graph are compared on."""
_LARGEST_FILE = 1_500_000_000
"""Bytes of weights in the graph's own file, which may not reach 2 GB; more lie beside it in model.onnx.data."""


def write_onnx(encoder: ConformerEncoder, head: CTCHead, path: Path) -> float:
    """Write the graph; the largest difference to torch over the batches of `COMPARED`.

    Inputs: features (batch, time, n_mels) float32, normalised; lengths (batch,) int64. Outputs: log_probs
    (batch, ceil(time / 4), vocabulary), log_prob_lengths (batch,). Batch and time are free.

    :raises UserError: the graph differs from torch by more than `TOLERANCE`.
    """
    program = _traced(PlainCTC(encoder, head).eval())
    _strip(program.model)
    size = sum(tensor.nbytes for module in (encoder, head) for tensor in module.state_dict().values())
    program.save(path, external_data=size > _LARGEST_FILE)
    difference = compare(encoder, head, path)
    if not difference <= TOLERANCE:
        raise UserError(
            f"the ONNX graph differs from torch by {difference:.2g} (at most {TOLERANCE:g} is let through): "
            "report it, with the versions of torch and onnxruntime"
        )
    return difference


@torch.no_grad()
def compare(encoder: ConformerEncoder, head: CTCHead, path: Path) -> float:
    """Largest difference of log-probabilities between torch and a graph by onnxruntime, on fixed random batches.

    Frames beyond a length are filled with garbage, and left out of the comparison.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(0)
    worst = 0.0
    for sizes in COMPARED:
        features = 3 * torch.randn(len(sizes), max(sizes), N_MELS, generator=generator)
        lengths = torch.tensor(sizes)
        encoded, expected_lengths = encoder.eval()(features, lengths)
        expected = head.eval()(encoded).log_softmax(-1)
        found, found_lengths = session.run(OUTPUTS, {"features": features.numpy(), "lengths": lengths.numpy()})
        if found_lengths.tolist() != expected_lengths.tolist():
            return float("inf")
        for number, length in enumerate(found_lengths.tolist()):
            apart = torch.from_numpy(found[number, :length]) - expected[number, :length]
            worst = max(worst, float(apart.abs().max()))
    return worst


def _traced(model: PlainCTC) -> Any:
    example = (torch.zeros(2, 90, N_MELS), torch.tensor([90, 61]))
    batch, time = torch.export.Dim("batch", min=1), torch.export.Dim("time", min=1)
    registration = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = registration.level
    registration.setLevel(logging.ERROR)  # it warns that torchvision, which nobody needs, is not there
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.onnx.export(
                model,
                example,
                input_names=INPUTS,
                output_names=OUTPUTS,
                dynamic_shapes={"features": {0: batch, 1: time}, "lengths": {0: batch}},
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
    finally:
        registration.setLevel(level)


def _strip(model: Any) -> None:
    """Leave out where in the sources each node comes from: paths of this machine, others on the next."""
    graph = model.graph
    for one in (model, graph, *graph.all_nodes(), *graph.inputs, *graph.initializers.values()):
        one.metadata_props.clear()
        one.doc_string = None
    for node in graph.all_nodes():
        for value in node.outputs:
            value.metadata_props.clear()
