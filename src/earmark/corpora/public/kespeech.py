"""KeSpeech: read Mandarin and its eight subdialects, one wav an utterance.

LAYOUT (https://github.com/KeSpeech/KeSpeech, sent after an application; `cat KeSpeech.tar.gz.* | tar xz`):

    KeSpeech/Tasks/ASR/train_phase1/wav.scp  text  utt2spk  utt2subdialect
    KeSpeech/Tasks/ASR/train_phase2  dev_phase1  dev_phase2  test
    KeSpeech/Audio/1000001/phase1/1000001_63740949.wav

Lines of wav.scp, text, utt2spk and utt2subdialect (a real id; the text and its subdialect are made up):

    1000001_63740949 Audio/1000001/phase1/1000001_63740949.wav
    1000001_63740949 明天下午的会议改到三点<SPOKEN_NOISE>
    1000001_63740949 1000001
    1000001_63740949 Jiang-Huai

The corpus's page says nothing of its files. Verified by lhotse's recipe and by public code that reads it: the folders,
the four files, the names of subdialects, ids of speaker and eight hexadecimal digits.

lhotse's recipe joins the four files by line numbers and ends where one of them lacks a line, opens all audio first,
and cuts tags out of the text. Here they are joined by id, and tags are left to the normaliser.
"""

from collections.abc import Iterator
from pathlib import Path

from earmark.config import Language, PublicCorpus
from earmark.corpora.base import Row
from earmark.corpora.public.lines import records, root
from earmark.corpora.public.published import Source, below, chosen, listed, matching

SOURCE = Source("KeSpeech", "github.com/KeSpeech/KeSpeech")
SPLITS = {
    "train_phase1": "train",
    "train_phase2": "train",
    "dev_phase1": "valid",
    "dev_phase2": "valid",
    "test": "test_kespeech",
}
"""Split of each part."""
LANGUAGES: dict[str, Language] = {
    "Mandarin": "zh",
    "Zhongyuan": "zh-zhongyuan",
    "Southwestern": "zh-southwestern",
    "Ji-Lu": "zh-jilu",
    "Jiang-Huai": "zh-jianghuai",
    "Lan-Yin": "zh-lanyin",
    "Jiao-Liao": "zh-jiaoliao",
    "Northeastern": "zh-northeastern",
    "Beijing": "zh-beijing",
}
"""Language of each of the corpus's subdialects."""
FILES = ("text", "wav.scp", "utt2spk", "utt2subdialect")


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Tables of each part, and the speakers' folders."""
    top = root(corpus, "KeSpeech")
    tables = [f"Tasks/ASR/{part}/{name}" for part in corpus.subsets or SPLITS for name in FILES]
    yield from matching(top, *tables, "Audio/*/*/")


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by part, in the order of `text`; subsets are the parts' folders. Writes nothing.

    :raises CorpusError: no part, or one without its four files.
    """
    top = root(corpus, "KeSpeech")
    there = [part for part in SPLITS if (top / "Tasks/ASR" / part).is_dir()]
    if not there:
        raise SOURCE.lacks(corpus.path, "Tasks/ASR/train_phase1 or another part")
    for part in chosen(corpus, there, SPLITS, SOURCE):
        for name in FILES:
            if not (top / "Tasks/ASR" / part / name).is_file():
                raise SOURCE.lacks(corpus.path, f"Tasks/ASR/{part}/{name}")
        yield from _part(corpus, top, top / "Tasks/ASR" / part, SPLITS[part])


def _part(corpus: PublicCorpus, top: Path, folder: Path, split: str) -> Iterator[Row]:
    speakers = _column(corpus, folder / "utt2spk")
    subdialects = _column(corpus, folder / "utt2subdialect")

    def describe(utterance: str, text: str | None) -> Row:
        language = LANGUAGES.get(subdialects.get(utterance, ""))
        known: Row = {"language": language, "speaker": speakers.get(utterance)}
        return known if language else known | {"status": "unknown subdialect"}

    yield from listed(corpus, folder, ("text", "wav.scp"), split, lambda _, path: below(top, path), describe)


def _column(corpus: PublicCorpus, path: Path) -> dict[str, str]:
    """Id -> value; an utterance whose line is bad has none."""
    found = (record.fields for record in records(corpus, path, ["id", "value"], "train", None))
    return {fields["id"]: fields["value"].strip() for fields in found if fields}
