"""Audio files to text with a finished run.

1. settings.json of the run (or a configuration), shards/dataset.json for mean and deviation
2. audio as in training: decoded, trimmed where every corpus was, brought to training's level where it is far from it,
   log-mel, normalised
3. files longer than training's limit are cut where they are quietest
4. the model of post-training's end, beam search as the run's settings have it
5. pieces joined, text normalised
"""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from earmark.audio.fbank import fbank
from earmark.audio.level import amplified, gain_towards
from earmark.audio.read import SAMPLE_RATE, read_audio
from earmark.audio.trim import quiet_cuts, speech_bounds
from earmark.config import Config, load, parse, plan
from earmark.config.variants import SETTINGS
from earmark.data.build import N_MELS
from earmark.data.dataset import Normalisation
from earmark.decode.recognize import PhoneRecognizer, Recognizer, clean
from earmark.errors import AudioError, CheckpointError
from earmark.io import read_json
from earmark.models.build import build_ctc_head, build_encoder, compose, load_weights
from earmark.models.done import read_done
from earmark.models.llm import check_vocabulary
from earmark.paths import RunPaths
from earmark.text.inventory import Inventory
from earmark.text.normalise import script_runs


class Transcription(NamedTuple):
    """What was heard in a file."""

    file: str
    text: str
    """Normalised, "" when nothing was heard."""
    raw: str
    """As the model wrote it."""
    seconds: float
    """Length of the audio."""
    gain_db: float
    """What brought it to the level of training; 0: it is about as loud."""
    times: dict[str, float]
    """Seconds that loading the model (once for all files), features and decoding took."""

    def as_json(self) -> dict[str, Any]:
        """Plain values; the real-time factor counts features and decoding, not loading."""
        spent = self.times["features"] + self.times["decode"]
        return self._asdict() | {"real_time_factor": round(spent / self.seconds, 4)}


class Run:
    """A finished run, wherever its folder lies now.

    :param folder: the run's folder. :param config: its configuration file; None: settings.json in the folder.
    :raises UserError: the run is not finished, or a file of it is damaged.
    """

    def __init__(self, folder: Path, config: Path | None = None):
        self.folder = folder
        self.config = load(config) if config else _settings(folder)
        paths = self.config.paths_in(folder)
        done = last_segment(self.config, paths)
        if not done.is_file():
            raise CheckpointError(f"{folder} is not finished ({done} does not exist): finish the run first")
        self.done, self.described = done, read_done(done)
        self.weights = {name: self._moved(path) for name, path in self.described["weights"].items()}
        self.normalisation = Normalisation(read_json(paths.dataset))
        self.trim = all(corpus.trim_silence for corpus in self.config.corpora)

    def _moved(self, recorded: str) -> Path:
        """Paths are recorded as the run saw them; those inside it hold wherever it lies."""
        then, now = self.config.paths, self.config.paths_in(self.folder)
        for old, new in ((then.folder, now.folder), (then.pretraining, now.pretraining)):
            if Path(recorded).is_relative_to(old):
                return new / Path(recorded).relative_to(old)
        return Path(recorded)

    def recognizer(self) -> Recognizer:
        """The model of the last stage."""
        llm = self.config.llm if isinstance(self.config.llm, Path) else self.config.paths_in(self.folder).llm
        model, tokenizer = compose(_without_initial_weights(self.config), llm)
        check_vocabulary(self.done, self.described, tokenizer)
        for name, module in (("encoder", model.encoder), ("adaptor", model.adaptor), ("llm", model.llm)):
            load_weights(module, self.weights[name])
        return Recognizer(model, tokenizer, self.config)

    def phone_recognizer(self) -> PhoneRecognizer | None:
        """Encoder and CTC head of pretraining's end; None where pretraining had no CTC head.

        :raises CheckpointError: they are absent, damaged, or of another inventory.
        """
        paths = self.config.paths_in(self.folder)
        done = paths.step("pretrain", self.config.stage_steps("pretrain")) / "done.json"
        described = read_done(done)
        if "ctc_head" not in described["weights"]:
            return None
        inventory = Inventory.from_settings(self.config.text)
        if described["inventory"] != inventory.hash:
            raise CheckpointError(
                f"{done} was trained with inventory {described['inventory']}, this one is {inventory.hash}: "
                "restore the file of phones that the run had"
            )
        encoder = build_encoder(_without_initial_weights(self.config))
        head = build_ctc_head(self.config, len(inventory))
        for name, module in (("encoder", encoder), ("ctc_head", head)):
            load_weights(module, self._moved(described["weights"][name]))
        return PhoneRecognizer(encoder, head, inventory)

    def gain(self, samples: np.ndarray) -> float:
        """Gain in dB that (N,) samples want before `features`: 0 where they are about as loud as training's."""
        return gain_towards(self.normalisation.level, fbank(samples, N_MELS))

    def features(self, samples: np.ndarray) -> np.ndarray:
        """Normalised features (T, n_mels) float32 of (N,) samples, rounded to float16 as in shards."""
        features = fbank(samples, N_MELS).astype(np.float16)
        return self.normalisation.into(torch.empty(features.shape), features).numpy()


def last_segment(config: Config, paths: RunPaths) -> Path:
    """done.json of the last segment of post-training: its model is the run's.

    :raises UserError: which stage is the last depends on the decisions of the watch, and they are missing.
    """
    variant = config.post_training
    decided = "joint" not in variant.stages or variant.updates == "equal"
    last = plan(config, read_json(paths.trace)[-1]["triggers"] if decided else [])[-1]
    return paths.step(last.instance, last.steps) / "done.json"


def _settings(folder: Path) -> Config:
    if not folder.is_dir():
        raise CheckpointError(f"{folder} does not exist: name the folder of a finished run such as results/default")
    path = folder / SETTINGS
    if not path.is_file():
        raise CheckpointError(f"{folder} is not finished ({path} does not exist): finish the run, or give --config")
    return parse(read_json(path), str(path))


def _without_initial_weights(config: Config) -> Config:
    """Initial encoder weights may be gone, and would be overwritten."""
    return config.model_copy(update={"encoder": config.encoder.model_copy(update={"weights": None})})


def transcribe(run: Run, files: list[Path]) -> Iterator[Transcription | AudioError]:
    """What each file says, in order, or why it says nothing. The model loads at the first good file."""
    recognizer, loading = None, 0.0
    for path in files:
        try:
            started = time.perf_counter()
            samples = read_audio(path)
            cut, gain = _pieces(path, samples, run)
            pieces = [run.features(piece) for piece in cut]
            computing = time.perf_counter() - started
        except AudioError as error:
            yield error
            continue
        if recognizer is None:
            started = time.perf_counter()
            recognizer = run.recognizer()
            loading = time.perf_counter() - started
        started = time.perf_counter()
        raw = " ".join(text for text in _recognize(recognizer, pieces) if text)
        text = clean(raw, language_of(raw))
        decoding = time.perf_counter() - started
        times = {"load": round(loading, 4), "features": round(computing, 4), "decode": round(decoding, 4)}
        yield Transcription(str(path), text, raw, round(len(samples) / SAMPLE_RATE, 3), round(gain, 1), times)


def _pieces(path: Path, samples: np.ndarray, run: Run) -> tuple[list[np.ndarray], float]:
    """Speech of a file in pieces that are as long as utterances of training at most, and the gain that they got."""
    limits = run.config.shards
    if run.trim:
        start, end = speech_bounds(samples, SAMPLE_RATE)
        samples = samples[start:end]
    if len(samples) < limits.min_seconds * SAMPLE_RATE:
        raise AudioError(
            f"{path} holds {len(samples) / SAMPLE_RATE:.2f} s of audio, the run's shortest utterance is "
            f"{limits.min_seconds:g} s (shards.min_seconds): give a longer recording"
        )
    gain = run.gain(samples)
    samples = amplified(samples, gain)
    bounds = [0, *quiet_cuts(samples, int(limits.max_seconds * SAMPLE_RATE)), len(samples)]
    return [samples[start:end] for start, end in itertools.pairwise(bounds)], gain


def _recognize(recognizer: Recognizer, pieces: list[np.ndarray]) -> list[str]:
    """Raw text of each piece, decoded in batches."""
    settings = recognizer.config.decoding
    texts: list[str] = []
    for first in range(0, len(pieces), settings.batch):
        batch = [torch.from_numpy(piece) for piece in pieces[first : first + settings.batch]]
        features = torch.nn.utils.rnn.pad_sequence(batch, batch_first=True)
        lengths = torch.tensor([len(piece) for piece in batch])
        found = recognizer.transcribe(features, lengths, ["zh-en"] * len(batch), settings.beams)
        texts += [one.raw.strip() for one in found]
    return texts


def language_of(text: str) -> str:
    """zh, en or zh-en by the scripts of a text."""
    scripts = {script for script, _ in script_runs(text.lower())} & {"zh", "en"}
    return "zh-en" if len(scripts) != 1 else scripts.pop()
