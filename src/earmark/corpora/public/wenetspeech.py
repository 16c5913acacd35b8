"""WenetSpeech 1.0: Mandarin of YouTube and podcasts; segments of long opus files.

LAYOUT (https://github.com/wenet-e2e/WenetSpeech, unpacked by its download script):

    WenetSpeech.json
    audio/train/youtube/B00000/Y0000000000_--5llN02F84.opus    audio/train/podcast/B00000/X0000000000_....opus
    audio/dev/...  audio/test_net/...  audio/test_meeting/...

One entry of the JSON's array `audios`:

    {"aid": "Y0000000000_--5llN02F84", "duration": 2494.57, "md5": "48af998ec7dab6964386c3522386fa4b",
     "path": "audio/train/youtube/B00000/Y0000000000_--5llN02F84.opus", "source": "youtube",
     "tags": ["drama"], "url": "https://www.youtube.com/watch?v=--5llN02F84", "segments": [
     {"sid": "Y0000000000_--5llN02F84_S00000", "confidence": 1.0, "begin_time": 20.08, "end_time": 24.4,
      "subsets": ["L"], "text": "怎么样这些日子住得还习惯吧"}]}

Parts: L, M and S are nested; W (weak labels, confidence below 0.95) is in none of them and is not read. lhotse's
`prepare_wenet_speech` holds the whole document and all segments in memory and ends at a bad one; its parser of an
entry is used, the document is read entry by entry. There are no speakers.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from earmark.config import PublicCorpus
from earmark.corpora.base import Row
from earmark.corpora.public.from_lhotse import segmented
from earmark.corpora.public.published import Source, chosen, matching

SOURCE = Source("WenetSpeech 1.0", "github.com/wenet-e2e/WenetSpeech")
METADATA = "WenetSpeech.json"
SPLITS = dict.fromkeys(("S", "M", "L"), "train") | {
    "DEV": "valid",
    "TEST_NET": "test_wenetspeech_net",
    "TEST_MEETING": "test_wenetspeech_meeting",
}
"""Split of each subset; L holds M, and M holds S."""


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """The document, and the folders of audio."""
    yield from matching(corpus.path, METADATA, "audio/*/*/", "audio/*/*/*/")


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by recording, then by offset; subsets S, M, L, DEV, TEST_NET, TEST_MEETING. Writes nothing.

    :raises CorpusError: no WenetSpeech.json, or a damaged one.
    """
    from lhotse.recipes.wenet_speech import parse_utterance

    file = corpus.path / METADATA
    if not file.is_file():
        raise SOURCE.lacks(corpus.path, METADATA)
    parts = chosen(corpus, SPLITS, SPLITS, SOURCE)

    def parse(entry: dict[str, Any]) -> tuple[Any, list[tuple[str, Any]]]:
        recording, said = parse_utterance(entry, corpus.path, parts)
        # A segment is listed under each of its parts: the nested ones hold it several times.
        first = {one.id: (SPLITS[part], one) for part in reversed(parts) for one in said[part]}
        return recording, list(first.values())

    yield from segmented(corpus, file, parse, "zh")
