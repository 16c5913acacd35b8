"""A small language model is taught text before it meets speech: the stand-in for pretrained weights.

Half of each batch are transcripts to be continued, half are transcripts to be repeated: their tokens, each once to
three times as speech would stretch them, stand where speech embeddings will stand.
"""

import random
import time
from pathlib import Path
from typing import Any

import torch

from earmark.config import Config, SmallLLM
from earmark.errors import TextError
from earmark.io import read_parquet, write_json
from earmark.models.llm import build_small, build_tokenizer, load_llm, prompt_ids
from earmark.models.speech_llm import IGNORED

Example = tuple[list[int], int]
"""Token ids, and how many of them at the start bear no loss."""


def prepare(config: Config, manifests: list[Path], folder: Path) -> None:
    """Write `folder`: the small model, or a pointer to real weights; done.json last."""
    started = time.time()
    if isinstance(config.llm, Path):
        model, _ = load_llm(config.llm)
        done: dict[str, Any] = {"folder": str(config.llm), "stand_in": False, "steps": 0}
    else:
        texts = _texts(config.llm, manifests)
        tokenizer = build_tokenizer([*texts, config.prompt, "user assistant"], config.llm)
        torch.manual_seed(config.seed + 3)
        model = build_small(config.llm, len(tokenizer))
        losses = _teach(model, tokenizer, texts, config)
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        done = {"folder": str(folder), "stand_in": True, "steps": config.llm.steps, "texts": len(texts)}
        done["losses"] = losses
    done["parameters"] = sum(parameter.numel() for parameter in model.parameters())
    write_json(folder / "done.json", done | {"started": started, "ended": time.time()})


def _texts(settings: SmallLLM, manifests: list[Path]) -> list[str]:
    """Distinct training transcripts, and further text where asked for; never a transcript of a test set."""
    rows = [row for path in manifests for row in read_parquet(path, ["split", "status", "text"]).to_pylist()]
    kept = [row["text"] for row in rows if row["status"] == "kept" and row["split"] == "train"]
    texts = dict.fromkeys(kept)
    if "hsk_sentences" in settings.texts:
        texts |= dict.fromkeys(_hsk_sentences())
    return list(texts)


def _hsk_sentences() -> list[str]:
    """Mandarin sentences of the package hsk-sentences-audio, normalised; those that cannot be are left out."""
    import hsk_sentences_audio

    from earmark.text.normalise import normalise

    path = Path(hsk_sentences_audio.__file__).parent / "data" / "sentences.json"
    from earmark.io import read_json

    texts = []
    for sentence in read_json(path):
        try:
            texts.append(normalise(sentence["simplified"], "zh"))
        except TextError:
            continue
    return texts


def _teach(model: torch.nn.Module, tokenizer: Any, texts: list[str], config: Config) -> list[float]:
    from tqdm import tqdm

    settings = config.llm
    assert isinstance(settings, SmallLLM)
    before, after = prompt_ids(tokenizer, config.prompt)
    end = tokenizer.eos_token_id
    encoded = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
    rng = random.Random(config.seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.peak_rate, betas=(0.9, 0.98), fused=True)
    losses = []
    for step in tqdm(range(settings.steps), desc="language model", mininterval=5):
        chosen = rng.choices(encoded, k=settings.batch)
        batch = [
            _repeat(ids, before, after, end, rng) if number % 2 else ([*after, *ids, end], 0)
            for number, ids in enumerate(chosen)
        ]
        for group in optimizer.param_groups:
            group["lr"] = settings.peak_rate * min((step + 1) / 50, 1.0) * (1 - 0.95 * step / settings.steps)
        loss = _loss(model, batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(round(float(loss), 4))
    return losses


def _repeat(ids: list[int], before: list[int], after: list[int], end: int, rng: random.Random) -> Example:
    stretched = [token for token in ids for _ in range(rng.choice((1, 1, 2, 2, 3)))]
    silent = [*before, *stretched, *after]
    return [*silent, *ids, end], len(silent)


def _loss(model: Any, batch: list[Example]) -> torch.Tensor:
    inputs = torch.nn.utils.rnn.pad_sequence([torch.tensor(ids) for ids, _ in batch], batch_first=True)
    labels = torch.full_like(inputs, IGNORED)
    mask = torch.zeros_like(inputs)
    for number, (ids, silent) in enumerate(batch):
        mask[number, : len(ids)] = 1
        labels[number, silent : len(ids)] = inputs[number, silent : len(ids)]
    hidden = model.model(input_ids=inputs, attention_mask=mask, use_cache=False)[0]
    bears = labels[:, 1:] != IGNORED
    return torch.nn.functional.cross_entropy(model.lm_head(hidden[:, :-1][bears]), labels[:, 1:][bears])
