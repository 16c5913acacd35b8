"""Exported folders: loaded by a fresh Python without this package, they say what the run says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qwen3_like
import soundfile
import tiny
import torch
from tiny import TinyRun, buzz

from earmark.audio.level import amplified
from earmark.decode.recognize import Recognizer
from earmark.decode.transcribe import Run, Transcription, transcribe
from earmark.errors import CheckpointError, UserError
from earmark.export.card import _interval
from earmark.export.folder import CTC, Exported, export
from earmark.export.hub.feature_extraction_earmark import EarmarkFeatureExtractor
from earmark.io import read_json, write_json, write_tensors
from earmark.models.llm import load_llm, prompt_ids, vocabulary_hash

RATE = 16_000
# Another Python, in which this package cannot be imported, nor what fbank would rather have.
ALONE = """
import sys
from transformers import AutoModelForCTC, AutoModelForSpeechSeq2Seq, AutoProcessor
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "earmark":
            raise ImportError(name)
sys.meta_path.insert(0, Blocked())
sys.modules["scipy.fft"] = None
"""
COMPARED = """
import json
recordings = [soundfile.read(path, dtype="float32")[0] for path in FILES]
model = AutoModelForSpeechSeq2Seq.from_pretrained("DIR", trust_remote_code=True)
full = AutoProcessor.from_pretrained("DIR", trust_remote_code=True)
found = {}
for beams in (1, 3):
    alone = [full.batch_decode(model.generate(**full(one), num_beams=beams))[0].strip() for one in recordings]
    batch = [text.strip() for text in full.batch_decode(model.generate(**full(recordings), num_beams=beams))]
    found[f"beams {beams}"] = [alone, batch]
ctc = AutoModelForCTC.from_pretrained("DIR/ctc", trust_remote_code=True)
phones = AutoProcessor.from_pretrained("DIR/ctc", trust_remote_code=True)
found["phones"] = [
    [phones.batch_decode(ctc.generate(**phones(one)))[0] for one in recordings],
    phones.batch_decode(ctc.generate(**phones(recordings))),
]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def lively(tiny_run: TinyRun, tmp_path_factory: pytest.TempPathFactory) -> TinyRun:
    """The tiny run with large random weights: what it says depends on what it hears."""
    run = tiny_run.copy(tmp_path_factory.mktemp("lively") / "run")
    _randomise(Run(run.folder))
    return run


def _randomise(run: Run) -> None:
    recognizer, phones = run.recognizer(), run.phone_recognizer()
    assert phones is not None
    torch.manual_seed(7)
    described = read_json(run.folder / "pretrain" / "step_0000006" / "done.json")["weights"]
    model = recognizer.model
    modules = [
        (model.encoder, run.weights["encoder"]),
        (model.adaptor, run.weights["adaptor"]),
        (model.llm, run.weights["llm"]),
        (phones.encoder, run._moved(described["encoder"])),
        (phones.head, run._moved(described["ctc_head"])),
    ]
    for module, path in modules:
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
        tied = getattr(getattr(module, "config", None), "tie_word_embeddings", False)
        write_tensors(path, {k: v for k, v in module.state_dict().items() if not (tied and k == "lm_head.weight")}, {})


@pytest.fixture(scope="module")
def exported(lively: TinyRun, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Exported]:
    """Its exported folder."""
    folder = tmp_path_factory.mktemp("exported") / "folder"
    return folder, export(Run(lively.folder), folder)


@pytest.fixture
def files(lively: TinyRun) -> list[Path]:
    """Recordings that it transcribes."""
    return sorted(lively.folder.glob("corpora/spoken/audio/test_*/*.flac"))


def said(run: Run, files: list[Path], beams: int | None = None) -> list[str]:
    """Raw transcripts of `earmark transcribe`."""
    if beams:
        run.config = run.config.model_copy(update={"decoding": run.config.decoding.model_copy(update={"beams": beams})})
    found = list(transcribe(run, files))
    assert all(isinstance(one, Transcription) for one in found)
    return [one.raw for one in found if isinstance(one, Transcription)]


def alone(folder: Path, program: str, cache: Path) -> str:
    """What a program prints in a Python without this package."""
    ran = subprocess.run(
        [sys.executable, "-I", "-c", ALONE + program.replace("DIR", str(folder))],
        check=False,
        capture_output=True,
        text=True,
        cwd=cache,
        env={"PATH": os.environ["PATH"], "HF_HOME": str(cache), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )
    assert ran.returncode == 0, ran.stderr
    # DeepSpeed, which transformers loads where it is installed, logs to standard output.
    return "\n".join(line for line in ran.stdout.splitlines() if not line.startswith("[20"))


def names(folder: Path) -> set[str]:
    """What lies in a folder."""
    return {path.name for path in folder.iterdir()}


def blocks(path: Path) -> list[str]:
    """Python of a page."""
    return re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def test_a_fresh_python_says_what_the_run_says(
    lively: TinyRun, exported: tuple[Path, Exported], files: list[Path], tmp_path: Path, repository: Path
) -> None:
    folder, _ = exported
    use, long, ctc, onnx = blocks(repository / "docs/export.md")
    assert blocks(folder / "README.md") == [use, long]
    assert blocks(folder / CTC / "README.md") == [ctc, onnx]
    samples, rate = soundfile.read(files[0], dtype="float32")
    soundfile.write(tmp_path / "some.wav", samples, rate, subtype="FLOAT")
    program = use + long + ctc + onnx + COMPARED.replace("FILES", repr([str(path) for path in files]))
    *lines, compared = alone(folder, program, tmp_path).splitlines()
    assert [line.strip() for line in lines[:2]] == said(Run(lively.folder), files[:1]) * 2
    found = json.loads(compared)
    for beams in (1, 3):
        expected = said(Run(lively.folder), files, beams)
        assert len(set(expected)) > 2  # of four recordings: what is said depends on what is heard
        assert found[f"beams {beams}"] == [expected, expected]
    assert found["phones"][0] == found["phones"][1] == phones_of(Run(lively.folder), files)
    assert lines[2] == lines[3] == found["phones"][0][0] != ""


def phones_of(run: Run, files: list[Path]) -> list[str]:
    """Phones of the run's own CTC head."""
    recognizer = run.phone_recognizer()
    assert recognizer is not None
    features = [torch.from_numpy(run.features(soundfile.read(path, dtype="float32")[0]))[None] for path in files]
    return [" ".join(recognizer.transcribe(one, torch.tensor([one.shape[1]]))[0]) for one in features]


def test_what_is_written_is_said(exported: tuple[Path, Exported], lively: TinyRun) -> None:
    folder, done = exported
    assert done.difference is not None and done.difference < 1e-3
    assert {"config.json", "model.safetensors", "modeling_earmark.py", "tokenizer.json"} <= names(folder)
    assert {"model.onnx", "phones.txt", "model.safetensors"} <= names(folder / CTC)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "stand-in" in card and "not evaluated" in card
    for path in folder.rglob("*"):
        if path.is_file():
            assert str(lively.root).encode() not in path.read_bytes(), path
            assert b"site-packages" not in path.read_bytes(), path


def test_figures_of_the_summary_stand_in_the_card(lively: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    from earmark.export import card

    summary = {"cer": 0.0213, "intervals": {"cer": [0.009, 0.035]}, "swap_steps": [4], "versions": {"torch": "2"}}
    monkeypatch.setattr(card, "_summary", lambda run: summary)
    run = Run(lively.folder)
    evaluation = run.config.evaluation.model_copy(update={"summary": {"cer": "cer of test_zh", "gone": "wer of x"}})
    run.config = run.config.model_copy(update={"evaluation": evaluation})
    text = card.speech_llm_card(run, {}, [])
    assert "| cer | cer of test_zh | 2.1 % | 0.9–3.5 |" in text
    assert "pretraining steps 4." in text and "gone" not in text


def test_a_mean_over_test_sets_has_no_interval() -> None:
    summary = {"intervals": {"cer_zh": [0.1, 0.2]}}
    assert _interval(summary, "cer_zh") == "10.0–20.0"
    assert _interval(summary, "average") == ""


def test_processor_gives_prompt_and_features_of_the_run_on_one_machine(
    lively: TinyRun, exported: tuple[Path, Exported]
) -> None:
    from transformers import AutoTokenizer

    from earmark.export.hub.processing_earmark import EarmarkProcessor

    folder, _ = exported
    run = Run(lively.folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    extractor = EarmarkFeatureExtractor.from_pretrained(folder)
    processor = EarmarkProcessor(extractor, tokenizer, run.config.prompt, "<speech>", run.config.adaptor.downsample)
    inputs = processor([buzz(1.0), buzz(0.3)])
    before, after = prompt_ids(tokenizer, run.config.prompt)
    speech = tokenizer.convert_tokens_to_ids("<speech>")
    # 98 and 28 frames of 10 ms: 25 and 7 of 40 ms, 6 and 1 of 160 ms.
    rows = [[*before, *[speech] * count, *after] for count in (6, 1)]
    assert inputs["input_ids"][0].tolist() == rows[0]
    assert inputs["input_ids"][1].tolist() == [tokenizer.pad_token_id] * 5 + rows[1]
    assert inputs["attention_mask"].sum(1).tolist() == [len(row) for row in rows]
    assert inputs["input_features_mask"].sum(1).tolist() == [98, 28]
    same = run.features(amplified(buzz(0.3), run.gain(buzz(0.3))))
    np.testing.assert_array_equal(inputs["input_features"][1, :28].numpy(), same)


@pytest.mark.parametrize("gain", [0.0, -30.0, 30.0])
def test_trimming_level_and_cutting_are_those_of_transcribe_on_one_machine(
    lively: TinyRun, exported: tuple[Path, Exported], gain: float
) -> None:
    run = Run(lively.folder)
    quiet = np.zeros(RATE, dtype=np.float32)
    samples = np.concatenate([quiet, buzz(2.0), quiet / 2, buzz(1.6), quiet, buzz(1.5), quiet])
    samples = amplified(samples, gain)
    run.trim = True
    shards = run.config.shards.model_copy(update={"max_seconds": 3.0})
    run.config = run.config.model_copy(update={"shards": shards})
    from earmark.decode.transcribe import _pieces

    pieces, brought = _pieces(Path("long.wav"), samples, run)
    assert abs(brought) > 6 or gain == 0
    expected = [run.features(piece) for piece in pieces]
    extractor = EarmarkFeatureExtractor.from_pretrained(exported[0], trim_silence=True, max_seconds=3.0)
    inputs = extractor(extractor.pieces(samples), trim=False)
    assert inputs["input_features_mask"].sum(1).tolist() == [len(one) for one in expected]
    for row, one in zip(inputs["input_features"], expected, strict=True):
        np.testing.assert_array_equal(row[: len(one)].numpy(), one)
    (short,), _ = _pieces(Path("short.wav"), samples[: 3 * RATE], run)
    found = extractor(samples[: 3 * RATE])["input_features"][0].numpy()
    np.testing.assert_array_equal(found, run.features(short))


@pytest.mark.parametrize(
    ("audio", "rate", "message"),
    [
        (buzz(1.0), 8000, "8000 samples a second, 16000 are needed"),
        (buzz(0.1), RATE, "0.10 s is shorter"),
        (buzz(31.0), RATE, "31.0 s is longer .* cut it with `pieces`"),
        (np.zeros((2, RATE)), RATE, r"\(2, 16000\).*channel"),
    ],
)
def test_wrong_samples_are_refused(exported: tuple[Path, Exported], audio: Any, rate: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EarmarkFeatureExtractor.from_pretrained(exported[0])(audio, sampling_rate=rate)


def test_a_folder_with_files_is_left_alone(lively: TinyRun, tmp_path: Path, earmark: tiny.Runner) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    code, _, error = earmark("export", lively.folder, tmp_path)
    assert (code, "is not an empty folder" in error, names(tmp_path)) == (2, True, {"kept.txt"})


def test_unfinished_and_damaged_runs_are_refused(tiny_copy: TinyRun, tmp_path: Path, earmark: tiny.Runner) -> None:
    weights = tiny_copy.paths.step("pretrain", 6) / "ctc_head.safetensors"
    weights.write_bytes(weights.read_bytes()[:-40])
    code, _, error = earmark("export", tiny_copy.folder, tmp_path / "new")
    assert code == 2
    assert re.fullmatch(r"error: .*ctc_head\.safetensors is cut short.*", error.splitlines()[-1])
    (tiny_copy.paths.step("joint", 4) / "done.json").unlink()
    code, _, error = earmark("export", tiny_copy.folder, tmp_path / "new")
    assert (code, "is not finished" in error) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]  # nothing half-written is left


def test_run_without_a_ctc_head_has_no_ctc_folder(tiny_copy: TinyRun, tmp_path: Path) -> None:
    done = tiny_copy.paths.step("pretrain", 6) / "done.json"
    described = read_json(done)
    del described["weights"]["ctc_head"]
    write_json(done, described)
    assert export(Run(tiny_copy.folder), tmp_path / "new").ctc_parameters is None
    assert not (tmp_path / "new" / CTC).exists()


def test_another_inventory_is_refused(tiny_copy: TinyRun, tmp_path: Path) -> None:
    done = tiny_copy.paths.step("pretrain", 6) / "done.json"
    write_json(done, read_json(done) | {"inventory": "0123"})
    with pytest.raises(CheckpointError, match="inventory 0123"):
        export(Run(tiny_copy.folder), tmp_path / "new")


def test_large_weights_are_parted(lively: TinyRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from earmark.export import folder as module
    from earmark.export.hub.modeling_earmark import EarmarkForConditionalGeneration

    monkeypatch.setattr(module, "SHARD_SIZE", "50KB")
    monkeypatch.setattr(Run, "phone_recognizer", lambda self: None)
    run = Run(lively.folder)
    export(run, tmp_path / "new")
    assert len(list((tmp_path / "new").glob("model-*.safetensors"))) > 1
    loaded = EarmarkForConditionalGeneration.from_pretrained(tmp_path / "new")
    for name, tensor in run.recognizer().model.adaptor.state_dict().items():
        assert torch.equal(loaded.adaptor.state_dict()[name], tensor)


@pytest.mark.slow
def test_the_same_run_gives_the_same_bytes_on_one_machine(
    lively: TinyRun, exported: tuple[Path, Exported], tmp_path: Path
) -> None:
    folder, _ = exported
    export(Run(lively.folder), tmp_path / "again")
    first, second = (
        {path.relative_to(one): path.read_bytes() for path in one.rglob("*") if path.is_file()}
        for one in (folder, tmp_path / "again")
    )
    different = [path for path in first if first[path] != second.get(path)]
    assert first.keys() == second.keys()
    assert not different


@pytest.mark.slow
@pytest.mark.parametrize("tied", [True, False])
def test_real_qwen3_weights_are_exported(tiny_copy: TinyRun, files: list[Path], tmp_path: Path, tied: bool) -> None:
    """A run whose llm is a published folder: padded vocabulary, byte-level tokenizer, tied and not."""
    qwen = tmp_path / "Qwen3-tiny"
    qwen3_like.write(qwen, tied=tied)
    settings = tiny_copy.folder / "settings.json"
    write_json(settings, read_json(settings) | {"llm": str(qwen)})
    run = Run(tiny_copy.folder)
    torch.manual_seed(3)
    # Adaptor and language model of the run are of another width: make them as training would have.
    from earmark.models.build import compose, save_weights

    model, _ = compose(run.config, qwen)
    for module in (model.encoder, model.adaptor, model.llm):
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
    for name, module in (("encoder", model.encoder), ("adaptor", model.adaptor), ("llm", model.llm)):
        save_weights(module, run.weights[name], {})
    # As a run with that folder would have written: the copied one was made with its stand-in's vocabulary.
    write_json(run.done, read_json(run.done) | {"vocabulary": vocabulary_hash(load_llm(qwen)[1])})
    run = Run(tiny_copy.folder)
    export(run, tmp_path / "new")
    assert "stand-in" not in (tmp_path / "new" / "README.md").read_text(encoding="utf-8")
    assert "`Qwen3-tiny`" in (tmp_path / "new" / "README.md").read_text(encoding="utf-8")
    program = "import soundfile\n" + COMPARED.replace("FILES", repr([str(path) for path in files]))
    found = json.loads(alone(tmp_path / "new", program, tmp_path).splitlines()[-1])
    for beams in (1, 3):
        expected = said(Run(tiny_copy.folder), files, beams)
        assert len(set(expected)) > 1
        assert found[f"beams {beams}"] == [expected, expected]


def test_recognizer_limits_tokens_as_the_model_does(lively: TinyRun, exported: tuple[Path, Exported]) -> None:
    """A row of a batch stops at its own limit, with beams or without."""
    from earmark.export.hub.modeling_earmark import LengthLimits

    criterion = LengthLimits(torch.tensor([2, 5]))
    assert criterion(torch.zeros(6, 3), None).tolist() == [True] * 3 + [False] * 3
    config = read_json(exported[0] / "config.json")
    assert config["tokens_per_second"] == lively.config.decoding.tokens_per_second
    assert isinstance(Run(lively.folder).recognizer(), Recognizer)


def test_new_folder_refuses_a_link_and_a_file(tmp_path: Path, lively: TinyRun) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        with pytest.raises(UserError, match=name):
            export(Run(lively.folder), tmp_path / name)
