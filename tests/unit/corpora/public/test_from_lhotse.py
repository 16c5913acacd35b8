"""Readers against lhotse 1.33's own recipes, on the same files: ids, times and texts.

Compared is what lhotse keeps; the readers keep more, set aside with a reason. FLEURS, People's Speech and VoxPopuli are
laid out anew for the recipes, which read layouts of their own: VoxPopuli's wants whole sessions and the published list
of segments, which the corpus's own program cuts into the utterances that the reader reads.
"""

import gzip
import importlib
import json
import shutil
import sys
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from encoded import voice, write

from earmark.text.normalise import normalise

Said = tuple[str, float, float, str]
"""Id, start and duration in seconds, normalised text."""


def supervisions(parts: Any) -> Iterator[Any]:
    """All of lhotse's supervisions, in nested dictionaries of manifests."""
    for name, value in parts.items():
        if name == "supervisions":
            yield from value
        elif isinstance(value, dict):
            yield from supervisions(value)


def librispeech(folder: Path, out: Path) -> Any:
    from lhotse.recipes.librispeech import prepare_librispeech

    return prepare_librispeech(folder / "LibriSpeech", dataset_parts=("train-clean-100", "test-other"))


def aishell(folder: Path, out: Path) -> Any:
    from lhotse.recipes.aishell import prepare_aishell

    return prepare_aishell(folder)


def aishell2(folder: Path, out: Path) -> Any:
    from lhotse.recipes.aishell2 import prepare_aishell2

    # It knows the sets on iOS alone, unpacked together, and wants all three.
    for part in ("dev", "test"):
        shutil.copytree(folder / "AISHELL-DEV-TEST-SET/iOS/test", folder / "AISHELL-2/iOS" / part)
    made = prepare_aishell2(folder)
    return {part: made[part] for part in ("train", "test")}


def kespeech(folder: Path, out: Path) -> Any:
    from lhotse.recipes.kespeech import prepare_kespeech

    for path in (folder / "KeSpeech/Tasks/ASR").glob("*/wav.scp"):  # it joins the files by their order
        path.write_text("\n".join(reversed(path.read_text().splitlines())) + "\n")
    return prepare_kespeech(folder / "KeSpeech", out, ["train_phase1", "test"])


def emilia(folder: Path, out: Path) -> Any:
    from lhotse.recipes.emilia import prepare_emilia

    (folder / "raw").mkdir()
    (folder / "EN").rename(folder / "raw/EN")
    cuts = prepare_emilia(folder, "EN", 1)
    return {"supervisions": [one for cut in cuts for one in cut.supervisions]}


def mls(folder: Path, out: Path) -> Any:
    from lhotse.recipes.mls import prepare_mls

    top = folder / "mls_english"
    (top / "metainfo.txt").write_text("4800 | F | train\n10226 | M | test\n")
    [opus] = top.rglob("*.opus")  # it reads one kind of file
    write(opus.with_suffix(".flac"), voice(0.5))
    shutil.copytree(top / "test", top / "dev")
    made = prepare_mls(folder, opus=False)["english"]
    return {part: made[part] for part in ("train", "test")}


def common_voice(folder: Path, out: Path) -> Any:
    from lhotse.recipes import commonvoice as recipe

    # It ends at a part without an utterance, as zh-HK has here; threads start faster than its processes.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "ProcessPoolExecutor", lambda max_workers, **_: ThreadPoolExecutor(max_workers))
        return recipe.prepare_commonvoice(folder / "cv-corpus-15.0-2023-09-08", out, languages=["zh-CN"])


class GigaSpeech:
    """As of the package speechcolab, which is not installed: the recordings of a part."""

    def __init__(self, folder: Path):
        self.gigaspeech_dataset_dir = folder

    def audios(self, part: str) -> Iterator[dict]:
        for audio in json.loads((self.gigaspeech_dataset_dir / "GigaSpeech.json").read_text())["audios"]:
            if part in audio["subsets"]:
                yield audio


def gigaspeech(folder: Path, out: Path) -> Any:
    from lhotse.recipes import gigaspeech as recipe

    module = types.ModuleType("speechcolab.datasets.gigaspeech")
    module.GigaSpeech = GigaSpeech
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "speechcolab.datasets.gigaspeech", module)
        patch.setattr(recipe, "is_module_available", lambda *names: True)
        return recipe.prepare_gigaspeech(folder, out, ["XL", "TEST"])


def spgispeech(folder: Path, out: Path) -> Any:
    from lhotse.recipes.spgispeech import prepare_spgispeech

    return prepare_spgispeech(folder / "spgispeech", out, normalize_text=False)


def vctk(folder: Path, out: Path) -> Any:
    from lhotse.recipes.vctk import prepare_vctk

    for path in (folder / "wav48_silence_trimmed").glob("p315/*"):  # it ends at audio without a transcript
        path.unlink()
    return prepare_vctk(folder, use_edinburgh_vctk_url=True, mic_id="mic1")


def tedlium(folder: Path, out: Path) -> Any:
    from lhotse.recipes.tedlium import _parse_stm_file

    # The whole recipe needs the program sph2pipe to open the audio.
    stms = sorted((folder / "TEDLIUM_release-3/legacy").glob("*/stm/*.stm"))
    return {"supervisions": [one for stm in stms for one in _parse_stm_file(stm)]}


def wenetspeech(folder: Path, out: Path) -> Any:
    from lhotse.recipes.wenet_speech import prepare_wenet_speech

    return prepare_wenet_speech(folder, ["L", "TEST_NET"], out)


def fleurs(folder: Path, out: Path) -> Any:
    from lhotse.recipes.fleurs import prepare_fleurs

    laid = folder / "laid_out"
    (laid / "metadata/en_us").mkdir(parents=True)
    shutil.copytree(folder / "data/en_us/audio", laid / "en_us")
    for path in (folder / "data/en_us").glob("*.tsv"):
        shutil.copy(path, laid / "metadata/en_us")
    return prepare_fleurs(laid, out, "en_us")


def peoples_speech(folder: Path, out: Path) -> Any:
    import pyarrow.parquet as pq
    from lhotse.recipes import peoples_speech as recipe

    parts = {"train/clean": "clean/train", "test/test": "test/test"}
    for part, name in parts.items():
        rows = pq.read_table(folder / f"{name}-00000-of-00001.parquet").to_pylist()
        for row in rows:
            path = folder / "laid_out" / part / row["id"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(row["audio"]["bytes"])
        columns = [[row[column] for row in rows] for column in ("duration_ms", "text", "id")]
        listed = {"identifier": "x", "training_data": dict(zip(("duration_ms", "label", "name"), columns, strict=True))}
        (folder / "laid_out" / f"{part}.json").write_text(json.dumps(listed) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "PEOPLES_SPEECH", tuple(parts))
        return recipe.prepare_peoples_speech(folder / "laid_out", out)


def voxpopuli(folder: Path, out: Path) -> Any:
    from lhotse.recipes.voxpopuli import prepare_voxpopuli

    columns = "session_id|id_|original_text|speaker_id|split|gender|normed_text|start_time|end_time"
    lines, sounds, begins = [columns], [], {}
    top = folder / "transcribed_data/en"
    for table in ("train", "dev", "test"):
        names, values = (line.split("\t") for line in (top / f"asr_{table}.tsv").read_text().splitlines())
        row = dict(zip(names, values, strict=True))
        session, _, segment = row["id"].partition("_")
        samples, rate = soundfile.read(top / row["id"][:4] / f"{row['id']}.ogg")
        start = begins[f"{session.removesuffix('-en')}-{len(lines)}"] = sum(map(len, sounds)) / rate
        sounds.append(samples)
        about = (row["raw_text"], row["speaker_id"], row["split"], row["gender"], row["normalized_text"])
        lines.append("|".join((session.removesuffix("-en"), segment, *about, str(start), str(start + 0.5))))
    whole = folder / "raw_audios/en/2009" / f"{session.removesuffix('-en')}_en.ogg"
    whole.parent.mkdir(parents=True)
    soundfile.write(whole, np.concatenate(sounds), rate)
    (out / "voxpopuli").mkdir(parents=True)
    with gzip.open(out / "voxpopuli" / "asr_en.tsv.gz", "wt") as file:  # which it would fetch
        file.write("\n".join(lines) + "\n")
    made = prepare_voxpopuli(folder, out / "voxpopuli")
    # An utterance's own file begins where its segment begins in the session.
    found = [one for part in made.values() for one in part["supervisions"]]
    return {"supervisions": [one.with_offset(-begins[one.id]) for one in found]}


def cut_out(key: str) -> str:
    """lhotse counts the segments of a session from 1; the miniature's are called 0, 1 and 2."""
    session, _, number = key.rpartition("-")
    return f"{session}-en_20090113-17:20:57_{int(number) - 1}"


def one_more(key: str) -> str:
    """lhotse counts the lines of a talk from 0."""
    talk, _, line = key.rpartition("-")
    return f"{talk}-{int(line) + 1}"


RECIPES: dict[str, tuple[Callable[[Path, Path], Any], str, Callable[[str], str]]] = {
    "librispeech": (librispeech, "en", str),
    "aishell": (aishell, "zh", str),
    "aishell2": (aishell2, "zh", str),
    "kespeech": (kespeech, "zh", str),
    "emilia": (emilia, "en", str),
    "mls": (mls, "en", str),
    "common_voice": (common_voice, "zh", str),
    "gigaspeech": (gigaspeech, "en", str),
    "spgispeech": (spgispeech, "en", lambda key: key.replace("_", "/")),
    "vctk": (vctk, "en", str),
    "tedlium": (tedlium, "en", one_more),
    "wenetspeech": (wenetspeech, "zh", str),
    "fleurs": (fleurs, "en", lambda key: "en_us-" + key.split("_")[-1]),
    "peoples_speech": (peoples_speech, "en", str),
    "voxpopuli": (voxpopuli, "en", cut_out),
}
"""Recipe, language to normalise in, and lhotse's id as ours."""


SUBSETS = {
    "aishell2": ["train", "ios_test"],
    "common_voice": ["zh-CN"],
    "emilia": ["EN"],
    "fleurs": ["en_us"],
    "mls": ["train", "test"],
    "vctk": ["mic1"],
}
"""Parts of the miniature that the recipe reads; none: all."""


@pytest.mark.parametrize("name", RECIPES)
def test_rows_are_those_of_lhotse_s_own_recipe(name: str, tmp_path: Path) -> None:
    recipe, language, ours = RECIPES[name]
    corpus = importlib.import_module(f"miniatures.{name}").make(tmp_path / "corpus")
    theirs = sorted(
        (ours(one.id), round(one.start, 3), one.duration, normalise(one.text, language))
        for one in supervisions(recipe(corpus.path, tmp_path / "out"))
    )
    subsets = SUBSETS.get(name, [])
    reader = importlib.import_module(f"earmark.corpora.public.{name}")
    rows = reader.read(corpus.model_copy(update={"subsets": subsets}), tmp_path / "own")
    mine = sorted(
        (
            row["id"].removeprefix(f"{corpus.name}-"),
            round(row.get("offset", 0.0), 3),
            row["duration"],
            normalise(row["raw_text"], language),
        )
        for row in rows
        if row.get("status", "kept") == "kept"
    )
    assert len(theirs) > 0
    assert [one[:2] + one[3:] for one in mine] == [one[:2] + one[3:] for one in theirs]
    # Tables and headers give lengths to a few milliseconds.
    assert [one[2] for one in mine] == pytest.approx([one[2] for one in theirs], abs=0.05)
