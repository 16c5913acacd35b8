"""A miniature finished run, its files written by the project's own writers wherever they need no model."""

import math
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from earmark.config import Config, parse, segments
from earmark.data.build import ASIDE, N_MELS
from earmark.data.collect import collect
from earmark.data.manifest import KEPT, LABELLED, counts, table
from earmark.data.moments import Moments
from earmark.data.shards import Example, write_shard
from earmark.diagnose.watch import decide, initial, phases
from earmark.evaluate.run import PHONES, scores
from earmark.evaluate.run import SCHEMA as UTTERANCES
from earmark.io import read_json, sha256, write_json, write_parquet
from earmark.metrics.error_rates import error_counts
from earmark.paths import RunPaths
from earmark.text.inventory import Inventory
from earmark.text.phonemes import Phonemizer
from earmark.train.records import SCHEMA as METRICS

BEGAN = 1_790_000_000.0
"""Unix seconds of the run's beginning."""
SECONDS_A_STEP = 0.05
SENTENCES = {
    "zh": "我 的 电 话 是 八 七 五 九",
    "en": "turn the light on please",
    "zh-en": "请 打 开 my new phone",
}
PHONED = {"zh": ["uo3", "d", "e5"], "en": ["t", "d", "n"], "zh-en": ["d", "e5", "n"]}
SHA = "0123456789abcdef" * 4
LABELS = Phonemizer().hash


def settings(folder: Path, **changes: Any) -> Config:
    """A run of 600 pretraining steps, watched every 100 from 200 on."""
    small = {"frames_per_batch": 600, "peak_rate": 1e-3}
    values = {
        "run": "made",
        "results": str(folder),
        "seed": 3,
        "corpora": [
            {"name": "spoken", "reader": "synthetic", "licence": "GPL-3"},
            {"name": "own", "reader": "folder", "path": "x"},
        ],
        "encoder": {"n_layers": 3, "n_heads": 4, "d_model": 96, "kernel_size": 15},
        "stages": {
            "pretrain": {
                "trained": ["encoder", "ctc_head"],
                "loss": "cr_ctc",
                "steps": 600,
                "segment_steps": 100,
                **small,
            },
            "align": {
                "trained": ["adaptor"],
                "loss": "next_token",
                "steps": 40,
                "segment_steps": 40,
                **small,
            },
            "ia_sft": {
                "trained": ["adaptor", "llm"],
                "loss": "next_token",
                "steps": 40,
                "last_phase_steps": 60,
                "segment_steps": 40,
                **small,
            },
            "joint": {
                "trained": ["encoder", "adaptor", "llm"],
                "loss": "next_token",
                "steps": 80,
                "segment_steps": 40,
                **small,
            },
        },
        "watch": {"first_step": 200, "every": 100, "tau": 0.95, "max_swaps": 2},
        "evaluation": {
            "tests": [
                {"name": "test_zh", "measure": "cer", "scenario": "Mandarin (synthetic)"},
                {
                    "name": "test_en",
                    "measure": "wer",
                    "scenario": "English <b>",
                    "noise_db": 10,
                    "of": "test_zh",
                },
            ],
            "summary": {"cer_zh": "cer of test_zh", "wer_en": "wer of test_en", "per_zh": "per of test_zh"},
        },
    }
    return parse(values | changes)


def make(
    folder: Path,
    rates: tuple[float, ...] = (0.93, 0.97, 0.94, 0.9),
    csai: float = -0.1,
    pai: float = 0.2,
    **changes: Any,
) -> Config:
    """Write a finished run and return its configuration.

    :param rates: CKA scores of the watched steps 300, 400, 500, 600.
    :param csai: what joint SFT adds to CSAI, in bits. :param pai: likewise to PAI.
    """
    config = settings(folder, **changes)
    paths = RunPaths(config.folder)
    _data(config, paths)
    write_json(
        paths.llm / "done.json",
        {
            "folder": str(paths.llm),
            "stand_in": True,
            "steps": 50,
            "texts": 321,
            "losses": [round(4 * 0.95**step, 4) for step in range(50)],
            "parameters": 654321,
            "started": BEGAN + 5,
            "ended": BEGAN + 11,
        },
    )
    states = _decisions(config, paths, rates)
    _stages(config, paths, phases(states[-1], 600))
    _entropy(config, paths, phases(states[-1], 600), csai, pai)
    _evaluation(config, paths)
    return config


def _data(config: Config, paths: RunPaths) -> None:
    inventory = Inventory.load()
    for number, corpus in enumerate(["spoken", "own"]):
        rows, examples, aside = [], [], []
        for index in range(24):
            language = ("zh", "en", "zh-en")[index % 3]
            split = ("train", "train", "valid", "test_zh")[index % 4]
            row = {
                "id": f"{corpus}-{index:03d}",
                "corpus": corpus,
                "split": split,
                "language": language,
                "domain": "made",
                "speaker": "two" if split == "test_zh" else "one",
                "audio": f"{index}.wav",
                "duration": 2.0,
                "raw_text": SENTENCES[language],
                "licence": "none",
                "text": SENTENCES[language].replace(" ", ""),
                "phones": PHONED[language],
            }
            if number == 1 and index in (0, 5, 6):
                row["status"] = "empty text"
            elif number == 1 and index == 7:
                aside.append({"id": row["id"], "status": "undecodable audio"})
            else:
                # The eighth recording of both corpora is the same.
                heard = 8 if index == 8 else 1000 * number + index
                features = np.ones((180, N_MELS), np.float16)
                examples.append(Example(row, inventory.encode(row["phones"]), features, heard))
            rows.append(row)
        labelled = table(rows, LABELLED)
        write_parquet(paths.manifest(corpus), labelled)
        notes = write_shard(paths.shards(corpus) / f"{corpus}-0000-0000.arrow", examples, inventory.hash, labels=LABELS)
        write_parquet(paths.shards(corpus) / "aside.parquet", pa.Table.from_pylist(aside, schema=ASIDE))
        moments = Moments(N_MELS)
        moments.add(examples[0].features)
        reasons = counts(labelled)
        done = {
            "corpus": corpus,
            "part": 0,
            "inventory": inventory.hash,
            "labels": LABELS,
            "rows": len(rows),
            "rows_in": reasons.pop(KEPT),
            "kept": len(examples),
            "set_aside": len(aside),
            "reasons": reasons | {one["status"]: 1 for one in aside},
            "shards": [notes.shard],
            "moments": moments.as_json(),
            "manifest": str(paths.manifest(corpus)),
            "manifest_sha256": sha256(paths.manifest(corpus)),
        }
        write_json(paths.shards_done(corpus), done)
        log = paths.folder / "logs" / "corpus" / f"{corpus}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
        for path in (log, log.parent, log.parent.parent):
            os.utime(path, (BEGAN, BEGAN))
    collect(config)


def _decisions(config: Config, paths: RunPaths, rates: tuple[float, ...]) -> list[dict[str, Any]]:
    state, states = initial(config.watch), []
    for step, rate in zip(config.watched_steps(), rates, strict=True):
        state = decide(state, step, rate, config.watch)
        states.append(state)
    write_json(paths.trace, states)
    return states


def _stages(config: Config, paths: RunPaths, encoders: list[int]) -> None:
    """Pretraining from second 12 on; alignment as soon as its encoder is there, each phase after the one before."""
    ended = {0: BEGAN + 12}
    for end in segments(600, 100):
        ended[end] = ended[end - 100] + 1 + 100 * SECONDS_A_STEP
        _segment(config, paths, "pretrain", end - 100, end, ended[end], {})
    now, weights = 0.0, {"llm": str(paths.llm / "model.safetensors")}
    order = [
        ("align", encoders[0]),
        *((f"ia_sft_{i + 1}", step) for i, step in enumerate(encoders)),
        ("joint", None),
    ]
    for instance, encoder in order:
        kind = "ia_sft" if instance.startswith("ia_sft") else instance
        if encoder:
            weights["encoder"] = str(paths.step("pretrain", encoder) / "encoder.safetensors")
            now = max(now, ended[encoder])
        steps = config.stage_steps(kind, instance == f"ia_sft_{len(encoders)}")
        ends = segments(steps, getattr(config.stages, kind).segment_steps)
        for start, end in zip([0, *ends], ends, strict=False):
            now += 1 + (end - start) * SECONDS_A_STEP * 2
            weights = _segment(config, paths, instance, start, end, now, weights)


def _segment(
    config: Config,
    paths: RunPaths,
    instance: str,
    start: int,
    end: int,
    ended: float,
    weights: dict[str, str],
) -> dict[str, str]:
    kind = "ia_sft" if instance.startswith("ia_sft") else instance
    stage = getattr(config.stages, kind)
    folder, rng = paths.step(instance, end), random.Random(f"{instance}{end}")
    weights = weights | {name: str(folder / f"{name}.safetensors") for name in stage.trained}
    scale = 3.0 if kind == "pretrain" else 1.0
    loss = [scale * math.exp(-step / 200) + 0.2 * rng.random() for step in range(start + 1, end + 1)]
    rows = [
        {
            "stage": instance,
            "step": start + 1 + index,
            "loss": value,
            "ctc": value if kind == "pretrain" else None,
            "rate": 1e-3,
            "gradient_norm": 1.0,
            "audio_seconds": 5.0,
            "audio_seconds_per_second": 100.0,
            "padding": 0.1,
            "time": ended,
        }
        for index, value in enumerate(loss)
    ]
    write_parquet(folder / "metrics.parquet", pa.Table.from_pylist(rows, schema=METRICS))
    valid = {"loss": loss[-1], "per": min(1.0, loss[-1] / 3)} if kind == "pretrain" else {"loss": loss[-1]}
    write_json(
        folder / "done.json",
        {
            "instance": instance,
            "step": end,
            "steps": config.stage_steps(kind),
            "weights": weights,
            "sha256": dict.fromkeys(weights, SHA),
            "trained": stage.trained,
            "parameters": dict.fromkeys(weights, 1000),
            "valid": valid,
            "inventory": Inventory.load().hash,
            "processes": 1,
            "started": ended - (end - start) * SECONDS_A_STEP * (1 if kind == "pretrain" else 2),
            "ended": ended,
        },
    )
    return weights


def _entropy(config: Config, paths: RunPaths, encoders: list[int], csai: float, pai: float) -> None:
    def write(instance: str, step: int, encoder: int, adaptor: bool, more: tuple[float, float] = (0.0, 0.0)) -> None:
        names = ["layer 1", "layer 2", "layer 3"] + ["adaptor"] * adaptor
        write_json(
            paths.entropy(instance, step),
            {
                "instance": instance,
                "step": step,
                "encoder": "",
                "nse": 0.9 - encoder / 2000,
                "pai": 3 - encoder / 1000 + more[1],
                "csai": 1 + encoder / 1000 + more[0],
                "pca_dim": 16,
                "ridge": 0.1,
                "utterances": 30,
                "layerwise_cka": {name: 0.2 + 0.1 * place for place, name in enumerate(names)},
                "layerwise_cka_sentence": {name: 0.1 + 0.1 * place for place, name in enumerate(names)},
            },
        )

    for step in range(200, 601, 100):
        write("pretrain", step, step, False)
    write("align", 40, encoders[0], True)
    for number, step in enumerate(encoders):
        write(f"ia_sft_{number + 1}", 60 if number == len(encoders) - 1 else 40, step, True)
    write("joint", 80, 600, True, (csai, pai))


def _evaluation(config: Config, paths: RunPaths) -> None:
    rows = []
    for test, language in (("test_zh", "zh"), ("test_en", "en")):
        for index in range(12):
            said = SENTENCES[language].split()
            heard = list(said)
            if index % 3 == 1:
                heard[index % len(said)] = "<错>" if language == "zh" else "light"
            if index == 5:
                heard = ["嗯"] * 20
            if index == 7:
                heard = []
            measure = "cer" if language == "zh" else "wer"
            for system, found, kind in (
                ("beam", heard, measure),
                ("greedy", heard, measure),
                (PHONES, heard, "per"),
            ):
                counts = error_counts([said], [found])[0]._asdict()
                rows.append(
                    {
                        "test": test,
                        "system": system,
                        "measure": kind,
                        "id": f"own-{language}-{index}",
                        "language": language,
                        "seconds": 1.5,
                        "reference": " ".join(said),
                        "hypothesis": " ".join(found),
                        **counts,
                        "hallucinated": index == 5 and kind != "per",
                    }
                )
    write_parquet(paths.evaluation / "utterances.parquet", pa.Table.from_pylist(rows, schema=UTTERANCES))
    write_json(paths.evaluation / "scores.json", scores(rows, config))
    last = read_json(paths.step("joint", 80) / "done.json")["ended"]
    os.utime(paths.evaluation / "scores.json", (last + 4, last + 4))
