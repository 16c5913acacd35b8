"""WeTextProcessing's readings of what `chinese_numbers` and `english_numbers` have no rule for.

It is slow (zh 20-80, en 5-7 sentences a second), so that it gets a chunk at a time, and each chunk once.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from earmark.errors import UserError
from earmark.text.numbers import chinese_words, english_numbers

_NAMES = {"zh": tuple(chinese_words.NAMES), "en": english_numbers.ONES[:10]}


@lru_cache(maxsize=1 << 16)
def fst_reading(text: str, language: str) -> str:
    """WeTextProcessing's reading of `text` (zh, en); digits that it leaves or chokes on are read one by one."""
    # pynini's errors for text that its rules do not cover.
    with contextlib.suppress(ValueError, RuntimeError):
        text = normaliser(language).normalize(text.strip())
    return re.sub("[0-9]", lambda match: f" {_NAMES[language][int(match.group())]} ", text)


@cache
def normaliser(language: str) -> Any:
    """The text normaliser of one language, loaded once a process."""
    import logging

    import tn.processor  # noqa: F401  (sets the level of its logger when imported)

    logging.getLogger("wetext").setLevel(logging.WARNING)
    if language == "en":
        from tn.english.normalizer import Normalizer

        # It has no options, so the graph in the package is the one that 40 s of building would give.
        return Normalizer()
    return chinese(cache_dir() / "wetext-zh-faithful")


def chinese(folder: Path) -> Any:
    """Chinese rules that keep 儿 and interjections, as both are spoken; the package's graph drops them."""
    from tn.chinese.normalizer import Normalizer

    keep = dict.fromkeys(("remove_interjections", "remove_erhua", "traditional_to_simple", "full_to_half"), False)
    try:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            build_whole(folder, lambda built: Normalizer(cache_dir=str(built), **keep))
    except OSError as error:
        raise UserError(f"{folder} cannot be written ({error}): set XDG_CACHE_HOME to another folder") from None
    return Normalizer(cache_dir=str(folder), **keep)


def build_whole(folder: Path, build: Callable[[Path], object]) -> None:
    """Build in a temporary folder, then rename; another process may be faster, with the same result."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        built = Path(temporary) / "built"
        build(built)
        try:
            built.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise


def cache_dir() -> Path:
    """Where built rules are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "earmark"
