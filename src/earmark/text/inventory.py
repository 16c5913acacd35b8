"""The frozen list of symbols that the CTC head predicts: phones, or characters for comparison.

`phones.txt` holds one phone a line, in the order of their ids (from 1; id 0 is the blank). Changing it
changes the meaning of every shard and checkpoint; `Inventory.hash` stands in both, so that nobody mixes them.
`characters.txt` is the same for characters.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from earmark.errors import TextError, UserError

if TYPE_CHECKING:
    from earmark.config import Text

BLANK = "<blank>"
PACKAGED = {targets: Path(__file__).with_name(f"{targets}.txt") for targets in ("phones", "characters")}


@dataclass(frozen=True)
class Inventory:
    """Phones in the order of their ids; `phones[0]` is the CTC blank."""

    phones: tuple[str, ...]
    """"<blank>" and the phones of the file, in its order."""
    hash: str = field(default="")
    """First 16 hexadecimal digits of the SHA-256 of the file's bytes."""

    @classmethod
    def packaged(cls, targets: str) -> "Inventory":
        """The packaged inventory of "phones" or of "characters"."""
        return cls.load(PACKAGED[targets])

    @classmethod
    def from_settings(cls, text: "Text") -> "Inventory":
        """The inventory that the configuration's section `text` names, else the packaged one of its targets."""
        return cls.load(text.inventory) if text.inventory else cls.packaged(text.targets)

    @classmethod
    def load(cls, path: Path | None = None) -> "Inventory":
        """Read one phone a line (`#` starts a comment line); `path` None reads the packaged phones.

        Raises `UserError` for a missing file and for a damaged or repeated line, which it names.
        """
        path = path or PACKAGED["phones"]
        try:
            raw = path.read_bytes()
            lines = raw.decode("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"the inventory {path} cannot be read ({error}): restore it") from None
        seen = {BLANK: 0}
        for number, line in enumerate(lines, start=1):
            if line.startswith("#"):
                continue
            if not line or any(c.isspace() or not c.isprintable() or c == "\ufffd" for c in line):
                raise UserError(f"{path}, line {number}: {line!r} is not one phone; restore the file")
            if line in seen:
                raise UserError(f"{path}, line {number}: {line!r} stands there twice; restore the file")
            seen[line] = len(seen)
        return cls(tuple(seen), hashlib.sha256(raw).hexdigest()[:16])

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {phone: index for index, phone in enumerate(self.phones)}

    def __len__(self) -> int:
        """Number of classes of a CTC head: the phones and the blank."""
        return len(self.phones)

    def __contains__(self, phone: object) -> bool:
        return phone in self._ids

    def encode(self, phones: Sequence[str]) -> list[int]:
        """Ids of `phones`; `TextError` ("phone outside the inventory") names the first unknown one."""
        try:
            return [self._ids[phone] for phone in phones]
        except KeyError as error:
            raise TextError(
                f"phone {error.args[0]!r} is not in the inventory {self.hash}: leave this utterance out",
                "phone outside the inventory",
            ) from None

    def decode(self, ids: Sequence[int]) -> list[str]:
        """Phones of `ids`; `UserError` for an id that is not in 0..len-1."""
        bad = [index for index in ids if not 0 <= index < len(self.phones)]
        if bad:
            raise UserError(f"phone id {bad[0]} is not in 0..{len(self) - 1}: the labels use another inventory")
        return [self.phones[index] for index in ids]
