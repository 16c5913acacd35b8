"""Synthetic speech: sentences of a small grammar (or of lists) spoken by espeak-ng with many voices.

Deterministic from the settings alone. Whole voices (espeak's variants) and whole sentences are held out of training.
espeak-ng comes as a library in the PyPI package espeakng-loader; one global engine a process, so work is spread over
processes that are spawned.
"""

import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml

from earmark.audio.read import SAMPLE_RATE, resample
from earmark.config.corpora import Synthesised, SyntheticCorpus
from earmark.corpora.base import Row, row
from earmark.errors import CorpusError
from earmark.io import digest, replacing

UNUSABLE = ("whisper", "robosoft", "croak", "klatt", "demonic", "anikarobot", "ufo", "shelby", "antonio")
"""Beginnings of names of variants that are hard to follow for people, too."""
ACCENTS = {"zh": ("cmn",), "en": ("en-us", "en-us-nyc", "en-gb-x-rp", "en-gb-scotland")}
RATES = {"zh": (135, 190), "en": (100, 145)}
"""Words a minute: two frames of 40 ms a phone are needed by CTC."""
HELD_OUT_PERCENT = 15
"""Share of sentences and of voices that training never meets."""
WORKERS = 2
PART = 50
"""Utterances that one engine speaks, one after the other."""


class Voice(NamedTuple):
    """How espeak-ng speaks: `rate` in words a minute, `pitch` and its `spread` 0-99, `accent` of English runs."""

    variant: str
    accent: str
    rate: int
    pitch: int
    spread: int


class Spoken(NamedTuple):
    """What to say, and how: runs of a script are spoken one after the other by the same voice."""

    key: str
    split: str
    language: Synthesised
    text: str
    voice: Voice


def sources(corpus: SyntheticCorpus) -> Iterator[Path]:
    """The lists of sentences; without them, the settings say all."""
    yield from (corpus.sentences or {}).values()


def read(corpus: SyntheticCorpus, folder: Path) -> Iterator[Row]:
    """Speak every utterance into `folder`/audio (FLAC, 16 kHz) and yield its row."""
    plan = utterances(corpus)
    durations = _speak_all(plan, folder / "audio")
    for spoken, duration in zip(plan, durations, strict=True):
        yield row(
            corpus,
            spoken.key,
            split=spoken.split,
            language=spoken.language,
            speaker=f"espeak-{spoken.voice.variant}",
            audio=str(_audio_path(folder / "audio", spoken)),
            duration=duration,
            raw_text=spoken.text,
        )


def utterances(corpus: SyntheticCorpus) -> list[Spoken]:
    """The corpus as a list: a pure function of its settings."""
    voices = variants()
    plan = []
    for split, wanted in (("train", corpus.train), ("valid", corpus.valid), ("test", corpus.test)):
        held_out = split != "train"
        chosen_voices = [voice for voice in voices if _is_held_out("voice", voice) == held_out]
        for language, count in wanted.items():
            rng = random.Random(digest(corpus.seed, split, language))
            pool = _sentences(corpus, language, held_out, rng)
            name = f"test_{language.replace('-', '_')}" if split == "test" else split
            for number, text in enumerate(itertools.islice(_cycle(pool, split, rng), count)):
                voice = draw_voice(rng, language, chosen_voices)
                plan.append(Spoken(f"{name}-{language}-{number:05d}", name, language, text, voice))
    return plan


def variants() -> list[str]:
    """Names of espeak-ng's usable voice variants, sorted."""
    import espeakng_loader

    folder = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    names = sorted(path.name for path in folder.iterdir())
    return [name for name in names if not name.lower().startswith(UNUSABLE)]


def draw_voice(rng: random.Random, language: str, variants: list[str]) -> Voice:
    """One of the variants, with a rate that suits the language."""
    low, high = RATES["en" if language == "en" else "zh"]
    return Voice(
        variant=rng.choice(variants),
        accent=rng.choice(ACCENTS["en"]),
        rate=rng.randint(low, high),
        pitch=rng.randint(35, 65),
        spread=rng.randint(30, 70),
    )


def _cycle(pool: list[str], split: str, rng: random.Random) -> Iterator[str]:
    """Sentences in random order; training may repeat them (in other voices), test sets may not."""
    while True:
        rng.shuffle(pool)
        yield from pool
        if split.startswith(("test", "valid")):
            raise CorpusError(
                f"synthetic corpus: only {len(pool)} sentences are held out, fewer than the {split} set asks for: "
                "ask for fewer, or give more sentences"
            )


def _sentences(corpus: SyntheticCorpus, language: Synthesised, held_out: bool, rng: random.Random) -> list[str]:
    """Distinct sentences of a language on one side of the split, up to 4,000 of the grammar's."""
    listed = (corpus.sentences or {}).get(language)
    if listed is not None:
        try:
            lines = Path(listed).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise CorpusError(f"sentences of {language}: {listed} cannot be read ({error}): correct the path") from None
        every = dict.fromkeys(line.strip() for line in lines if line.strip())
    else:
        grammar = _grammar()[language]
        every = dict.fromkeys(_expand(grammar, rng) for _ in range(12_000))
    kept = [text for text in every if _is_held_out("sentence", text) == held_out][:4_000]
    if not kept:
        raise CorpusError(f"sentences of {language}: none on one side of the split: give more sentences")
    return kept


def _grammar() -> dict[str, dict]:
    return yaml.safe_load((Path(__file__).parent / "grammar.yaml").read_text(encoding="utf-8"))


def _expand(grammar: dict, rng: random.Random) -> str:
    """One sentence: a pattern, its slots filled from left to right."""
    head, *rest = rng.choice(grammar["patterns"]).split("{")
    parts = [head]
    for piece in rest:
        slot, _, tail = piece.partition("}")
        parts += [rng.choice(grammar["slots"][slot]), tail]
    return "".join(parts)


def _is_held_out(kind: str, name: str) -> bool:
    return int(digest(kind, name), 16) % 100 < HELD_OUT_PERCENT


def _audio_path(folder: Path, spoken: Spoken) -> Path:
    return folder / spoken.split / f"{spoken.key}.flac"


def _speak_all(plan: list[Spoken], folder: Path) -> list[float]:
    """Seconds of each utterance; two spawned processes, each with its own engine."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    from tqdm import tqdm

    parts = [plan[start : start + PART] for start in range(0, len(plan), PART)]
    with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        done = pool.map(_speak_part, parts, itertools.repeat(folder))
        seconds = itertools.chain.from_iterable(done)
        return list(tqdm(seconds, total=len(plan), desc="speaking", mininterval=2))


def _speak_part(part: list[Spoken], folder: Path) -> list[float]:
    """Seconds of the utterances of one part, the same samples whichever process speaks it."""
    from earmark.corpora.small.espeak import restart

    restart()
    return [_speak(spoken, folder) for spoken in part]


def _speak(spoken: Spoken, folder: Path) -> float:
    import soundfile

    samples = speak(spoken.text, spoken.voice)
    with replacing(_audio_path(folder, spoken)) as temporary:
        soundfile.write(temporary, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return len(samples) / SAMPLE_RATE


def speak(text: str, voice: Voice) -> np.ndarray:
    """Samples (N,) float32 at 16 kHz; Mandarin runs by cmn, others by the voice's accent of English."""
    from earmark.corpora.small.espeak import say
    from earmark.text.normalise import script_runs

    parts = []
    for language, run in script_runs(text):
        name = f"{voice.accent if language == 'en' else 'cmn'}+{voice.variant}"
        rate = voice.rate if language == "zh" else min(voice.rate, RATES["en"][1])
        samples, rate_hz = say(run, name, rate, voice.pitch, voice.spread)
        parts.append(_tight(resample(samples.astype(np.float32) / 32768, rate_hz)))
    return np.concatenate(parts)


def _tight(samples: np.ndarray, floor: float = 1e-3, margin: float = 0.06) -> np.ndarray:
    """Without espeak's silence at both ends, but for a margin (seconds)."""
    loud = np.flatnonzero(np.abs(samples) > floor)
    if not len(loud):
        return samples
    keep = int(margin * SAMPLE_RATE)
    return samples[max(loud[0] - keep, 0) : loud[-1] + keep]
