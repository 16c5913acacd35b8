"""English units and currencies, as a specification: one case a line."""

import pytest

from earmark.text.normalise import normalise

CASES = [
    ("15KG", "fifteen kilograms"),
    ("200 million kg", "two hundred million kilograms"),
    ("1°C and 2°C", "one degree celsius and two degrees celsius"),
    ("1 mbps", "one megabit per second"),
    ("10 MB/s", "ten megabytes per second"),
    ("12/kg", "twelve per kilogram"),
    (".75 km", "point seven five kilometers"),
    ("10 μm", "ten micrometers"),
    ("2-5lb", "two to five pounds"),
    ("4 1/2 lbs", "four and a half pounds"),
    ("5 mins", "five minutes"),
    ("41 km³", "forty one cubic kilometers"),
    ("50 m/s²", "fifty meters per second squared"),
    ("5 ft 10 in", "five feet ten inches"),
    ('12"', "twelve inches"),
    ('she said "page 12"', "she said page twelve"),
    ("5G network", "five g network"),
    ("5,5 kg", "five point five kilograms"),
    ("1.5M views", "one point five m views"),
    ("US$6.3 trillion", "six point three trillion us dollars"),
    ("₩20 million", "twenty million won"),
    ("A$50, C$20 and NT$5", "fifty australian dollars twenty canadian dollars and five taiwan dollars"),
    ("₹500", "five hundred rupees"),
    ("20€", "twenty euros"),
    ("USD 50 and 50 EUR", "fifty us dollars and fifty euros"),
    ("-$5", "negative five dollars"),
    ("$.99", "point nine nine dollars"),
    # written twice
    ("$5 dollars", "five dollars"),
    ("$5 million dollars", "five million dollars"),
    ("€20 euros", "twenty euros"),
    ("$5 USD", "five us dollars"),
    ("¥30 yuan", "thirty yuan"),
    ("he bet $10 won", "he bet ten dollars won"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_units_and_currencies(text, expected):
    assert normalise(text, "en") == expected == normalise(expected, "en")
