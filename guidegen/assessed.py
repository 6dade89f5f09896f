"""What is known of a hip after the first stages: as assessed, and as planned."""

from __future__ import annotations

from dataclasses import dataclass

from guidegen.bone.anatomy import Anatomy
from guidegen.bone.surface import Bone
from guidegen.case import Case
from guidegen.errors import NoSafePlan
from guidegen.intake.inputs import Origin
from guidegen.intake.sides import SideSource
from guidegen.keep_out import KeepOut
from guidegen.lesion.grades import Grades
from guidegen.lesion.lesion import Lesion
from guidegen.overrides import Overruled
from guidegen.plan.planning import Plan
from guidegen.plan.tunnel import Tunnel


@dataclass(frozen=True)
class Sides:
    """Everything that says which side it is; all of it agrees."""

    sources: tuple[SideSource, ...]


@dataclass(frozen=True, eq=False)
class Assessed:
    """The hip as read: its bone, what to keep away from, its anatomy, and the lesion with its grades.

    `overruled` are the values that an expert gave in place of those computed; they are in `anatomy` already.
    """

    case: Case
    origin: Origin
    bone: Bone
    keep_out: KeepOut
    anatomy: Anatomy
    overruled: tuple[Overruled, ...]
    sides: Sides
    lesion: Lesion
    grades: Grades


@dataclass(frozen=True, eq=False)
class Planned:
    """The hip, and its plan; None where an order could not even be measured.

    `refusal` says why no guide may be built on it; None for a plan to build on.
    """

    assessed: Assessed
    plan: Plan | None
    refusal: NoSafePlan | None

    @property
    def tunnels(self) -> tuple[Tunnel, ...]:
        """The tunnels of the plan, lawful or marked; none where there are none."""
        return () if self.plan is None or self.plan.chosen is None else self.plan.chosen.tunnels
