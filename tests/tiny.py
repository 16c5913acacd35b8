"""A whole run that is as small as a run can be: every verb of the workflow, in this process, in seconds.

Its models learn nothing. It gives real files of every kind, for tests that read, move or damage them.
"""

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import soundfile
import yaml

from earmark.cli import cli
from earmark.config import Config, load, segments
from earmark.data.catalog import FILE, write_catalog, write_settings
from earmark.diagnose.watch import phases
from earmark.io import read_json
from earmark.paths import RunPaths

CONFIG = "tiny.yaml"
NEXT_TOKEN = {
    "loss": "next_token",
    "frames_per_batch": 2000,
    "peak_rate": 1e-3,
    "steps": 4,
    "segment_steps": 2,
}
SETTINGS: dict[str, Any] = {
    "run": "tiny",
    "corpora": [
        {
            "name": "spoken",
            "reader": "synthetic",
            "train": {"zh": 6, "en": 6},
            "valid": {"zh": 2, "en": 2},
            "test": {"zh": 2, "en": 2},
        },
        {"name": "own", "reader": "folder", "path": "own"},
    ],
    "encoder": {"n_layers": 2, "n_heads": 2, "d_model": 16, "kernel_size": 7},
    "llm": {
        "hidden_size": 16,
        "n_layers": 1,
        "n_heads": 2,
        "steps": 3,
        "positions_per_batch": 200,
        "latin_vocabulary": 50,
    },
    "stages": {
        "pretrain": {
            "trained": ["encoder", "ctc_head"],
            "loss": "cr_ctc",
            "frames_per_batch": 2000,
            "peak_rate": 3e-2,
            "steps": 6,
            "segment_steps": 2,
            "consistency_from": 2,
            "short_first": {"fraction": 0.5, "steps": 2},
            "augment": {"time_masks": 1, "time_width": 10, "warp": 10},
        },
        "align": NEXT_TOKEN | {"trained": ["adaptor"], "steps": 2},
        "ia_sft": NEXT_TOKEN | {"trained": ["adaptor", "llm"], "steps": 2, "last_phase_steps": 4},
        "joint": NEXT_TOKEN | {"trained": ["encoder", "adaptor", "llm"], "accumulation": 2},
    },
    # At such a rate every snapshot has drifted: there is a swap, and a surplus trigger.
    "watch": {"first_step": 2, "every": 2, "tau": 0.9999, "max_swaps": 1},
    "decoding": {"beams": 2, "tokens_per_second": 2},
    "evaluation": {
        "tests": [
            {"name": "test_zh", "measure": "cer", "scenario": "Mandarin"},
            {"name": "test_en", "measure": "wer", "scenario": "English"},
        ],
        "pca_dim": 2,
        "diagnosed_utterances": 8,
    },
}
OWN = """audio\ttext\tlanguage\tid\tsplit
buzz1.wav\t打开空调\tzh\tone\ttrain
buzz2.wav\tplay some music\ten\ttwo\ttrain
buzz2.wav\tplay some music\ten\ttwo\ttrain
gone.wav\t你好\tzh\tgone\ttrain
noise.wav\t你好\tzh\tnoise\ttrain
buzz1.wav\t\tzh\tempty\ttrain
short.wav\t你好\tzh\tshort\ttrain
spoiled.wav\t你好\tzh\tspoiled\ttrain
"""
"""Two usable lines, and a mistake of each kind; spoiled.wav is damaged after the corpus was read."""


@dataclass(frozen=True)
class TinyRun:
    """A finished run: `root` is the working folder that its recorded paths are relative to."""

    root: Path
    config: Config

    @property
    def folder(self) -> Path:
        """The run's folder, absolute."""
        return self.root / self.config.folder

    @property
    def paths(self) -> RunPaths:
        """Paths of the run, absolute."""
        return RunPaths(self.folder)

    def copy(self, root: Path) -> "TinyRun":
        """The same run in another place, for tests that damage it."""
        shutil.copytree(self.root, root)
        return TinyRun(root, self.config)


def buzz(seconds: float, pitch: float = 150.0) -> np.ndarray:
    """Something that is not silence, (N,) float32 at 16 kHz."""
    time = np.arange(round(seconds * 16_000)) / 16_000
    return (0.3 * np.sin(2 * np.pi * pitch * time) * np.sin(np.pi * time / seconds)).astype(np.float32)


def make(root: Path) -> TinyRun:
    """Run the workflow in `root`, one verb after the other, in the order that the decisions give."""
    _own_corpus(root / "own")
    (root / CONFIG).write_text(yaml.safe_dump(SETTINGS))
    before = Path.cwd()
    os.chdir(root)
    try:
        with one_process():
            config = load(CONFIG)
            _data(config)
            _training(config, RunPaths(config.folder))
            write_settings(config, config.folder)
            write_catalog(config, config.folder / FILE)
        return TinyRun(root, config)
    finally:
        os.chdir(before)


@contextlib.contextmanager
def one_process() -> Iterator[None]:
    """To train in this process: the engine leaves RANK behind, which would mislead other tests."""
    with mock.patch.dict(os.environ):
        if "torch" in sys.modules and sys.modules["torch"].distributed.is_initialized():
            os.environ.update(RANK="0", LOCAL_RANK="0", WORLD_SIZE="1")
        yield


def verb(name: str, *arguments: object) -> None:
    """`earmark NAME tiny.yaml ARGUMENTS` in this process."""
    cli.main([name, CONFIG, *map(str, arguments)], standalone_mode=False)


def _own_corpus(folder: Path) -> None:
    folder.mkdir()
    (folder / "utterances.tsv").write_text(OWN)
    for name, seconds in {"buzz1": 1.2, "buzz2": 1.5, "short": 0.05, "spoiled": 1.0}.items():
        soundfile.write(folder / f"{name}.wav", buzz(seconds), 16_000)
    (folder / "noise.wav").write_bytes(b"this is not audio" * 20)


def _data(config: Config) -> None:
    for corpus in config.corpora:
        verb("corpus", corpus.name)
        verb("label", corpus.name)
    Path("own/spoiled.wav").write_bytes(b"damaged since")
    for corpus in config.corpora:
        verb("shards", corpus.name)
    verb("dataset")
    verb("language")


def _training(config: Config, paths: RunPaths) -> None:
    last = _stage(config, paths, "pretrain", None, None)
    state = _decisions(config, paths)
    ends = phases(state, config.stages.pretrain.steps)

    def snapshot(step: int) -> Path:
        return paths.step("pretrain", step) / "done.json"

    done = _stage(config, paths, "align", None, snapshot(ends[0]))
    for number, step in enumerate(ends, 1):
        done = _stage(config, paths, f"ia_sft_{number}", done, snapshot(step), last=number == len(ends))
    done = _stage(config, paths, "joint", done, None)
    embedded = paths.folder / "entropy" / "embeddings.safetensors"
    verb("embeddings", embedded)
    for one in (last, done):
        described = read_json(one)
        verb("entropy", embedded, one, paths.entropy(described["instance"], described["step"]))
    verb("evaluate", done, last)


def _stage(
    config: Config,
    paths: RunPaths,
    instance: str,
    before: Path | None,
    encoder: Path | None,
    last: bool = False,
) -> Path:
    """All segments of a stage; done.json of the last."""
    kind = "ia_sft" if instance.startswith("ia_sft") else instance
    for step in segments(config.stage_steps(kind, last), getattr(config.stages, kind).segment_steps):
        options = [f"--before={before}"] if before else []
        options += [f"--encoder={encoder}"] if encoder else []
        verb("train", instance, step, *options, *(["--last-phase"] if last else []))
        before, encoder = paths.step(instance, step) / "done.json", None
    assert before is not None
    return before


def _decisions(config: Config, paths: RunPaths) -> dict[str, Any]:
    """Score and decide at each watched step; the last state."""
    state: dict[str, Any] = {"reference": config.watch.first_step}
    decided: list[Path] = []
    for step in config.watched_steps():
        score = paths.score(step, state["reference"])
        snapshots = [paths.step("pretrain", one) / "done.json" for one in (step, state["reference"])]
        verb("cka", *snapshots, score)
        verb("decide", score, paths.decision(step), *([f"--before={decided[-1]}"] if decided else []))
        decided.append(paths.decision(step))
        state = read_json(decided[-1])
    cli.main(["trace", str(paths.trace), *map(str, decided)], standalone_mode=False)
    return state


Runner = Callable[..., tuple[int, str, str]]
"""`earmark(*arguments)`: exit code, standard output, standard error."""
