"""What every template is made of: frozen, nothing unknown in it, and numbers that can be."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Degrees = Annotated[float, Field(gt=0, lt=90, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Words = Annotated[str, Field(min_length=1)]


class Template(BaseModel):
    """A table of a template file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
