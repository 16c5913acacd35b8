"""The model card of an exported folder: what it is, how it was trained, what came out, what it cannot do.

Nothing in it depends on when or where it is written: the same run and packages give the same card.
"""

import importlib.metadata
from pathlib import Path
from typing import Any

from torch import nn

import earmark
from earmark.config import Config, dump
from earmark.decode.transcribe import Run
from earmark.io import digest, read_json, sha256
from earmark.text.inventory import Inventory

PACKAGES = ("torch", "transformers", "onnx", "onnxscript", "onnxruntime")
"""Packages that the export itself uses."""
FIVE_LINES = """import soundfile
from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor

processor = AutoProcessor.from_pretrained("DIR", trust_remote_code=True)
model = AutoModelForSpeechSeq2Seq.from_pretrained("DIR", trust_remote_code=True)
samples, rate = soundfile.read("some.wav", dtype="float32")
inputs = processor(samples, sampling_rate=rate)
print(processor.batch_decode(model.generate(**inputs))[0])
"""
LONG_LINES = """inputs = processor(processor.pieces(samples), trim=False)
print(" ".join(processor.batch_decode(model.generate(**inputs))))
"""
CTC_LINES = """import soundfile
from transformers import AutoModelForCTC, AutoProcessor

processor = AutoProcessor.from_pretrained("DIR/ctc", trust_remote_code=True)
model = AutoModelForCTC.from_pretrained("DIR/ctc", trust_remote_code=True)
samples, rate = soundfile.read("some.wav", dtype="float32")
inputs = processor(samples, sampling_rate=rate)
print(processor.batch_decode(model.generate(**inputs))[0])
"""
ONNX_LINES = """import onnxruntime

session = onnxruntime.InferenceSession("DIR/ctc/model.onnx")
feed = {"features": inputs["input_features"].numpy(), "lengths": inputs["input_features_mask"].sum(1).numpy()}
log_probs, lengths = session.run(None, feed)
print(processor.batch_decode([row[:length] for row, length in zip(log_probs.argmax(-1), lengths)])[0])
"""


def speech_llm_card(run: Run, parts: dict[str, nn.Module], files: list[Path]) -> str:
    """README.md of the speech LLM.

    :param parts: modules by name. :param files: weight files, for their hashes.
    """
    return "\n".join(
        [
            *_head(run, "a speech recogniser: speech encoder, adaptor, language model"),
            "Writes Mandarin, English and mixed speech as text. The encoder is a Conformer (25 Hz), the adaptor "
            f"concatenates {run.config.adaptor.downsample} frames, the language model is a Qwen3.",
            "",
            _language_model(run),
            "",
            "## Use",
            "",
            "`trust_remote_code` runs the Python files of this folder: read them first if you did not write it.",
            "",
            *_code(FIVE_LINES),
            *_limits(run),
            "A recording of any length is cut where it is quietest:",
            "",
            *_code(LONG_LINES),
            f"`generate` searches with {run.config.decoding.beams} beams unless `num_beams` says otherwise, and stops "
            f"at {run.config.decoding.tokens_per_second:g} tokens a second of audio unless `max_new_tokens` is given. "
            "The text is as the model wrote it; `earmark transcribe` shows it normalised, and this one as `raw`.",
            "",
            *_training(run),
            *_figures(run),
            *_parts(parts),
            *_identity(run, files),
        ]
    )


def ctc_card(run: Run, inventory: Inventory, parts: dict[str, nn.Module], files: list[Path]) -> str:
    """README.md of encoder and CTC head: see `speech_llm_card`."""
    pretrain = run.config.stages.pretrain
    return "\n".join(
        [
            *_head(run, "speech encoder and CTC head"),
            f"Writes speech as {len(inventory) - 1} {run.config.text.targets} (phones.txt, in the order of their ids "
            f"from 1; 0 is the blank), a frame each 40 ms. Inventory {inventory.hash}. Trained by "
            f"{pretrain.steps:,} steps of {pretrain.loss}.",
            "",
            "## Use",
            "",
            "`trust_remote_code` runs the Python files of this folder: read them first if you did not write it.",
            "",
            *_code(CTC_LINES),
            *_limits(run),
            "## ONNX",
            "",
            "`model.onnx` takes `features` (batch, time, 80) float32, normalised by the mean and deviation in "
            "preprocessor_config.json as the processor does it, and `lengths` (batch,) int64; it gives `log_probs` "
            "(batch, ceil(time / 4), symbols) and `log_prob_lengths` (batch,). Batch and time are free. It was "
            "compared with torch when it was written.",
            "",
            *_code(ONNX_LINES),
            *_figures(run),
            *_parts(parts),
            *_identity(run, files),
        ]
    )


def _head(run: Run, what: str) -> list[str]:
    return [
        "---",
        "library_name: transformers",
        "pipeline_tag: automatic-speech-recognition",
        "language: [zh, en]",
        "tags: [earmark, conformer, ctc, qwen3]",
        "---",
        "",
        f"# {run.config.run}: {what}",
        "",
        f'Written by `earmark export` of earmark {earmark.__version__}, an open implementation of "Rethinking Entropy '
        'Allocation in LLM-based ASR" (arXiv 2604.08003).',
        "",
    ]


def _language_model(run: Run) -> str:
    described = run.config.paths_in(run.folder).llm / "done.json"
    if isinstance(run.config.llm, Path):
        return f"The language model started from pretrained weights (`{run.config.llm.name}`)."
    steps, texts = (read_json(described)[key] for key in ("steps", "texts"))
    return (
        f"**The language model is a stand-in**: a small Qwen3 that was taught {texts:,} texts in {steps:,} steps, in "
        "the place of pretrained weights. It knows little but the words of its training."
    )


def _limits(run: Run) -> list[str]:
    shards = run.config.shards
    trimmed = "Silence at both ends is cut off, as in training. " if run.trim else ""
    return [
        f"Samples are mono, 16 kHz, in [-1, 1]. {trimmed}An utterance has {shards.min_seconds:g} to "
        f"{shards.max_seconds:g} s, as in training.",
        "",
    ]


def _training(run: Run) -> list[str]:
    config = run.config
    rows = [
        f"| {name} | {', '.join(stage.trained)} | {stage.loss} | {stage.steps:,} |"
        for name in ("pretrain", *config.post_training.stages)
        for stage in [getattr(config.stages, name)]
    ]
    swaps = _summary(run).get("swap_steps")
    said = f"The encoder was swapped at the pretraining steps {', '.join(map(str, swaps))}. " if swaps else ""
    return [
        "## Training",
        "",
        "| stage | trained | loss | steps |",
        "|---|---|---|---|",
        *rows,
        "",
        f"{said}Seed {config.seed}. Corpora, with the licences that they came under:",
        "",
        *(f"- {corpus.name} ({corpus.reader}): {corpus.licence}" for corpus in config.corpora),
        "",
    ]


def _figures(run: Run) -> list[str]:
    """The error table of summary.json."""
    summary = _summary(run)
    names = _measured(run.config, summary)
    if not names:
        return ["## Figures", "", "The run was not evaluated.", ""]
    rows = [f"| {name} | {what} | {_percent(summary[name])} | {_interval(summary, name)} |" for name, what in names]
    return [
        "## Figures",
        "",
        "From the run's summary.json; 95 % intervals are bootstrap's. `per` is the CTC head's, the rest the full "
        "model's.",
        "",
        "| name | measure | rate | 95 % interval |",
        "|---|---|---|---|",
        *rows,
        "",
    ]


def _measured(config: Config, summary: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, what) for name, what in config.evaluation.summary.items() if summary.get(name) is not None]


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f} %"


def _interval(summary: dict[str, Any], name: str) -> str:
    ends = summary["intervals"].get(name)  # a mean over test sets has none
    return f"{100 * ends[0]:.1f}–{100 * ends[1]:.1f}" if ends else ""


def _parts(parts: dict[str, nn.Module]) -> list[str]:
    rows = [f"| {name} | {sum(one.numel() for one in part.parameters()):,} |" for name, part in parts.items()]
    return ["## Parameters", "", "| module | parameters |", "|---|---|", *rows, ""]


def _identity(run: Run, files: list[Path]) -> list[str]:
    exported = {"earmark": earmark.__version__} | {name: importlib.metadata.version(name) for name in PACKAGES}
    return [
        "## Identity",
        "",
        f"Settings {digest(dump(run.config))}.",
        "",
        "| file | SHA-256 |",
        "|---|---|",
        *(f"| {file.name} | `{sha256(file)}` |" for file in files),
        "",
        f"Trained with {_versions(_summary(run).get('versions', {}))}.",
        "",
        f"Exported with {_versions(exported)}.",
        "",
    ]


def _versions(found: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in found.items()) or "versions that were not recorded"


def _summary(run: Run) -> dict[str, Any]:
    path = run.folder / "summary.json"
    return read_json(path) if path.is_file() else {}


def _code(lines: str) -> list[str]:
    return ["```python", *lines.splitlines(), "```", ""]
