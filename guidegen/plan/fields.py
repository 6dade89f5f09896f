"""What every template is made of: frozen, nothing unknown in it, and numbers that can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, StrictBool

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]
Words = Annotated[str, Field(min_length=1)]
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
