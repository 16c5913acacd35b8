"""What all sections of the configuration share."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal[
    "zh",
    "en",
    "zh-en",
    "yue",
    "zh-sichuan",
    "zh-zhongyuan",
    "zh-southwestern",
    "zh-jilu",
    "zh-jianghuai",
    "zh-lanyin",
    "zh-jiaoliao",
    "zh-northeastern",
    "zh-beijing",
]
"""Mandarin, English, code-switch, Cantonese, Sichuanese; then KeSpeech's subdialects, read as Mandarin."""
Fraction = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]

Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""What torch and numpy both take."""


class Section(BaseModel):
    """A part of the configuration: unknown keys and infinite numbers are refused, values are final."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=(), allow_inf_nan=False
    )
