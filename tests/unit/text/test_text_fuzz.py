"""Random texts: nothing but `TextError` is raised, and normalising twice changes nothing. 10,300 inputs in all."""

import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from earmark.errors import TextError
from earmark.text.characters import character_targets, spell
from earmark.text.normalise import normalise, script_fault
from earmark.text.numbers import stretches, wetext
from earmark.text.phonemes import Phonemizer

LANGUAGES = ["zh", "en", "zh-en", "yue", "zh-sichuan"]
# Planes, scripts and characters that have gone wrong somewhere.
POOLS = (
    *("0123456789", "0123456789.,:/-%~+=*$€£¥°&@#'\"()<>[]{}", "二两第约年月日号个元点分之后", "kgmhsGHz°CFapPM."),
    *("abcXYZ' -", "銀行乾著裏嗰喎㗎𨋢〇你好儿一不", "ÀÉßæœłİıǅﬁ", "ａＢ１２．％：，。！？、"),
    *("½¼⅔²③Ⅲ㎡℃‰№", "ありがとう안녕привет", "\u200b\u200d\ufeff\u202e\u0301\u20e3"),
    *("\x00\x07\x1b\x7f\x85\n\t\r", "😀👍🏽🇨🇳", "\ud7ff\ue000\uffff\U0001d7d8\U0010ffff"),
)
ANY = st.characters(exclude_categories=["Cs"])
QUICK = settings(max_examples=700, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def phonemizer():
    return Phonemizer()


@pytest.fixture
def no_transducers(monkeypatch):
    """In place of WeTextProcessing, which takes 1-100 ms a call: it reads nothing, so that digits are spelled."""

    class Silent:
        def normalize(self, text):
            return text

    wetext.fst_reading.cache_clear()
    monkeypatch.setattr(wetext, "normaliser", lambda language: Silent())
    yield
    wetext.fst_reading.cache_clear()


def check(text, language):
    """Canonical text, or None where it is refused."""
    try:
        once = normalise(text, language)
    except TextError as error:
        assert error.reason == "empty after normalising"
        return None
    assert normalise(once, language) == once == normalise(once, "zh" if language == "en" else "en")
    assert once == " ".join(once.split())
    assert not any(character.isdecimal() or character in stretches.SYMBOLS for character in once)
    return once


def mixtures(count, seed):
    rng = random.Random(seed)
    for _ in range(count):
        pools = rng.sample(POOLS, rng.randint(1, 4))
        yield "".join(rng.choice(rng.choice(pools)) for _ in range(rng.randint(0, 24))), rng.choice(LANGUAGES)


@QUICK
@given(text=st.text(ANY, max_size=30), language=st.sampled_from(LANGUAGES))
def test_any_unicode_is_normalised_once(no_transducers, text, language):
    check(text, language)


def test_mixtures_are_normalised_once(no_transducers):
    for text, language in mixtures(8100, seed=1):
        check(text, language)


def test_mixtures_are_labelled_or_refused(no_transducers, phonemizer):
    canonical = [(check(text, language), language) for text, language in mixtures(1200, seed=2)]
    pairs = [(text, language) for text, language in canonical if text]
    raw = list(mixtures(300, seed=3))
    for (text, _), labels in zip(pairs + raw, phonemizer.label_many(pairs + raw), strict=True):
        if isinstance(labels, TextError):
            assert labels.reason in ("cannot be labelled", "phone outside the inventory")
        else:
            assert phonemizer.inventory.encode(labels)
            assert script_fault(text, "zh-en") is None
    for text, _ in pairs:
        if script_fault(text, "zh-en") is None:
            assert spell(character_targets(text)) == text


@pytest.mark.slow
def test_mixtures_are_normalised_once_with_the_transducers():
    for text, language in mixtures(2000, seed=4):
        check(text, language)


@pytest.mark.parametrize("unit", ["9", "好", "a", "1,", "3.5%", "2个", "< ", "[a", "'", "https://", "½", "㗎"])
def test_very_long_texts_take_time_in_proportion(no_transducers, unit):
    started = time.perf_counter()
    check(unit * 20_000, "zh-en")
    assert time.perf_counter() - started < 10
