import hashlib

import pytest

from earmark.errors import TextError, UserError
from earmark.text.inventory import PACKAGED, Inventory
from earmark.text.mandarin import split_syllable
from earmark.text.phonemes import ENGLISH_PHONES


def write(tmp_path, content):
    path = tmp_path / "phones.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_packaged_inventory_is_frozen():
    inventory = Inventory.load()
    assert (len(inventory), inventory.hash) == (246, "27d89aff659f0ed0"), "old shards and checkpoints become useless"
    assert inventory.hash == hashlib.sha256(PACKAGED.read_bytes()).hexdigest()[:16]
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
    assert (len(initials), len(finals)) == (21, 38)
    wanted = initials | {f"{final}{tone}" for final in finals for tone in range(1, 6)}
    toned = {phone for phone in Inventory.load().phones if phone[-1].isdigit()}
    assert wanted - set(Inventory.load().phones) == set()
    assert toned <= wanted


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


@pytest.mark.parametrize("index", [-1, 246])
def test_unknown_id_is_named(index):
    with pytest.raises(UserError, match=str(index)):
        Inventory.load().decode([0, index])
