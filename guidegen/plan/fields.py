"""What every template is made of: frozen, nothing unknown in it, and numbers that can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, StrictBool


def _printable(text: str) -> str:
    """Neither control characters nor those that turn the way of writing: such a name is not what it looks like."""
    if not text.isprintable():
        raise ValueError(f"expected one line of printable characters, found {text!r:.80}")
    return text


def _no_switch(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"expected 1 or 2, found {value!r}")
    return value


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]
Words = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_printable)]
Title = Annotated[Words, Field(max_length=64)]
Cortices = Annotated[Literal[1, 2], BeforeValidator(_no_switch)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]  # as a case file names a template or a cycle
Switch = StrictBool


@dataclass(frozen=True)
class Within:
    """A number from `low` to `high`, both allowed. Text that looks like a number is none, nor is true or false."""

    low: float
    high: float

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        return BeforeValidator(self._checked).__get_pydantic_core_schema__(source, handler)

    def _checked(self, value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            raise ValueError(f"expected a number from {self.low:g} to {self.high:g}, found {value!r}")
        return value


class Template(BaseModel):
    """A table of a template file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
