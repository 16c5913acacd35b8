"""Units, currencies and what takes 两, as they are read in Chinese."""

import pytest

from earmark.text.normalise import normalise

READINGS = [
    ("2蚊", "两蚊"),
    ("12蚊", "十二蚊"),
    ("2餐饭", "两餐饭"),
    ("2美元", "两美元"),
    ("2欧元", "两欧元"),
    ("2立方米", "两立方米"),
    ("2英里", "两英里"),
    ("2针疫苗", "两针疫苗"),
    ("2节课", "两节课"),
    ("2单元", "二单元"),
    ("2季度", "二季度"),
    ("2小时", "两小时"),
    ("12英里", "十二英里"),
    ("5km公里", "五公里"),
    ("5kg公斤", "五公斤"),
    ("5m²平方米", "五平方米"),
    ("25℃度", "二十五度"),
    ("25℃摄氏度", "二十五摄氏度"),
    ("5μm", "五微米"),
    ("10Ω", "十欧姆"),
    ("100Mbps", "一百兆比特每秒"),
    ("60mph", "每小时六十英里"),
    ("20000300000", "两百亿零三十万"),
    ("10000100000", "一百亿零一十万"),
    ("100000000000", "一千亿"),
]


@pytest.mark.parametrize(("written", "spoken"), READINGS)
def test_is_read(written, spoken):
    assert normalise(written, "zh") == spoken
