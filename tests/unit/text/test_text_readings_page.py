"""Each row of docs/readings.md is what the normaliser and the labels give."""

from pathlib import Path

import pytest

from earmark.text.normalise import normalise
from earmark.text.phonemes import Phonemizer

PAGE = Path(__file__).parents[3] / "docs" / "readings.md"
LANGUAGES = {"English": "en", "Chinese": "zh", "Mandarin": "zh"}


def rows():
    """(language, what the row holds, written, read) of each row; a bar in a cell is written as an entity."""
    title = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            title = line[3:]
        elif line.startswith("| ") and not line.startswith("| kind "):
            kind, written, read, _ = (cell.strip(" ") for cell in line.strip("|").split(" | "))
            language = "yue" if kind.startswith("yue") else LANGUAGES[title.split()[0]]
            yield language, title.endswith("phones"), written.replace("&#124;", "|"), read


ROWS = list(rows())


@pytest.fixture(scope="module")
def phonemizer():
    return Phonemizer()


def test_the_page_has_rows_of_every_section():
    assert {language for language, _, _, _ in ROWS} == {"en", "zh", "yue"}
    assert sum(phones for _, phones, _, _ in ROWS) > 30
    assert len(ROWS) > 150


@pytest.mark.parametrize(("language", "phones", "written", "read"), ROWS)
def test_a_row_is_read_as_the_page_says(phonemizer, language, phones, written, read):
    normal = normalise(written, language)
    assert (" ".join(phonemizer.label(normal, language)) if phones else normal) == read
