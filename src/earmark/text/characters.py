"""Characters as CTC targets: what the paper compares phoneme-level pretraining with (Section 3.5).

A Han character is one target, a Latin word its letters; between two Latin words stands `BOUNDARY`, so that targets can
be spelled back. `characters.txt` is the frozen list.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from earmark.text.normalise import HAN

BOUNDARY = "▁"
CHARACTERS = Path(__file__).with_name("characters.txt")
# Written Cantonese beyond the standard character sets, as normalised text spells it.
CANTONESE = (
    "啩啲啱喎喐喺嗮嗰嗱嗻嘅嘑嘢嘥噃噉噏噖噚嚟嚡嚤嚿囖奀孭孻冇冚咁咗哋唓唥"
    "掟掹揈揾搲搣擸攞攰曱甴瀡煠焫瞓脷膶膥𠵱𡃁𢫏𢱑𥄫𦧲𨳒𨳍𨋢躀躝趷跍㓤㗎㗅㗇㩒㪐佢冧掅挼餸"
)


def character_targets(text: str) -> list[str]:
    """Targets of a normalised text: "打开 the window" becomes 打 开 t h e ▁ w i n d o w."""
    parted = re.sub(rf"(?<=[{HAN}]) | (?=[{HAN}])", "", text)
    return list(parted.replace(" ", BOUNDARY))


def spell(targets: Sequence[str]) -> str:
    """The text of character targets: the inverse of `character_targets`."""
    text = "".join(targets).replace(BOUNDARY, " ")
    return re.sub(rf"(?<=[{HAN}])(?=[^\s{HAN}])|(?<=[^\s{HAN}])(?=[{HAN}])", " ", text)
