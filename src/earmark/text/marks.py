"""What stands in a written text and is not heard: entities of HTML, tags of corpora and subtitles, marks without sound.

Also the typography of numbers, which has to be settled before NFKC: thin spaces and apostrophes between groups of
digits, powers, number signs.
"""

import html
import re
import unicodedata

# html.unescape also takes names without a semicolon (`do&not` would be `do¬`), so it sees whole entities only;
# of the short forms those that cannot be anything else.
_ENTITY = re.compile(
    r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});|&#\d{2,5}(?!\d)|"
    r"&(?:amp|lt|gt|quot|apos|nbsp)(?![A-Za-z0-9;])"
)
# &amp;amp;#39; is a text that three programs have escaped.
_LAYERS = 3
# <COMMA>, <|0.00|>, </s>, <i>, <font color="red">, <v Anna>, [laughter], [*], {NOISE}, (applause), 【笑声】, times of
# subtitles: angle brackets of arithmetic hold spaces or digits, round and curly ones may hold words that were spoken.
_CLOCK = r"(?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?"
_TAG = re.compile(
    r"<\|[^|<>]{0,40}\|>|<[/|]?[A-Za-z_-]{1,30}\d?\s?[/|]?>|<(?:v|c|lang)[ .][^<>]{1,40}>|"
    r"<[A-Za-z]{1,15}(?:\s+[A-Za-z:-]{1,20}=(?:\"[^\"<>]{0,80}\"|'[^'<>]{0,80}'|[^\s\"'<>=]{1,40}))+\s*/?>|"
    r"<[A-Za-z]{1,15}=[^\s<>]{1,40}>|"
    rf"<{_CLOCK}>|\[{_CLOCK}\]|{_CLOCK} ?--+> ?{_CLOCK}|"
    r"\[[A-Za-z_ *-]{1,30}\]|\{[A-Z_]{1,30}\}|\{\\[A-Za-z0-9&]{1,20}\}|%HESITATION|ignore_time_segment_in_scoring|"
    r"\((?i:laughter|laughs|laughing|applause|music|noise|coughs?|inaudible|crosstalk)\)|"
    r"[\[【(<](?:笑|笑声|掌声|音乐|噪音|杂音|咳嗽|哭声|呼吸声|静音|背景音)[\]】)>]"
)
# What a tag begins with.
_OPENING = re.compile(r"[<\[{(【%]|-->|ignore_time")
# Marks of the typography of numbers that are not ASCII.
_TYPOGRAPHY = re.compile("[’\u00a0\u2007-\u200a\u202f\u205fº˚°№٬٫²³¹⁰-⁹⁻—―]")
_DIGIT = re.compile(r"[\d²³¹⁰-⁹]")
# Selectors of glyphs (also those of other planes), keycaps and other enclosing marks, fillers, the grapheme joiner:
# neither letters nor spaces. NFKC would make TM of ™.
# Characters of format (category Cf: joiners, directions, tags, soft hyphens) are listed by their ranges.
_UNHEARD = re.compile(
    "[\u0488\u0489\u1abe\ua670-\ua672\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u20dd-\u20e0\u20e2-\u20e4\u3164\uffa0\ufe00-\ufe0f"
    "\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff™℠®©℗🄬🅪🅫🅬]"
)
_KEYCAP = re.compile("[#*]\ufe0f?\u20e3")
# Marks that are letters in brackets: Acme(TM).
_BRACKETED = re.compile(r"(?<=[A-Za-z]{2})\((?:TM|tm|SM|R|C)\)")
# 1'000'000, 5 000 km (no-break and thin spaces), 1_000, 10³, 5—6, № 7, 45º.
_THIN = re.compile(r"(?<!\d)(\d{1,3})((?:['’\u00a0\u2007-\u200a\u202f\u205f]\d{3})+)(?![\d'’])")
_PLAIN_SPACED = re.compile(r"(?<![\d.,:/+-])(?<!\d )([1-9]\d{0,2})((?: 000)+)(?! ?\d)")
_UNDERSCORED = re.compile(r"(?<=\d)_(?=\d{3}(?!\d))")
_INDIAN = re.compile(r"(?<![\d,])\d{1,2}(?:,\d{2})+,\d{3}(?![\d,])")
_POINTED = re.compile(r"(?<![\d.])[1-9]\d{0,2}\.\d{3}\.\d{3}(?![\d.]\d|\d)")
# m², km² and cm³ are units, which NFKC makes m2; other letters alone are variables.
_POWER = re.compile(r"(?:(?<=[\d)])|(?<![A-Za-z]{2})(?<=[abcnprxyzABCNPRXYZ]))⁻?[⁰¹²³⁴-⁹]+")
_DASH = re.compile(r"(?<=\d)[—―](?=\d)")
_NUMERO = re.compile(r"(?<![A-Za-z])[Nn][º°]\.?(?= ?\d)|№\.?")
_DEGREE = re.compile(r"(?<=\d)º|˚")


def without_marks(text: str) -> str:
    """The text without entities (the characters that they stand for), unheard marks and format characters.

    Tags are left, as full-width brackets become plain ones only later: see `without_tags`.
    """
    for _ in range(_LAYERS):
        if "&" not in text:
            break
        text = _ENTITY.sub(lambda match: html.unescape(match.group()), text)
    if "(" in text:
        text = _BRACKETED.sub("", text)
    if text.isascii():
        return text
    return _UNHEARD.sub("", _KEYCAP.sub(" ", text))


def without_tags(text: str) -> str:
    """Tags of corpora, of Whisper and of subtitles become spaces."""
    return _TAG.sub(" ", text) if _OPENING.search(text) else text


def plain_numbers(text: str) -> str:
    """Groups of digits joined, powers with ^, number signs as No., Arabic separators as ours."""
    if not _DIGIT.search(text):
        return text
    special = not text.isascii() and _TYPOGRAPHY.search(text)
    if special or "'" in text:
        text = _THIN.sub(_grouped, text)
    if " 000" in text:
        text = _PLAIN_SPACED.sub(_grouped, text)
    if "_" in text:
        text = _UNDERSCORED.sub("", text)
    if "," in text:
        text = _INDIAN.sub(lambda match: match.group().replace(",", ""), text)
    if "." in text:
        text = _POINTED.sub(lambda match: match.group().replace(".", ""), text)
    return _plain_typography(text) if special else text


def _plain_typography(text: str) -> str:
    """Of numbers: degree, number and Arabic signs, powers, dashes."""
    text = _NUMERO.sub("No.", _DEGREE.sub("°", text)).replace("٬", "").replace("٫", ".")
    return _DASH.sub(
        "-", _POWER.sub(lambda match: "^" + unicodedata.normalize("NFKC", match.group()).replace("−", "-"), text)
    )


def _grouped(match: re.Match[str]) -> str:
    """5 000 000 -> 5,000,000, as such numbers are no years."""
    return ",".join([match[1], *re.findall(r"\d{3}", match[2])])
