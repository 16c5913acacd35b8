"""A small language model is taught text before it meets speech: the stand-in for pretrained weights.

A pretrained Qwen3 knows how words are spelled, and pronounced. The small one learns it from transcripts, and from
lists of sentences and words where asked for: it reads their phones, stretched over frames and joined by an adaptor that
is thrown away afterwards, where speech embeddings will stand, and writes the text. No recording is used, and no
transcript of a test set; a list of words may hold words of a test set, as the text that a pretrained model has read.
"""

import importlib.util
import random
import re
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from earmark.config import Config, SmallLLM
from earmark.data.batches import BatchPlan, Strand
from earmark.data.collect import TRAIN, training_rows
from earmark.errors import TextError
from earmark.io import read_json, write_json
from earmark.models.adaptor import Adaptor
from earmark.models.llm import build_small, build_tokenizer, prompt_ids, vocabulary_hash
from earmark.models.qwen3 import check_folder
from earmark.models.speech_llm import IGNORED, splice
from earmark.standin.heard import Heard, Way, frames_of, mean_frames
from earmark.standin.muon import Muon
from earmark.text.normalise import HAN, normalise
from earmark.text.phonemes import Phonemizer

WARMUP = 50
TABLES = 5.0
"""Adam's rate (embeddings, norms, biases) beside Muon's: a token that is seen rarely has few updates."""
WORDS, COMMON = 40_000, 12_000
"""Words taken of jieba's list, the most frequent ones, and how many of these are taught as often as all other text."""
RARE = 0.3
"""How often a rarer word is taught, beside a common one."""

_WORD = re.compile(rf"[{HAN}]{{2,4}}")


class Lesson(NamedTuple):
    """A text as token ids, and its phones; `rare` if it is taught less often."""

    tokens: list[int]
    phones: list[int]
    rare: bool


def prepare(config: Config, folder: Path) -> None:
    """Write `folder`: the small model, or a pointer to real weights; done.json last."""
    started = time.time()
    model: Any
    tokenizer: Any
    if isinstance(config.llm, Path):
        model, tokenizer = check_folder(config.llm)  # its weights are read when a stage trains
        done: dict[str, Any] = {"folder": str(config.llm), "stand_in": False, "steps": 0}
    else:
        phonemizer = Phonemizer.from_settings(config.text)
        inventory = phonemizer.inventory
        texts, rare = _texts(config, config.llm, phonemizer)
        pace = _pace(config)
        # So often that their words are tokens, as they are Qwen3's: else a short utterance would be mostly prompt.
        prompts = [f"{config.prompt} user assistant"] * len(texts)
        tokenizer = build_tokenizer([*texts, *prompts], config.llm)
        torch.manual_seed(config.seed + 3)
        model = build_small(config.llm, len(tokenizer))
        lessons = [
            Lesson(tokenizer.encode(text, add_special_tokens=False), inventory.encode(phones), text in rare)
            for text, phones in texts.items()
        ]
        losses = _teach(model, tokenizer, lessons, inventory.phones, pace, config)
        _save(model, tokenizer, folder)
        done = {"folder": str(folder), "stand_in": True, "steps": config.llm.steps, "texts": len(texts)}
        done["losses"] = losses
    done["vocabulary"] = vocabulary_hash(tokenizer)
    done["parameters"] = sum(parameter.numel() for parameter in model.parameters())
    write_json(folder / "done.json", done | {"started": started, "ended": time.time()})


def _save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write both beside their places and rename each file: another process may be reading or writing the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as name:
        model.save_pretrained(name)
        tokenizer.save_pretrained(name)
        for path in Path(name).iterdir():
            path.chmod(0o644)  # safetensors makes files private; results are for the team
            path.replace(folder / path.name)


def _texts(config: Config, settings: SmallLLM, phonemizer: Phonemizer) -> tuple[dict[str, list[str]], set[str]]:
    """Distinct training transcripts with their phones, and further text where asked for; which of it is rare."""
    texts = {row["text"]: row["phones"] for row in training_rows(config, ["text", "phones"])}
    rare: set[str] = set()
    further = {"hsk_sentences": _hsk_sentences, "jieba_words": _jieba_words}
    for name in settings.texts:
        found = list(further[name]())
        new = [text for text in found if text not in texts]
        labelled = phonemizer.label_many([(text, "zh") for text in new])
        texts |= {text: phones for text, phones in zip(new, labelled, strict=True) if isinstance(phones, list)}
        if name == "jieba_words":
            rare |= set(found[COMMON:]) & set(new)
    return texts, rare


def _pace(config: Config) -> float:
    """Encoder frames (40 ms) a phone, pauses included, in the training speech."""
    bounds = read_json(config.paths.dataset)["bounds"][TRAIN].values()
    phones = sum(len(row["phones"]) for row in training_rows(config, ["phones"]))
    return sum(one["frames"] for one in bounds) / 4 / phones


def _hsk_sentences() -> Iterable[str]:
    """Mandarin sentences of the PyPI package hsk-sentences-audio, normalised; those that cannot be are left out."""
    import hsk_sentences_audio

    sentences = read_json(Path(hsk_sentences_audio.__file__).parent / "data" / "sentences.json")
    for sentence in sentences:
        try:
            yield normalise(sentence["chinese"], "zh")
        except TextError:
            continue


def _jieba_words() -> Iterable[str]:
    """The most frequent words of jieba's list (`word frequency part-of-speech` a line), in the order of frequency."""
    found = importlib.util.find_spec("jieba")  # importing it would load the whole list
    assert found is not None
    assert found.origin is not None
    lines = Path(found.origin).with_name("dict.txt").read_text(encoding="utf-8").splitlines()
    words = [(int(count), word) for word, count, _ in map(str.split, lines) if _WORD.fullmatch(word)]
    return [word for _, word in sorted(words, key=lambda pair: (-pair[0], pair[1]))[:WORDS]]


def _teach(
    model: Any, tokenizer: Any, lessons: list[Lesson], phones: tuple[str, ...], pace: float, config: Config
) -> list[float]:
    """Train in place; losses (nats a token) of every step.

    :param phones: of the inventory. :param pace: frames that one lasts.
    """
    from tqdm import tqdm

    settings = config.llm
    assert isinstance(settings, SmallLLM)
    before, after = (torch.tensor(part) for part in prompt_ids(tokenizer, config.prompt))
    # Frames of deviation 1, as the encoder's last LayerNorm gives them, through an adaptor of the kind that will read
    # those: alignment then has an interface to find that an adaptor can give.
    heard = Heard(phones, config.encoder.d_model)
    size = config.adaptor.downsample
    adaptor = Adaptor(config.encoder.d_model, settings.hidden_size, size)
    rng = random.Random(config.seed)
    order, strands = _strands(lessons, _positions(lessons, len(after), pace / size))
    plan = BatchPlan(strands, settings.positions_per_batch, config.seed)
    parameters = [*model.parameters(), *heard.parameters(), *adaptor.parameters()]
    optimizers = _optimizers([model, heard, adaptor], settings.peak_rate)
    losses = []
    for step in tqdm(range(settings.steps), desc="language model", mininterval=5):
        chosen = [lessons[row] for row in order[plan.rows(step)]]
        way = Way.draw(rng)
        frames = [frames_of(lesson.phones, len(phones), pace, size, way, rng) for lesson in chosen]
        padded = nn.utils.rnn.pad_sequence(frames, batch_first=True)
        speech, lengths = adaptor(heard(padded), torch.tensor([len(one) for one in frames]))
        targets = [[*lesson.tokens, tokenizer.eos_token_id] for lesson in chosen]
        logits, labels = lesson_logits(model, (before, after), speech, lengths, targets)
        loss = nn.functional.cross_entropy(logits, labels)
        share = min((step + 1) / WARMUP, 1.0) * (1 - 0.95 * step / settings.steps)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = optimizer.defaults["lr"] * share
            optimizer.step()
            optimizer.zero_grad()
        losses.append(round(float(loss.detach()), 4))
    return losses


def _optimizers(modules: list[nn.Module], rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices between embeddings and output, Adam for everything else."""
    parts = [part for module in modules for part in module.modules()]
    tables = {part.weight for part in parts if isinstance(part, nn.Embedding)}
    parameters = list(dict.fromkeys(one for part in parts for one in part.parameters(recurse=False)))
    matrices = [one for one in parameters if one.ndim == 2 and one not in tables]
    others = [one for one in parameters if one.ndim != 2 or one in tables]
    return [Muon(matrices, rate), torch.optim.Adam(others, lr=TABLES * rate, betas=(0.9, 0.98), fused=True)]


def lesson_logits(
    model: Any,
    prompt: tuple[torch.Tensor, torch.Tensor],
    speech: torch.Tensor,
    lengths: torch.Tensor,
    targets: list[list[int]],
) -> tuple[torch.Tensor, torch.Tensor]:
    """`target_logits` of `splice`, the prompt before the speech read once for the whole batch.

    It is the same for all and sees nothing of what follows it; before a word it would be most of the positions.
    """
    from transformers import DynamicCache

    before, after = prompt
    rows = len(targets)
    cache = DynamicCache(config=model.config)
    model.model(input_ids=before[None], past_key_values=cache, use_cache=True)
    cache.batch_repeat_interleave(rows)
    rest = splice(model, (before[:0], after), speech, lengths, targets)
    size = rest.embeddings.shape[1]
    # Padding lies on the right, where nothing that bears a loss looks.
    sees = torch.ones(size, len(before) + size, dtype=torch.bool).tril(len(before))
    hidden = model.model(
        inputs_embeds=rest.embeddings,
        attention_mask=sees.expand(rows, 1, -1, -1),
        position_ids=torch.arange(len(before), len(before) + size).expand(rows, -1),
        past_key_values=cache,
        use_cache=True,
    )[0]
    bears = rest.labels[:, 1:] != IGNORED
    return model.lm_head(hidden[:, :-1][bears]), rest.labels[:, 1:][bears]


def _strands(lessons: list[Lesson], positions: np.ndarray) -> tuple[np.ndarray, list[Strand]]:
    """The order of the lessons, and its two strands for the batch plan: common and rare ones, by positions (N,)."""
    rare = np.array([lesson.rare for lesson in lessons])
    order = np.lexsort((positions, rare))
    common = int((~rare).sum())
    lengths = positions[order]
    return order, [Strand(lengths[:common]), Strand(lengths[common:], common, RARE)]


def _positions(lessons: list[Lesson], prompt: int, slots: float) -> np.ndarray:
    """About how many positions each lesson takes: `prompt` ones, `slots` a phone, text and its end."""
    return np.array([prompt + round(mean_frames(len(one.phones), slots)) + 2 + len(one.tokens) for one in lessons])
