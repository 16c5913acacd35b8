import pytest

from earmark.config import Text
from earmark.errors import UserError
from earmark.text.inventory import Inventory
from earmark.text.lexicon import read_lexicon
from earmark.text.phonemes import Phonemizer


@pytest.fixture
def phonemizer(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text(
        "# our own\n\n重庆\tch ong2 q ing4\n不好\tb u3 h ao3\n点解\td Yim2 g Yaai2\n"
        "earmark\tˈ ɪ ɹ m ˌ ɑː ɹ k\n行\th ang2\n"
    )
    return Phonemizer.from_settings(Text(lexicon=path))


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("去重庆", "zh", "q v4 ch ong2 q ing4"),
        ("我不好", "zh", "uo2 b u3 h ao3"),
        ("你行", "zh", "n i3 h ang2"),
        ("点解佢唔行", "yue", "d Yim2 g Yaai2 k Yeoi5 Ym4 h Yaang4"),
        ("行", "yue", "h Yaang4"),
        ("earmark", "en", "ɪ ɹ m ɑː ɹ k"),
        ("the earmark yes", "en", "ð ə ɪ ɹ m ɑː ɹ k y ɛ s"),
        ("earmarks", "en", "ɪ ɹ m ɑː ɹ k s"),
        ("用 earmark 去", "zh-en", "iong4 ɪ ɹ m ɑː ɹ k q v4"),
    ],
)
def test_words_of_the_lexicon_have_its_phones(phonemizer, text, language, expected):
    assert " ".join(phonemizer.label(text, language)) == expected


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("重庆 ch ong2 q ing4", "a tab"),
        ("重庆\t", "a tab"),
        ("重庆\tch ong2 q xx4", "'xx4' is not in the inventory"),
        ("重庆\tch ong2", "1 syllables for 2 characters"),
        ("重庆\tch ong2 q ing4 b", "2 syllables for 2 characters"),
        ("重庆\tch ong2 h Ying3", "choose one language"),
        ("Earmark\tɪ ɹ", "small letters"),
        ("ear mark\tɪ ɹ", "small letters"),
        ("一二三四五六七八九\t" + "i1 " * 9, "1 to 8 Han characters"),
        ("好\th ao3\n好\th ao4", "twice"),
        ("好a\th ao3", "small letters"),
    ],
)
def test_bad_line_is_named(tmp_path, line, fault):
    path = tmp_path / "words.tsv"
    path.write_text(f"# words\n{line}\n")
    number = 1 + len(line.splitlines())
    with pytest.raises(UserError, match=rf"words\.tsv, line {number}: .*{fault}"):
        read_lexicon(path, Inventory.load())


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_lexicon_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "words.tsv"
    if content:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"words\.tsv cannot be read"):
        read_lexicon(path, Inventory.load())
