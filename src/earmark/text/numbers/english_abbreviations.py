"""English abbreviations that are spoken in full, by one list: titles, places, addresses, months, acronyms.

St. is saint before a name and street behind one, Dr. doctor and drive. Acronyms have one spelling: letters with points
are joined (U.S.A., USA: usa), but U.S. and US are `u s`, since `us` is another word; letters with spaces alone stay,
as they may be spelled.
"""

import itertools
import re

from earmark.text.numbers.english_words import ONES, number, spelled, two_digits

# With a point before anything; without one only before a capital letter (TITLES), or not at all.
_TITLES = {
    "Mt": "mount", "Ft": "fort", "Prof": "professor", "Capt": "captain", "Lt": "lieutenant", "Sgt": "sergeant",
    "Hon": "honorable", "Gov": "governor", "Ste": "sainte", "Cpl": "corporal", "Cmdr": "commander",
}  # fmt: skip
_POINTED = {
    "Rev": "reverend", "Maj": "major", "Gen": "general", "Col": "colonel", "Sen": "senator", "Rep": "representative",
    "Pres": "president", "Adm": "admiral", "Pvt": "private", "Messrs": "messieurs", "Drs": "doctors", "Jr": "junior",
    "Sr": "senior", "Esq": "esquire", "Co": "company", "Inc": "incorporated", "Corp": "corporation", "Ltd": "limited",
    "Bros": "brothers", "Dept": "department", "Assn": "association", "Govt": "government", "Univ": "university",
    "Bldg": "building", "Apt": "apartment", "Vol": "volume", "Blvd": "boulevard", "Hwy": "highway",
    "Ave": "avenue", "Rd": "road", "Ln": "lane", "Approx": "approximately", "Pkwy": "parkway", "Supt": "superintendent",
    "Asst": "assistant", "Vs": "versus", "Intl": "international",
}  # fmt: skip
_WORDS = {
    "vs": "versus", "etc": "etcetera", "dept": "department", "approx": "approximately", "govt": "government",
    "w/o": "without", "w/": "with ", "c/o": "care of", "b/c": "because",
}  # fmt: skip
_STREETS = {
    "St": "street", "Ave": "avenue", "Av": "avenue", "Rd": "road", "Ln": "lane", "Dr": "drive", "Ct": "court",
    "Pl": "place", "Sq": "square", "Blvd": "boulevard", "Hwy": "highway", "Expy": "expressway", "Pkwy": "parkway",
    "Ter": "terrace", "Cir": "circle", "Fwy": "freeway",
}  # fmt: skip
_DIRECTIONS = {"N": "north", "S": "south", "E": "east", "W": "west", "NE": "northeast", "NW": "northwest",
               "SE": "southeast", "SW": "southwest"}  # fmt: skip
_STATES = {
    "AL": "alabama", "AK": "alaska", "AZ": "arizona", "AR": "arkansas", "CA": "california", "CO": "colorado",
    "CT": "connecticut", "DE": "delaware", "FL": "florida", "GA": "georgia", "HI": "hawaii", "ID": "idaho",
    "IL": "illinois", "IN": "indiana", "IA": "iowa", "KS": "kansas", "KY": "kentucky", "LA": "louisiana", "ME": "maine",
    "MD": "maryland", "MA": "massachusetts", "MI": "michigan", "MN": "minnesota", "MS": "mississippi", "MO": "missouri",
    "MT": "montana", "NE": "nebraska", "NV": "nevada", "NH": "new hampshire", "NJ": "new jersey", "NM": "new mexico",
    "NY": "new york", "NC": "north carolina", "ND": "north dakota", "OH": "ohio", "OK": "oklahoma", "OR": "oregon",
    "PA": "pennsylvania", "RI": "rhode island", "SC": "south carolina", "SD": "south dakota", "TN": "tennessee",
    "TX": "texas", "UT": "utah", "VT": "vermont", "VA": "virginia", "WA": "washington", "WV": "west virginia",
    "WI": "wisconsin", "WY": "wyoming",
}  # fmt: skip
# Behind a comma these are as likely a word (Well, OK), so that they need a postal code.
_WORDLIKE = {"IN", "OR", "ME", "OK", "HI", "OH", "ID", "MS", "MD", "CO", "LA", "AL"}
_WEEKDAYS = {
    "Mon": "monday", "Tue": "tuesday", "Tues": "tuesday", "Wed": "wednesday", "Thu": "thursday", "Thur": "thursday",
    "Thurs": "thursday", "Fri": "friday", "Sat": "saturday", "Sun": "sunday",
}  # fmt: skip
# Before a number.
_PARTS = {
    "fig": "figure", "figs": "figures", "ch": "chapter", "chap": "chapter", "sec": "section", "eq": "equation",
    "art": "article", "p": "page", "pp": "pages", "ep": "episode", "vol": "volume", "vols": "volumes",
    "app": "appendix",
}  # fmt: skip
# Words in capitals that are no name of a street: In St. Louis, Mount St. Helens, Thanks Dr. Smith.
_NO_STREET = frozenset(
    "a about after am and are as at before between by can did do dear does for fort from hello hi how i in into is it "  # noqa: SIM905
    "its lake meet meeting mount mr mrs ms my near no of on or our over port said see since so sault thank thanks that "
    "the then this through to today under until visit was we were what when where who why will with yes you your "
    "he she they his her him there but so if cape east west north south president professor your dear san".split()
)
_DAY = "|".join(_WEEKDAYS)
_WORD = re.compile(
    r"(?<![\w./-])(?P<word>(?i:vs|etc|dept|approx|govt))(?:\.(?!\w)|(?![\w.]))|"
    r"(?<!\w)(?P<slashed>w/o|w/(?= ?[a-z])|c/o|b/c)(?!\w)"
)
_MISTER = re.compile(r"(?<![A-Za-z])(?:(?P<mister>(?i:mr))|(?P<missus>(?i:mrs)))(?![A-Za-z])\.?")
_TITLE = re.compile(rf"(?<![A-Za-z.])(?P<title>{'|'.join(_TITLES)})(?:\.(?![A-Za-z])|(?= [A-Z][a-z])(?!'))")
_POINT = re.compile(rf"(?<![A-Za-z.])(?P<point>{'|'.join(_POINTED)}|apt|bldg|vol|prof)\.(?![A-Za-z])")
_NUMBER = re.compile(r"(?<![A-Za-z])(?:[Nn]os?|NO|[Nn]r|NR)\. ?(?=\d)|(?<![A-Za-z])Nr (?=\d)")
_PART = re.compile(rf"(?<![A-Za-z.])(?P<part>(?i:{'|'.join(_PARTS)}))\. ?(?=\d)")
_AMBIGUOUS = re.compile(
    r"(?:(?P<before>[A-Za-z'0-9]+) )?(?<![A-Za-z.])(?P<short>St|ST|Dr|DR|dr(?=\.))(?![A-Za-z'])(?P<point>\.?)"
    r"(?= ?(?P<next>[A-Za-z]*))"
)
_NAME = r"(?:[A-Z][A-Za-z']+|\d{1,3}(?:st|nd|rd|th))"
_ADDRESS = re.compile(
    rf"(?<![\w$€£.,-])(?<!No\. )(?<!No )(?P<house>\d{{1,5}}) (?:(?P<direction>[NSEW]|N[EW]|S[EW])\.? )?"
    rf"(?P<name>{_NAME}(?: {_NAME}){{0,2}}) "
    rf"(?P<street>(?i:{'|'.join(_STREETS)}))(?![A-Za-z])\.?"
)
_STATE = re.compile(
    rf"(?<=[a-z]), (?P<state>{'|'.join(_STATES)})(?![A-Za-z.'])(?:,? (?P<zip>\d{{5}})(?:-(?P<four>\d{{4}}))?(?!\d))?"
)
_WEEK = re.compile(
    rf"(?<![A-Za-z])(?P<first>{_DAY})\.? ?[-–] ?(?P<second>{_DAY})(?![A-Za-z])\.?|"
    rf"(?<![A-Za-z])(?P<day>{_DAY})\.(?=,? [A-Z0-9])"
)
_DOTTED = re.compile(
    r"(?<![A-Za-z.])(?:[A-Z]\.){2,}(?:[A-Z](?![A-Za-z]))?|"
    r"(?<![A-Za-z.])[A-Z](?:\.[A-Z])+(?![A-Za-z.])|(?<![A-Za-z.])[A-Z]\.(?: [A-Z]\.){2,}(?! [A-Z][a-z])"
)
_DEGREE = re.compile(r"(?<![A-Za-z])(Ph|PH)\. ?D(?![A-Za-z])\.?")
_LOWER_DOTTED = re.compile(r"(?<![A-Za-z.])(?:([APap])\. ?[Mm]|(a)\.k\.a|([ecmp])\.s\.t)(?![A-Za-z])\.?")
_US = re.compile(r"(?<![A-Za-z.$])(?:U\.S(?:\.(?![A-Za-z])|(?![\w.$]))|US(?![\w$]))")
# Joined they would be other words.
_SPELLED = frozenset("US IT IS OR AN AT IN ON SO NO HE ME WE GO DO TO BE BY MY IF UP OF AS".split())  # noqa: SIM905
# A text without any of these has nothing to read here.
_TOKEN = re.compile("[A-Za-z]+")
_TOKENS = frozenset(
    short
    for table in (_TITLES, _POINTED, _STREETS, _STATES, _WEEKDAYS, _PARTS)
    for short in (*table, *map(str.upper, table), *map(str.lower, table))
) | {"mr", "Mr", "MR", "mrs", "Mrs", "MRS", "vs", "Vs", "VS", "etc", "Etc", "ETC", "approx", "govt", "US", "no", "No",
     "NO", "Nos", "nos", "Nr", "nr", "NR", "w", "b", "c"}  # fmt: skip
# Without digits, and without points and other signs before its end, a text has to hold one of these.
_SIGN_INSIDE = re.compile(r"\d|[./–-](?!$)")
_ALONE = frozenset(
    "".join(letters)
    for word in ("mr", "mrs", "vs", "etc", "dept", "approx", "govt")
    for letters in itertools.product(*zip(word, word.upper(), strict=True))
) | {*_TITLES, *_POINTED, *_STATES, "apt", "bldg", "vol", "prof", "St", "ST", "Dr", "DR", "dr", "US"}
_LETTER_POINT = re.compile(r"(?<![A-Za-z])[A-Za-z]\. ?[A-Za-z]|Ph\.|PH\.")


def read_abbreviations(text: str) -> str:
    """Mr. Brown: mister brown; Mt. Everest: mount everest; 12 Main St: 12 main street; U.S.A.: USA; No. 5: number 5."""
    words = _TOKEN.findall(text)
    if _TOKENS.isdisjoint(words) and not _LETTER_POINT.search(text):
        return text
    if _ALONE.isdisjoint(words) and not _SIGN_INSIDE.search(text):
        return text
    text = _STATE.sub(_state, _ADDRESS.sub(_address, text))
    text = _MISTER.sub(lambda match: f" {match.lastgroup} ", _WEEK.sub(_weekdays, text))
    text = _PART.sub(lambda match: f" {_PARTS[match['part'].lower()]} ", _NUMBER.sub(" number ", text))
    text = _POINT.sub(_full, _TITLE.sub(_full, _AMBIGUOUS.sub(_saint_or_street, text)))
    return _acronyms(_WORD.sub(_word, text))


def _full(match: re.Match[str]) -> str:
    name = match.group(match.lastgroup or 0)
    return f" {_TITLES.get(name) or _POINTED[name.title()]} "


def _word(match: re.Match[str]) -> str:
    return f" {_WORDS[(match['word'] or match['slashed']).lower()]} "


def _saint_or_street(match: re.Match[str]) -> str:
    """Saint and doctor stand before a name, street and drive behind one."""
    before, short, after = match["before"] or "", match["short"].title(), match["next"]
    start = f"{before} " if before else ""
    name, street = ("saint", "street") if short == "St" else ("doctor", "drive")
    behind = (before[:1].isupper() and before.lower() not in _NO_STREET) or re.fullmatch(r"\d+(?:st|nd|rd|th)", before)
    if after[:1].isupper() and not (behind and after.lower() in _NO_STREET):
        return f"{start}{name} "
    if behind:
        return f"{start}{street} "
    if short == "Dr" or (match["point"] and after):
        return f"{start}{name} "
    return match.group()


def _address(match: re.Match[str]) -> str:
    """123 N Main St: one twenty three north main street."""
    direction = f"{_DIRECTIONS[match['direction']]} " if match["direction"] else ""
    return f"{_house(match['house'])} {direction}{match['name']} {_STREETS[match['street'].title()]} "


def _house(digits: str) -> str:
    """In pairs up to four digits (one twenty three, seven oh eight, fourteen twenty eight), longer ones one by one."""
    if len(digits) == 3 and not digits.endswith("00"):
        rest = f"oh {ONES[int(digits[2])]}" if digits[1] == "0" else two_digits(int(digits[1:]))
        return f"{ONES[int(digits[0])]} {rest}"
    return number(digits) if len(digits) < 5 else spelled(digits)


def _state(match: re.Match[str]) -> str:
    """, CA 95051: california nine five zero five one."""
    if match["state"] in _WORDLIKE and not match["zip"]:
        return match.group()
    code = f" {spelled(match['zip'] + (match['four'] or ''))}" if match["zip"] else ""
    return f", {_STATES[match['state']]}{code}"


def _weekdays(match: re.Match[str]) -> str:
    if match["day"]:
        return _WEEKDAYS[match["day"]]
    return f"{_WEEKDAYS[match['first']]} to {_WEEKDAYS[match['second']]}"


def _acronyms(text: str) -> str:
    text = _LOWER_DOTTED.sub(lambda match: re.sub(r"[. ]", "", match.group()) + " ", _DEGREE.sub("PhD ", text))
    # Text in capitals alone has US for us.
    if not text.isupper() or not text.isascii():
        text = _US.sub("u s", text)
    return _DOTTED.sub(_dotted, text)


def _dotted(match: re.Match[str]) -> str:
    letters = re.sub(r"[. ]", "", match.group())
    return " ".join(letters) if letters in _SPELLED else letters
