"""CS-Dialogue: spontaneous Mandarin-English dialogues of 200 speakers; the version cut into utterances (short_wav).

    data/index/short_wav/train/text  wav.scp      (dev, test)
    data/short_wav/WAVE/C0/ZH-CN_U0001_S0/ZH-CN_U0001_S0_101.wav
    data/short_wav/SCRIPT/ZH-CN_U0001_S0.txt      (not read: `text` says the same)

Published at huggingface.co/datasets/BAAI/CS-Dialogue (arXiv 2502.18913), where short_wav is a tar.gz in pieces. Either
unpack it (`cat data/short_wav/short_wav.tar.gz* | tar xzf - -C data`), or only decompress it to
data/short_wav/short_wav.tar, which is read in place. Verified by public loaders of it: index files, the archive's tree,
and paths that begin with short_wav; unpacked inside data/short_wav it is found as well. `long_wav`, whole dialogues,
holds the same speech and is not read. The id is SPEAKER_SESSION_NUMBER, U0001 the speaker and S0 the session, as public
guides to the corpus read it; the card's 200 speakers in 100 dialogues, with a speaker_id each, agree.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from earmark.config import PublicCorpus
from earmark.corpora.base import Row
from earmark.corpora.public.published import Sound, Source, below, chosen, find_sounds, listed, matching, mixed_language

SOURCE = Source("CS-Dialogue (2025, short_wav)", "huggingface.co/datasets/BAAI/CS-Dialogue")
SPLITS = {"train": "train", "dev": "valid", "test": "test_cs_dialogue"}

# text:    ZH-CN_U0001_S0_101 我觉得这个 project 很 interesting
# wav.scp: ZH-CN_U0001_S0_101 short_wav/WAVE/C0/ZH-CN_U0001_S0/ZH-CN_U0001_S0_101.wav


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Index, and the audio in folders or in a tar."""
    data = corpus.path / "data" if (corpus.path / "data").is_dir() else corpus.path
    for name in corpus.subsets or SPLITS:
        yield from matching(data / "index/short_wav" / name, "text", "wav.scp")
    yield from matching(data / "short_wav", "short_wav.tar", "WAVE/*/*/", "short_wav/WAVE/*/*/")


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by transcript; splits train, valid, test_cs_dialogue. Subsets: train, dev, test. Writes nothing.

    The language is that of the transcript's scripts: single utterances are in Mandarin or English only.

    :raises CorpusError: no index, or the audio still in pieces of a tar.gz.
    """
    data = corpus.path / "data" if (corpus.path / "data").is_dir() else corpus.path
    index = data / "index/short_wav"
    there = [name for name in SPLITS if (index / name).is_dir()]
    if not there:
        raise SOURCE.lacks(corpus.path, "data/index/short_wav/train")
    packed = sorted((data / "short_wav").glob("short_wav.tar.gz*"))
    tar = data / "short_wav/short_wav.tar"
    if packed and not tar.is_file() and not any((data / name).is_dir() for name in _UNPACKED):
        remedy = f"cat {packed[0].parent}/short_wav.tar.gz* | tar xzf - -C {data}"
        raise SOURCE.lacks(data, "short_wav/WAVE", remedy)
    members = find_sounds(data / "short_wav") if tar.is_file() else {}
    for name in chosen(corpus, there, SPLITS, SOURCE):
        for file in ("text", "wav.scp"):
            if not (index / name / file).is_file():
                raise SOURCE.lacks(index / name, file)
        find = partial(_find, data, members)
        yield from listed(corpus, index / name, ("text", "wav.scp"), SPLITS[name], find, _describe)


_UNPACKED = ("short_wav/WAVE", "short_wav/short_wav")


def _find(data: Path, members: dict[str, Sound], key: str, value: str) -> Sound | None:
    return below(data, value) or below(data / "short_wav", value) or members.get(PurePosixPath(value).stem)


def _describe(key: str, text: str | None) -> Row:
    return {"language": mixed_language(text), "speaker": key.rsplit("_", 2)[0]}
