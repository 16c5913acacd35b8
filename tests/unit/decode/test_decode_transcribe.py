"""Transcribing files with a finished run, wherever it lies; long, short and wrong files."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from tiny import TinyRun, buzz

from earmark.audio.level import amplified, loudness
from earmark.data.dataset import Dataset
from earmark.decode.recognize import Recognizer
from earmark.decode.transcribe import Run, Transcription, language_of, quiet_cuts, transcribe
from earmark.errors import AudioError, CheckpointError, ConfigError
from earmark.io import read_json, write_json
from earmark.text.inventory import Inventory

RATE = 16_000


def recordings(run: TinyRun) -> list[Path]:
    """Test recordings of the run, in Mandarin and English."""
    return sorted(run.folder.glob("corpora/spoken/audio/test_*/*.flac"))


def heard(run: Run, *files: Path) -> list[Transcription]:
    found = list(transcribe(run, list(files)))
    for one in found:
        assert isinstance(one, Transcription), one
    return found  # type: ignore[return-value]


def test_features_are_those_of_training_on_one_machine(tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_run.root)
    dataset = Dataset(tiny_run.paths.dataset, Inventory.load())
    row = int(dataset.split("test_zh")[0])
    batch = dataset.batch(np.array([row]))
    path = tiny_run.folder / f"corpora/spoken/audio/test_zh/{batch.ids[0].removeprefix('spoken-')}.flac"
    samples, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_array_equal(Run(tiny_run.folder).features(samples), batch.features[0].numpy())


def test_text_is_the_recogniser_s(tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_run.root)
    joint = tiny_run.paths.step("joint", 4) / "done.json"
    recognizer = Recognizer.load(tiny_run.config, joint, tiny_run.paths.llm / "done.json")
    run = Run(tiny_run.folder)
    files = recordings(tiny_run)
    assert len(files) == 4
    for path, one in zip(files, heard(run, *files), strict=True):
        samples, _ = soundfile.read(path, dtype="float32")
        features = torch.from_numpy(run.features(samples))[None]
        lengths = torch.tensor([features.shape[1]])
        expected = recognizer.transcribe(features, lengths, ["zh-en"], 2)[0].raw
        assert (one.file, one.raw) == (str(path), expected.strip())
        assert one.seconds == pytest.approx(len(samples) / RATE, abs=1e-3)


def test_the_command_says_the_text_and_nothing_else(tiny_run: TinyRun) -> None:
    """In a process of its own, since libraries read at their import whether they may draw bars."""
    command = [sys.executable, "-m", "earmark.cli", "transcribe", "--run-folder", str(tiny_run.folder)]
    done = subprocess.run(
        [*command, str(recordings(tiny_run)[0])], cwd=tiny_run.root, capture_output=True, text=True, check=True
    )
    [expected] = heard(Run(tiny_run.folder), recordings(tiny_run)[0])
    assert (done.stdout, done.stderr) == (f"{expected.text}\n", "")


def test_json_has_times_and_the_real_time_factor(tiny_run: TinyRun) -> None:
    first, second = heard(Run(tiny_run.folder), *recordings(tiny_run)[:2])
    values = first.as_json()
    assert list(values) == ["file", "text", "raw", "seconds", "gain_db", "times", "real_time_factor"]
    assert values["times"]["load"] > 0 and values["times"]["decode"] > 0
    spent = values["times"]["features"] + values["times"]["decode"]
    assert values["real_time_factor"] == pytest.approx(spent / values["seconds"], abs=1e-4)
    assert second.times["load"] == first.times["load"]  # once for all files


def test_moved_run_needs_nothing_of_its_old_place(tiny_copy: TinyRun, tmp_path: Path) -> None:
    (path,) = recordings(tiny_copy)[:1]
    recording = tmp_path / path.name
    path.rename(recording)
    (before,) = heard(Run(tiny_copy.folder), recording)
    moved = tmp_path / "moved"
    tiny_copy.folder.rename(moved)
    (after,) = heard(Run(moved), recording)
    assert (after.text, after.raw) == (before.text, before.raw)


def test_configuration_stands_in_for_settings_that_lack(tiny_copy: TinyRun) -> None:
    (tiny_copy.folder / "settings.json").unlink()
    with pytest.raises(CheckpointError, match=r"settings\.json does not exist.*--config"):
        Run(tiny_copy.folder)
    assert Run(tiny_copy.folder, Path("tiny.yaml")).config == tiny_copy.config


def test_initial_weights_of_the_encoder_may_be_gone(tiny_copy: TinyRun) -> None:
    run = Run(tiny_copy.folder)
    encoder = run.config.encoder.model_copy(update={"weights": Path("gone.safetensors")})
    run.config = run.config.model_copy(update={"encoder": encoder})
    run.recognizer()


def test_run_that_is_not_finished_is_refused(tiny_copy: TinyRun) -> None:
    (tiny_copy.paths.step("joint", 4) / "done.json").unlink()
    with pytest.raises(CheckpointError, match=r"is not finished \(.*joint/step_0000004/done\.json"):
        Run(tiny_copy.folder)
    with pytest.raises(CheckpointError, match="does not exist: name the folder of a finished run"):
        Run(tiny_copy.folder / "nowhere")


def test_damaged_settings_and_weights_are_named(tiny_copy: TinyRun) -> None:
    weights = tiny_copy.paths.step("joint", 4) / "adaptor.safetensors"
    weights.write_bytes(weights.read_bytes()[:-40])
    with pytest.raises(CheckpointError, match=r"adaptor\.safetensors is cut short"):
        list(transcribe(Run(tiny_copy.folder), recordings(tiny_copy)))
    (tiny_copy.folder / "settings.json").write_text('{"run": "tiny", "sed": 1}')
    with pytest.raises(ConfigError, match=r"settings\.json: .*sed.*unknown key"):
        Run(tiny_copy.folder)


def test_wrong_files_do_not_stop_the_others(tiny_run: TinyRun, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_bytes(b"this is not audio" * 20)
    soundfile.write(tmp_path / "short.wav", buzz(0.1), RATE)
    soundfile.write(tmp_path / "none.wav", np.zeros(0, dtype=np.float32), RATE)
    (good,) = recordings(tiny_run)[:1]
    wrong = ["text.wav", "gone.wav", "short.wav", "none.wav", "."]
    found = list(transcribe(Run(tiny_run.folder), [*(tmp_path / name for name in wrong), good]))
    said = [
        "not audio that can be decoded",
        "does not exist: correct the path",
        "0.10 s of audio.*0.2 s",
        "has no samples: replace it",
        "is a folder, not a file: name its files",
    ]
    for name, error, part in zip(wrong, found, said, strict=False):
        with pytest.raises(AudioError, match=part) as caught:
            raise error  # type: ignore[misc]
        assert str(tmp_path / name) in str(caught.value)
    assert isinstance(found[-1], Transcription)


def test_wrong_file_loads_no_model(tiny_run: TinyRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Run, "recognizer", lambda self: pytest.fail("the model was loaded"))
    (error,) = transcribe(Run(tiny_run.folder), [tmp_path / "gone.wav"])
    assert isinstance(error, AudioError)


@pytest.mark.parametrize("gain", [-32.0, -24.0])
def test_quiet_recordings_come_at_the_level_of_training(tiny_run: TinyRun, tmp_path: Path, gain: float) -> None:
    run, seen = Run(tiny_run.folder), []
    features = run.features

    def kept(samples: np.ndarray) -> np.ndarray:
        seen.append(features(samples))
        return seen[-1]

    run.features = kept  # type: ignore[method-assign]
    for number, path in enumerate(recordings(tiny_run)):
        samples, _ = soundfile.read(path, dtype="float32")
        other = tmp_path / f"{number}.wav"
        soundfile.write(other, amplified(samples, gain), RATE, subtype="FLOAT")
        one, same = heard(run, path, other)
        assert one.gain_db == 0  # as loud as training
        assert run.normalisation.level is not None
        level = loudness(run.normalisation.out_of(torch.from_numpy(seen[-1])))
        assert level == pytest.approx(run.normalisation.level.mean, abs=0.1)
        assert same.gain_db == pytest.approx(-gain, abs=12)


def test_a_run_of_before_levels_were_taken_still_transcribes(tiny_copy: TinyRun, tmp_path: Path) -> None:
    described = read_json(tiny_copy.paths.dataset)
    del described["level"]
    write_json(tiny_copy.paths.dataset, described)
    soundfile.write(tmp_path / "quiet.wav", 0.01 * buzz(1.0), RATE)
    (one,) = heard(Run(tiny_copy.folder), tmp_path / "quiet.wav")
    assert one.gain_db == 0


def test_silence_is_trimmed_only_where_every_corpus_was(tiny_run: TinyRun, tmp_path: Path) -> None:
    quiet = np.zeros(RATE, dtype=np.float32)
    path = tmp_path / "padded.wav"
    soundfile.write(path, np.concatenate([quiet, buzz(1.0), quiet]), RATE)
    run = Run(tiny_run.folder)
    lengths: list[int] = []
    features = run.features

    def counted(samples: np.ndarray) -> np.ndarray:
        lengths.append(len(samples))
        return features(samples)

    run.features = counted  # type: ignore[method-assign]
    (one,) = heard(run, path)
    run.trim = True
    (trimmed,) = heard(run, path)
    assert lengths[0] == 3 * RATE
    assert lengths[1] == pytest.approx(RATE + 2 * 0.08 * RATE, abs=800)
    assert one.seconds == trimmed.seconds == 3.0  # of the file, trimmed or not


def test_long_file_is_cut_and_joined(tiny_run: TinyRun, tmp_path: Path) -> None:
    files = recordings(tiny_run)[:3]
    parts = [soundfile.read(path, dtype="float32")[0] for path in files]
    pause = np.zeros(RATE, dtype=np.float32)
    path = tmp_path / "long.wav"
    soundfile.write(path, np.concatenate([parts[0], pause, parts[1], pause, parts[2]]), RATE)
    run = Run(tiny_run.folder)
    longest = max(len(part) for part in parts) / RATE + 1.1
    run.config = run.config.model_copy(update={"shards": run.config.shards.model_copy(update={"max_seconds": longest})})
    counts: list[int] = []
    recognize = Recognizer.transcribe

    def counted(self: Recognizer, features: torch.Tensor, lengths: torch.Tensor, *rest: object) -> object:
        counts.extend(lengths.tolist())
        return recognize(self, features, lengths, *rest)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recognizer, "transcribe", counted)
        (one,) = heard(run, path)
    assert len(counts) >= 3
    assert max(counts) <= longest * 100
    assert sum(counts) == pytest.approx(one.seconds * 100, abs=3 * len(counts))


def test_cuts_lie_in_pauses() -> None:
    pause = np.zeros(8_000, dtype=np.float32)
    samples = np.concatenate([buzz(2.0), pause, buzz(1.6), pause, buzz(1.5)])
    first, second = quiet_cuts(samples, 3 * RATE)
    assert 2.0 <= first / RATE <= 2.5
    assert 4.1 <= second / RATE <= 4.6


@pytest.mark.parametrize("seconds", [3.0, 3.01, 3.9, 6.0, 6.02, 20.0])
def test_no_piece_is_too_long_or_tiny(seconds: float) -> None:
    samples = np.random.default_rng(1).normal(size=round(seconds * RATE)).astype(np.float32)
    bounds = [0, *quiet_cuts(samples, 3 * RATE), len(samples)]
    sizes = np.diff(bounds)
    assert sizes.max() <= 3 * RATE
    assert sizes.min() >= 0.75 * RATE
    assert (len(sizes) == 1) == (seconds <= 3)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("打开空调", "zh"),
        ("Play some music", "en"),
        ("打开 the window", "zh-en"),
        ("", "zh-en"),
        ("123", "zh-en"),
    ],
)
def test_language_is_seen_by_the_script(text: str, language: str) -> None:
    assert language_of(text) == language
