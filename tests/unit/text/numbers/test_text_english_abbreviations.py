"""English abbreviations, as a specification: one case a line."""

import pytest

from earmark.text.normalise import normalise

CASES = [
    # titles
    ("No. 10 Downing St.", "number ten downing street"),
    ("Mt. Everest and Mt Fuji", "mount everest and mount fuji"),
    ("Hon. Smith", "honorable smith"),
    ("Ft. Worth", "fort worth"),
    ("Capt. Kirk, Lt. Uhura and Sgt. Pepper", "captain kirk lieutenant uhura and sergeant pepper"),
    ("Sen. Sanders met Gov. Newsom and Rep. Lee", "senator sanders met governor newsom and representative lee"),
    ("Prof. X of the Dept. of Physics", "professor x of the department of physics"),
    ("Sammy Davis Jr. and Acme Co.", "sammy davis junior and acme company"),
    # both readings of St. and Dr.
    ("St. Louis", "saint louis"),
    ("In St. Louis", "in saint louis"),
    ("near Mount St. Helens", "near mount saint helens"),
    ("Main St.", "main street"),
    ("on Main St. near Dr. Brown", "on main street near doctor brown"),
    ("He left Main St. He was late", "he left main street he was late"),
    ("2nd St.", "second street"),
    ("I saw Dr. Smith on Ocean Dr. yesterday", "i saw doctor smith on ocean drive yesterday"),
    ("Thanks, Dr.", "thanks doctor"),
    # addresses
    ("123 N. Main St., Springfield, IL 62704",
     "one twenty three north main street springfield illinois six two seven zero four"),
    ("1428 Elm St. It was", "fourteen twenty eight elm street it was"),
    ("708 N 1st St", "seven oh eight north first street"),
    ("Well, OK", "well ok"),
    ("lives in Stroudsburg, PA", "lives in stroudsburg pennsylvania"),
    # words
    ("Smith vs. Jones, etc.", "smith versus jones etcetera"),
    ("coffee w/o sugar", "coffee without sugar"),
    ("Mon.-Sun. and Mon-Fri", "monday to sunday and monday to friday"),
    ("Fig. 3 and pp. 5-7", "figure three and pages five to seven"),
    ("No. 5, Nr. 6, № 7 and #8", "number five number six number seven and number eight"),
    # alone in a text without other signs
    ("see Nr 5", "see number five"),
    ("he is an Esq.", "he is an esquire"),
    ("she left the dept", "she left the department"),
    ("Let us meet in the US", "let us meet in the u s"),
    # acronyms have one spelling
    ("U.S.A.", "usa"),
    ("U. S. A. today", "usa today"),
    ("a T.V. show", "a tv show"),
    ("an F.B.I. agent", "an fbi agent"),
    ("the U.S. army", "the u s army"),
    ("the US army", "the u s army"),
    ("U.S.-based", "u s based"),
    ("TELL US ALL", "tell us all"),
    ("Ph.D. student", "phd student"),
    ("C. S. Lewis", "c s lewis"),
    ("I. T. support", "i t support"),
    ("at 7 A.M. or 5 p.m.", "at seven am or five pm"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_abbreviations(text, expected):
    assert normalise(text, "en") == expected == normalise(expected, "en")


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("N.B.A.比赛", "zh", "nba 比赛"),
        ("我在看C.C.T.V.", "zh-en", "我在看 cctv"),
        ("找Dr.Wang", "zh-en", "找 doctor wang"),
    ],
)
def test_abbreviations_beside_han(text, language, expected):
    assert normalise(text, language) == expected
