"""English dates and hours, as a specification: one case a line."""

import pytest

from earmark.text.normalise import normalise

CASES = [
    ("Jan-Feb", "january to february"),
    ("Jan.-Feb. 2020", "january to february twenty twenty"),
    ("mid-2010s", "mid twenty tens"),
    ("25 july 2012", "the twenty fifth of july twenty twelve"),
    ("the 26th May", "the twenty sixth of may"),
    ("23rd july, 1998", "the twenty third of july nineteen ninety eight"),
    ("5 may be enough", "five may be enough"),
    ("12 march 2020", "the twelfth of march twenty twenty"),
    ("Jan. 5th", "january fifth"),
    ("Sep 2nd", "september second"),
    ("Dec. 25th, 2020", "december twenty fifth twenty twenty"),
    ("Jan-15-2020", "january fifteenth twenty twenty"),
    ("in Jan. 2020", "in january twenty twenty"),
    ("15-02-2021", "the fifteenth of february twenty twenty one"),
    ("15.02.2021", "the fifteenth of february twenty twenty one"),
    ("02/15/2021", "the fifteenth of february twenty twenty one"),
    ("2016/07/03", "the third of july twenty sixteen"),
    ("11/17/05", "the seventeenth of november oh five"),
    ("03/04", "march fourth"),
    ("10:30EST", "ten thirty est"),
    ("2.30 p.m.", "two thirty pm"),
    ("2.30 meters", "two point three oh meters"),
    ("22:41:31", "twenty two hours forty one minutes and thirty one seconds"),
    ("1:01:01", "one hour one minute and one second"),
    ("3pm-5 pm", "three pm to five pm"),
    ("4:00 am - 8:12 pm", "four am to eight twelve pm"),
    ("2:30-3:45 pm", "two thirty to three forty five pm"),
    ("1960s-80s", "nineteen sixties to eighties"),
    ("2Q22", "the second quarter of twenty two"),
    ("2345 apples", "two thousand three hundred and forty five apples"),
    ("1234 people came", "one thousand two hundred and thirty four people came"),
    ("in 1984 students protested", "in nineteen eighty four students protested"),
    ("the 2019 elections", "the twenty nineteen elections"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_dates_and_hours(text, expected):
    assert normalise(text, "en") == expected == normalise(expected, "en")
