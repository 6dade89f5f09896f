"""Round bodies about the axes of several tunnels, standing and moving, and whether one runs into another.

While one tunnel is drilled, its drill with stop and chuck comes down along its axis past the sleeves of the others. All
that is swept is a rod: a cylinder with flat ends, so that a chuck's face may pass a neighbour's top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, permutations
from typing import Any

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray
from guidegen.guide.solids import bore
from guidegen.rounded import shown_beside

LOOKED_FOR_MM = 50.0  # bodies further apart than this are told as this far


@dataclass(frozen=True, eq=False)
class Rod:
    """A cylinder with flat ends (3,), and what it is."""

    name: str
    start_mm: FloatArray
    end_mm: FloatArray
    radius_mm: float

    @cached_property
    def solid(self) -> Any:
        """Itself as a solid."""
        return bore(self.start_mm, self.end_mm, 2.0 * self.radius_mm)


@dataclass(frozen=True, eq=False)
class Channel:
    """What belongs to one tunnel: what stands on the bone, and what its drilling sweeps."""

    standing: tuple[Rod, ...]
    moving: tuple[Rod, ...]


@dataclass(frozen=True, eq=False)
class Drilling:
    """The moving tools in mm: diameters of drill, stop and chuck, the drill's length from chuck to tip, the heights of
    stop and chuck, and the reading at the stop face when the tunnel has its depth.
    """

    drill_mm: float
    drill_length_mm: float
    stop_mm: float
    stop_height_mm: float
    chuck_mm: float
    chuck_length_mm: float
    reading_mm: float

    def swept(self, name: str, stop_face_mm: FloatArray, axis: FloatArray) -> tuple[Rod, ...]:
        """All that the tools sweep outside the stop face (3,), from the drill's tip entering the sleeve to full depth.

        `axis` (3,) is the unit vector into the bone.
        """
        entered = self.drill_length_mm
        ways = (
            ("drill", 0.0, entered + self.chuck_length_mm, self.drill_mm),
            ("stop", 0.0, self.reading_mm + self.stop_height_mm, self.stop_mm),
            ("chuck", entered - self.reading_mm, entered + self.chuck_length_mm, self.chuck_mm),
        )
        return tuple(
            Rod(f"{tool} {name}", stop_face_mm - start * axis, stop_face_mm - end * axis, diameter / 2.0)
            for tool, start, end, diameter in ways
        )


@dataclass(frozen=True)
class Passage:
    """Two bodies and the gap in mm between them, 0 where they run into each other."""

    first: str
    second: str
    gap_mm: float


def gap_mm(first: Rod, second: Rod, looked_for_mm: float = LOOKED_FOR_MM) -> float:
    """The least distance between two rods, 0 where they meet, at most `looked_for_mm`; never too large by their facets,
    too small by 0.04 % of their radii.
    """
    return float(first.solid.min_gap(second.solid, looked_for_mm))


def passages(
    channels: Sequence[Channel], obstacles: Sequence[Rod] = (), looked_for_mm: float = LOOKED_FOR_MM
) -> tuple[Passage, ...]:
    """Every gap, the narrowest first: between what stands for different tunnels, and between what moves for one and
    what stands for another or is an obstacle (bosses, wires) to all. Gaps wider than `looked_for_mm` are told as that.
    """
    pairs = [
        (one, other)
        for first, second in combinations(channels, 2)
        for one in first.standing
        for other in second.standing
    ]
    pairs += [
        (one, other) for first, second in permutations(channels, 2) for one in first.moving for other in second.standing
    ]
    pairs += [(one, other) for channel in channels for one in channel.moving for other in obstacles]
    found = [Passage(one.name, other.name, gap_mm(one, other, looked_for_mm)) for one, other in pairs]
    return tuple(sorted(found, key=lambda passage: passage.gap_mm))


def require_apart(channels: Sequence[Channel], least_mm: float, obstacles: Sequence[Rod] = ()) -> None:
    """NoSafeGuide, which names the narrowest, where a gap is less than `least_mm`."""
    found = passages(channels, obstacles, least_mm)
    if found and found[0].gap_mm < least_mm:
        narrowest = found[0]
        raise NoSafeGuide(
            f"expected {least_mm:g} mm between the sleeves of several tunnels and all that passes them, found "
            f"{shown_beside(narrowest.gap_mm, least_mm, 1)} mm between {narrowest.first} and {narrowest.second}; "
            "choose entries further apart, a smaller stop or chuck, or a fan from one entry",
            rule="sleeves_apart",
            figures={"gap_mm": narrowest.gap_mm, "least_mm": least_mm},
        )
