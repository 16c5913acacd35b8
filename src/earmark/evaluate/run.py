"""Test sets through the trained model: one row an utterance and system, one score a test set and system.

Systems: the full recipe by beam search and greedily, the CTC head's phones, and on request a lexicon over them.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from earmark.config import Config, TestSet
from earmark.data.collect import training_rows
from earmark.data.dataset import Batch, Dataset
from earmark.decode.lexicon import CharacterLexicon
from earmark.decode.recognize import PhoneRecognizer, Recognizer, clean
from earmark.errors import ConfigError
from earmark.evaluate.altered import altered, levelled
from earmark.io import read_json, read_parquet, write_json, write_parquet
from earmark.metrics.error_rates import ErrorCounts, bootstrap_interval, error_counts, error_rate
from earmark.metrics.hallucination import is_hallucination
from earmark.text.inventory import Inventory
from earmark.text.normalise import tokens

PHONES = "ctc phones"
CHARACTERS = "ctc characters"
LABEL_MEASURES = {"per": PHONES, "ter": CHARACTERS}
"""Measures of the CTC head alone, by what its labels are, and the system that they are of."""
LEXICON = "ctc lexicon"
SCHEMA = pa.schema(
    [
        ("test", pa.string()),
        ("system", pa.string()),
        ("measure", pa.string()),
        ("id", pa.string()),
        ("language", pa.string()),
        ("seconds", pa.float32()),
        ("reference", pa.string()),
        ("hypothesis", pa.string()),
        ("hits", pa.int32()),
        ("substitutions", pa.int32()),
        ("deletions", pa.int32()),
        ("insertions", pa.int32()),
        ("reference_length", pa.int32()),
        ("hallucinated", pa.bool_()),
    ]
)


def evaluate(config: Config, done: Path, pretrained: Path, folder: Path) -> None:
    """Write utterances.parquet and scores.json into `folder`.

    :param done: done.json of the last stage. :param pretrained: done.json of pretraining's end, for the CTC head; after
        AED or Best-RQ there is none, and no score of it.
    """
    paths = config.paths
    inventory = Inventory.from_settings(config.text)
    dataset = Dataset(paths.dataset, inventory)
    recognizer = Recognizer.load(config, done, paths.llm / "done.json")
    head = "ctc_head" in read_json(pretrained)["weights"]
    phones = PhoneRecognizer.load(config, pretrained, inventory) if head else None
    texts = ((row["text"], row["phones"]) for row in training_rows(config, ["text", "phones"]))
    lexicon = CharacterLexicon(texts) if config.evaluation.lexicon else None
    rows = []
    for test in config.evaluation.tests:
        for batch in tqdm(_batches(config, dataset, test), desc=test.name, disable=None):
            rows += _recognize(recognizer, test, batch, config.decoding.beams)
            if phones:
                rows += _labelled(phones, lexicon, test, batch, "per" if config.text.targets == "phones" else "ter")
    write_parquet(folder / "utterances.parquet", pa.Table.from_pylist(rows, schema=SCHEMA))
    write_json(folder / "scores.json", scores(rows, config, published(config)))


def published(config: Config) -> dict[str, int]:
    """Utterances of each test set's split in the manifests, whatever became of them."""
    splits = sorted({test.split for test in config.evaluation.tests})
    counted = dict.fromkeys(splits, 0)
    for corpus in config.corpora:
        for part in range(corpus.parts):
            table = read_parquet(config.paths.manifest(corpus.name, part), ["split"])
            for name, number in zip(*np.unique(table["split"].to_numpy(), return_counts=True), strict=True):
                if name in counted:
                    counted[name] += int(number)
    return counted


def _batches(config: Config, dataset: Dataset, test: TestSet) -> Iterator[Batch]:
    rows = dataset.split(test.split)
    if len(rows) == 0:
        raise ConfigError(f"evaluation.tests: no utterance of split {test.split!r} was kept: correct the name")
    # Read as they are recognised: a test set may be larger than memory.
    batches = (dataset.batch(part) for part in dataset.batches(rows, config.decoding.batch))
    for batch in altered(batches, config, test, dataset.normalisation):
        yield levelled(batch, dataset.normalisation)


def _recognize(recognizer: Recognizer, test: TestSet, batch: Batch, beams: int) -> list[dict[str, Any]]:
    """Rows of one batch by beam search and greedily."""
    rows = []
    for system, width in (("beam", beams), ("greedy", 1)) if beams > 1 else (("greedy", 1),):
        found = recognizer.transcribe(batch.features, batch.lengths, batch.languages, width)
        references = [
            tokens(clean(text, language)) for text, language in zip(batch.texts, batch.languages, strict=True)
        ]
        rows += _rows(test, system, test.measure, batch, references, [tokens(one.text) for one in found])
    return rows


def _labelled(
    phones: PhoneRecognizer, lexicon: CharacterLexicon | None, test: TestSet, batch: Batch, measure: str
) -> list[dict[str, Any]]:
    """Rows of one batch of the CTC head alone: its labels, and texts by the lexicon if there is one."""
    spoken = [
        phones.inventory.decode(ids[:length])
        for ids, length in zip(batch.phones.tolist(), batch.phone_lengths.tolist(), strict=True)
    ]
    heard = phones.transcribe(batch.features, batch.lengths)
    # A text without labels is scored as text alone.
    labelled = [bool(one) or not text for one, text in zip(spoken, batch.texts, strict=True)]
    rows = list(itertools.compress(_rows(test, LABEL_MEASURES[measure], measure, batch, spoken, heard), labelled))
    if lexicon and test.measure == "cer":
        texts = zip(batch.texts, batch.languages, strict=True)
        references = [tokens(clean(text, language)) for text, language in texts]
        rows += _rows(test, LEXICON, "cer", batch, references, [lexicon.spell(one) for one in heard])
    return rows


def _rows(
    test: TestSet,
    system: str,
    measure: str,
    batch: Batch,
    references: list[list[str]],
    hypotheses: list[list[str]],
) -> list[dict[str, Any]]:
    counted = error_counts(references, hypotheses)
    return [
        {
            "test": test.name,
            "system": system,
            "measure": measure,
            "id": batch.ids[number],
            "language": batch.languages[number],
            "seconds": float(batch.lengths[number]) / 100,
            "reference": " ".join(references[number]),
            "hypothesis": " ".join(hypotheses[number]),
            **counts._asdict(),
            "hallucinated": measure not in LABEL_MEASURES
            and is_hallucination(references[number], hypotheses[number], counts.hits),
        }
        for number, counts in enumerate(counted)
    ]


def scores(rows: list[dict[str, Any]], config: Config, whole: dict[str, int] | None = None) -> list[dict[str, Any]]:
    """Error rate with its bootstrap interval, and hallucination rate, of each test set and system.

    Utterances whose reference is empty count by their insertions; a set of nothing else has no error rate.

    :param whole: utterances of each split before any was left out; None: not known.
    """
    table = []
    for test in config.evaluation.tests:
        for system in dict.fromkeys(row["system"] for row in rows):
            chosen = [row for row in rows if row["test"] == test.name and row["system"] == system]
            if not chosen:
                continue
            counts = [ErrorCounts(*(row[name] for name in ErrorCounts._fields)) for row in chosen]
            spoken = any(one.reference_length for one in counts)
            low, high = bootstrap_interval(counts, seed=config.seed) if spoken else (None, None)
            table.append(
                {
                    "test": test.name,
                    "scenario": test.scenario,
                    "system": system,
                    "measure": chosen[0]["measure"],
                    "rate": error_rate(counts) if spoken else None,
                    "low": low,
                    "high": high,
                    "utterances": len(chosen),
                    "published": whole.get(test.split) if whole else None,
                    "wordless": sum(not one.reference_length for one in counts),
                    "tokens": sum(one.reference_length for one in counts),
                    "substitutions": sum(one.substitutions for one in counts),
                    "deletions": sum(one.deletions for one in counts),
                    "insertions": sum(one.insertions for one in counts),
                    "hallucination_rate": sum(row["hallucinated"] for row in chosen) / len(chosen),
                }
            )
    return table
