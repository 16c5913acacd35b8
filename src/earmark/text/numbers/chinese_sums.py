"""Chinese readings of sums, powers and numbers in ten thousands."""

import re

from earmark.text.numbers.chinese_dates import Reading
from earmark.text.numbers.chinese_words import NUMBER, counted, number

_OPERATORS = {
    "+": "加", "-": "减", "×": "乘", "*": "乘", "÷": "除以", "/": "除以", "=": "等于", ">": "大于", "<": "小于",
    "±": "正负", ">=": "大于等于", "<=": "小于等于", "!=": "不等于", "==": "等于",
}  # fmt: skip
_PARTS = re.compile(rf"\d+\^-?\d+|(?<![\d/.])\d+/\d+(?![\d/.^%])|{NUMBER}%?|[<>!=]=|\D")
OPERATOR = r"(?:[<>!=]=|[-+×*÷/=<>±])"


def arithmetic(match: re.Match[str], before: str, after: str) -> Reading:
    """A sum; a sign at its beginning, or behind another one, belongs to the number."""
    reads, held = [], False
    for part in _PARTS.findall(match.group()):
        operand = part[-1].isalnum() or part[-1] in "%)"
        if part[0].isdigit():
            reads.append(_operand(part))
        elif part.isalpha() or part in "()":
            reads.append(f" {part} " if part.isalpha() else "")
        else:
            reads.append(_OPERATORS[part] if held else {"-": "负", "+": "正", "±": "正负"}.get(part, ""))
        held = operand
    return "".join(reads)


def _operand(part: str) -> str:
    """A number of a sum, a share of it, a power; two thirds are a fraction, six by two is a division."""
    if "^" in part:
        return _raised(*part.split("^"))
    if "/" in part:
        above, below = part.split("/")
        if int(above) < int(below):
            return f"{number(below)}分之{number(above)}"
        return f"{number(above)}除以{number(below)}"
    return "百分之" + number(part[:-1]) if part.endswith("%") else number(part)


def power(match: re.Match[str], before: str, after: str) -> Reading:
    """10^6, x^2."""
    return _raised(match["base"], match["power"])


def _raised(base: str, power: str) -> str:
    name = "平" if power == "2" else ("负" if power[0] == "-" else "") + number(power.lstrip("-")) + "次"
    return f"{number(base) if base.isdigit() else f' {base} '}的{name}方"


def ten_thousands(match: re.Match[str], before: str, after: str) -> Reading:
    """10w人, as people type 万."""
    return counted(match["n"], "万") + "万"
