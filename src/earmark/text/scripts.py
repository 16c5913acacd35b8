"""Is a text in the script of its language? Corpora from the web hold mislabelled ones."""

from earmark.text.normalise import check_language, script_runs

WRONG = "wrong script for its language"


def script_fault(text: str, language: str) -> str | None:
    """`WRONG` for a normalised text that another language's script gives away, else None.

    Mandarin, its dialects and Cantonese hold a Han character at least (Latin words among them are code-switching),
    English holds none, zh-en either; kana, hangul, Cyrillic and other letters are in none of them. Digits and
    symbols, which normalised text has not, do not count. Raises `TextError` for an unknown language.
    """
    check_language(language)
    runs = script_runs(text)
    scripts = {script for script, run in runs if script != "und"}
    if any(character.isalpha() for script, run in runs if script == "und" for character in _foreign(run)):
        return WRONG
    if language == "en":
        return WRONG if "zh" in scripts else None
    if language == "zh-en":
        return None
    return None if "zh" in scripts else WRONG


def _foreign(run: str) -> str:
    """The run without plain Latin letters: `mp3` is no fault of script."""
    return "".join(character for character in run if not character.isascii())
