from earmark.decode.lexicon import CharacterLexicon, syllables

PAIRS = [
    ("你好", ["n", "i2", "h", "ao3"]),
    ("好人", ["h", "ao3", "r", "en2"]),
    ("号", ["h", "ao4"]),
    ("阿姨", ["a1", "i2"]),
    ("open 门", ["oʊ", "p", "m", "en2"]),
]


def test_syllables_end_with_a_toned_final() -> None:
    assert syllables(["n", "i2", "h", "ao3", "a1"]) == [("n", "i2"), ("h", "ao3"), ("a1",)]


def test_a_lost_final_leaves_no_syllable() -> None:
    assert syllables(["n", "h", "ao3", "zh"]) == [("h", "ao3")]


def test_spells_by_the_most_frequent_character() -> None:
    lexicon = CharacterLexicon([*PAIRS, ("耗", ["h", "ao4"]), ("号", ["h", "ao4"])])
    assert lexicon.spell(["n", "i2", "h", "ao4"]) == ["你", "号"]


def test_ties_go_by_code_order_not_by_row_order() -> None:
    rows = [("号", ["h", "ao4"]), ("浩", ["h", "ao4"])]
    assert CharacterLexicon(rows).spell(["h", "ao4"]) == CharacterLexicon(rows[::-1]).spell(["h", "ao4"]) == ["号"]


def test_unknown_tone_falls_back_and_unknown_syllable_is_left_out() -> None:
    lexicon = CharacterLexicon(PAIRS)
    assert lexicon.spell(["r", "en4", "x", "iang4", "a1"]) == ["人", "阿"]


def test_mixed_transcripts_are_passed_over() -> None:
    assert CharacterLexicon(PAIRS).spell(["m", "en2"]) == []
