import hashlib
from pathlib import Path

import pytest

from earmark.config import Text
from earmark.errors import TextError, UserError
from earmark.text.cantonese import split_jyutping
from earmark.text.characters import BOUNDARY, CANTONESE
from earmark.text.english import ENGLISH_PHONES, STRESS
from earmark.text.inventory import PACKAGED, Inventory
from earmark.text.simplified import simplified
from earmark.text.syllables import split_syllable


def write(tmp_path, content):
    path = tmp_path / "phones.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("targets", "size", "hashed"), [("phones", 610, "dbb613c8a5ec34b4"), ("characters", 8305, "9127d9d17bb34589")]
)
def test_packaged_inventory_is_frozen(targets, size, hashed):
    inventory = Inventory.from_settings(Text(targets=targets))
    assert (len(inventory), inventory.hash) == (size, hashed), "old shards and checkpoints become useless"
    assert inventory.hash == hashlib.sha256(PACKAGED[targets].read_bytes()).hexdigest()[:16]
    assert inventory.phones[0] == "<blank>"
    assert list(inventory.phones[1:]) == sorted(inventory.phones[1:])


def test_every_reading_of_pypinyin_has_its_phones():
    """This is also the recipe that made the Mandarin half of phones.txt."""
    from pypinyin.constants import PHRASES_DICT, PINYIN_DICT

    readings = {reading for entry in PINYIN_DICT.values() for reading in entry.split(",")}
    readings |= {syllable[0] for phrase in PHRASES_DICT.values() for syllable in phrase}
    split = {split_syllable(reading) for reading in readings}
    initials = {initial for initial, _, _ in split} - {""}
    finals = {final for _, final, _ in split}
    assert (len(initials), len(finals)) == (22, 38)
    wanted = initials | {f"{final}{tone}" for final in finals for tone in range(1, 6)}
    toned = {phone for phone in Inventory.load().phones if phone[-1].isdigit() and phone[0] != "Y"}
    assert wanted - set(Inventory.load().phones) == set()
    assert toned <= wanted


def test_every_reading_of_tojyutping_has_its_phones():
    """This is also the recipe that made the Cantonese part of phones.txt."""
    import ToJyutping

    han = "".join(map(chr, [*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000), *range(0x20000, 0x323B0)]))
    candidates = ToJyutping.get_jyutping_candidates(han)
    split = {split_jyutping(one) for _, readings in candidates for text in readings or [] for one in text.split()}
    initials = {initial for initial, _, _ in split} - {""}
    finals = {final for _, final, _ in split}
    assert (len(initials), len(finals)) == (19, 60)
    wanted = {f"{final}{tone}" for final in finals for tone in range(1, 7)}
    assert initials <= set(Inventory.load().phones)
    assert {phone for phone in Inventory.load().phones if phone[0] == "Y"} == wanted


def test_stress_marks_are_phones():
    assert set(STRESS) <= set(Inventory.load().phones)


def test_characters_are_the_standard_ones_the_cantonese_and_latin_letters():
    """This is also the recipe that made characters.txt."""
    import tn

    table = Path(tn.__file__).parent / "chinese/data/char/charset_national_standard_2013_8105.tsv"
    standard = set(table.read_text(encoding="utf-8").split())
    double = (bytes([high, low]) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF))
    gb2312 = {pair.decode("gb2312", errors="ignore") for pair in double} - {""}
    assert (len(standard), len(gb2312)) == (8105, 6763)
    han = {one for one in standard | gb2312 | set(CANTONESE) if simplified(one) == one}
    latin = set("abcdefghijklmnopqrstuvwxyz'")
    inventory = Inventory.packaged("characters")
    assert set(inventory.phones[1:]) == han | latin | {BOUNDARY}
    assert list(inventory.phones[1:]) == sorted(inventory.phones[1:])
    assert set(CANTONESE) <= han


def test_settings_name_another_inventory(tmp_path):
    path = write(tmp_path, "zh\nong1\n")
    assert Inventory.from_settings(Text(inventory=path)).phones == ("<blank>", "zh", "ong1")


def test_english_table_leads_into_the_inventory():
    inventory = Inventory.load()
    assert all(part in inventory for parts in ENGLISH_PHONES.values() for part in parts)
    # x, z, r and j of pinyin are other sounds than those of espeak-ng, so that the table renames these.
    assert {phone for phone in ENGLISH_PHONES if phone in inventory} == {"x", "z", "r", "j"}


def test_encode_and_decode_are_inverse():
    inventory = Inventory.load()
    ids = list(range(len(inventory)))
    assert inventory.encode(inventory.decode(ids)) == ids
    assert inventory.encode([]) == []


def test_comments_are_skipped_and_order_is_kept(tmp_path):
    inventory = Inventory.load(write(tmp_path, "# a note\nzh\n# another\nong1\n"))
    assert inventory.phones == ("<blank>", "zh", "ong1")
    assert inventory.encode(["ong1", "zh"]) == [2, 1]
    assert "zh" in inventory
    assert "ong2" not in inventory


def test_hash_follows_every_byte(tmp_path):
    first = Inventory.load(write(tmp_path, "a\nb\n")).hash
    assert len(first) == 16
    assert Inventory.load(write(tmp_path, "b\na\n")).hash != first


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("a\nb\na\n", "line 3"),
        ("a\n\nb\n", "line 2"),
        ("a b\n", "line 1"),
        ("a\nb\x00\n", "line 2"),
        ("a\n<blank>\n", "line 2"),
        ("a\n\ufffd\n", "line 2"),
        (b"a\n\xff\n", "cannot be read"),
    ],
)
def test_damaged_file_is_named_by_line(tmp_path, content, line):
    with pytest.raises(UserError, match=line):
        Inventory.load(write(tmp_path, content))


def test_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.txt"):
        Inventory.load(tmp_path / "nowhere.txt")


def test_unknown_phone_is_named():
    with pytest.raises(TextError, match="'qq'") as caught:
        Inventory.load().encode(["zh", "qq"])
    assert caught.value.reason == "phone outside the inventory"


@pytest.mark.parametrize("index", [-1, 610])
def test_unknown_id_is_named(index):
    with pytest.raises(UserError, match=str(index)):
        Inventory.load().decode([0, index])
