"""English signs and telephone numbers, as a specification: one case a line."""

import pytest

from earmark.text.normalise import normalise
from earmark.text.numbers.english_signs import lost, read_pieces

CASES = [
    ("3 * 10 μm", "three times ten micrometers"),
    ("5 - 3 = 2", "five minus three equals two"),
    ("1−2=3", "one minus two equals three"),
    ("10 / 2 = 5", "ten divided by two equals five"),
    ("y=x +1", "y equals x plus one"),
    ("x^2 + y^2 = z^2", "x squared plus y squared equals z squared"),
    ("10⁻³", "ten to the power of minus three"),
    ("3 / 4", "three quarters"),
    ("-1/7", "negative one seventh"),
    ("-3/4 cup", "negative three quarters cup"),
    ("120/80", "one hundred and twenty over eighty"),
    ("6℃~34℃", "six to thirty four degrees celsius"),
    ("21%~28%", "twenty one percent to twenty eight percent"),
    ("5~10 km", "five to ten kilometers"),
    ("5-10 km", "five to ten kilometers"),
    ("$5~$10", "five to ten dollars"),
    ("10am~5pm", "ten am to five pm"),
    ("~5 km", "approximately five kilometers"),
    ("50-50", "fifty fifty"),
    ("3:3", "three to three"),
    ("5 → 6", "five to six"),
    ("x² + y² = z²", "x squared plus y squared equals z squared"),
    ("5 m²", "five square meters"),
    ("3 x 4", "three times four"),
    ("5 > 3", "five greater than three"),
    ("x < 5", "x less than five"),
    ("if a>b then", "if a greater than b then"),
    ("x > y", "x greater than y"),
    ("x >= y", "x greater than or equal to y"),
    ("a->b", "a to b"),
    ("3 -> 4", "three to four"),
    ("≥20", "greater than or equal to twenty"),
    ("1≠2", "one not equal to two"),
    ("5 ± 2", "five plus or minus two"),
    ("~20 people", "approximately twenty people"),
    ("1990 - 1995", "nineteen ninety to nineteen ninety five"),
    ('".25"', "point two five"),
    ("8.5/10", "eight point five out of ten"),
    ("5‰", "five per mille"),
    ("§ 5", "section five"),
    ("α helix", "alpha helix"),
    ("Ελλάδα", "ελλάδα"),
    ("401(k)", "four oh one k"),
    # no sums
    ("Call me at 135-4567-8900.", "call me at one three five four five six seven eight nine zero zero"),
    ("222-33-4444", "two two two three three four four four four"),
    ("321/4567/2020", "three two one four five six seven two zero two zero"),
    ("4-4-2", "four four two"),
    ("978-3-16-148410-0", "nine seven eight three one six one four eight four one zero zero"),
    ("021-6234-5678", "zero two one six two three four five six seven eight"),
    ("+44 20 7946 0958", "four four two zero seven nine four six zero nine five eight"),
    ("(234)-543-2435", "two three four five four three two four three five"),
    ("call 555 1234", "call five five five one two three four"),
    ("4111 1111 1111 1111", "four one one one one one one one one one one one one one one one"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_signs(text, expected):
    assert normalise(text, "en") == expected


def test_what_no_rule_knows_is_read_piece_by_piece():
    assert read_pieces("-3%@₩5") == "negative three percent at won five"


@pytest.mark.parametrize(
    ("chunk", "read", "expected"), [("5%", "five", True), ("5%", "five percent", False), ("₩5", "five", True)]
)
def test_lost_signs_are_found(chunk, read, expected):
    assert lost(chunk, read) is expected
