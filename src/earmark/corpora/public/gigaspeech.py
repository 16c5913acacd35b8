"""GigaSpeech 1.0.0: English audiobooks, podcasts and YouTube; segments of long opus files.

LAYOUT (the raw release of https://github.com/SpeechColab/GigaSpeech, `audio/` unpacked):

    GigaSpeech.json
    audio/audiobook/P0001/AUD0000000007.opus
    audio/podcast/P0000/POD0000000001.opus    audio/youtube/P0000/YOU0000000315.opus

One entry of the JSON's array `audios`:

    {"title": "...", "url": "...", "path": "audio/audiobook/P0001/AUD0000000007.opus", "aid": "AUD0000000007",
     "source": "audiobook", "codec": "opus", "channels": 1, "md5": "...", "duration": 4015.08, "format": "opus",
     "sample_rate": 16000, "subsets": ["{XL}"], "segments": [{"sid": "AUD0000000007_S0000024",
     "speaker": "N/A", "begin_time": 174.27, "end_time": 177.27,
     "text_tn": "DOUGLAS MCGRAY IS GOING TO BE OUR GUIDE <COMMA>", "subsets": ["{XL}", "{L}"]}]}

lhotse's `prepare_gigaspeech` needs the package speechcolab, which loads the whole document, and takes every segment of
a recording that has one in the part. Its parser of an entry is used; the document is read entry by entry, and
segments are chosen by their own subsets. Speaker "N/A" is none. Tags such as <COMMA> stay in the text.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from earmark.config import PublicCorpus
from earmark.corpora.base import Row
from earmark.corpora.public.from_lhotse import segmented
from earmark.corpora.public.published import Source, chosen, matching

SOURCE = Source("GigaSpeech 1.0.0", "github.com/SpeechColab/GigaSpeech")
METADATA = "GigaSpeech.json"
SPLITS = dict.fromkeys(("XS", "S", "M", "L", "XL"), "train") | {"DEV": "valid", "TEST": "test_gigaspeech"}
"""Split of each subset; each of XS to XL holds the one before."""


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """The document, and the folders of audio."""
    yield from matching(corpus.path, METADATA, "audio/*/*/")


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by recording, then by offset; subsets XS, S, M, L, XL, DEV, TEST. Writes nothing.

    :raises CorpusError: no GigaSpeech.json, or a damaged one.
    """
    from lhotse.recipes.gigaspeech import parse_utterance

    file = corpus.path / METADATA
    if not file.is_file():
        raise SOURCE.lacks(corpus.path, METADATA)
    parts = chosen(corpus, SPLITS, SPLITS, SOURCE)

    def parse(entry: dict[str, Any]) -> tuple[Any, list[tuple[str, Any]]]:
        recording, said = parse_utterance(entry, corpus.path)
        wanted = []
        for segment, supervision in zip(entry["segments"], said, strict=True):
            if supervision.speaker == "N/A":
                supervision.speaker = None
            held = {name.strip("{}") for name in segment["subsets"]}
            if part := next((name for name in parts if name in held), None):
                wanted.append((SPLITS[part], supervision))
        return recording, wanted

    yield from segmented(corpus, file, parse, "en")
