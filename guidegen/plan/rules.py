"""The rules a tunnel must keep, and what makes one lawful tunnel better than another.

Figures and sources: clinical facts, §3. `[M]` marks a figure from memory of the literature:
a default, to be confirmed by the surgeon who works with it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Rules:
    """Hard limits (a tunnel that breaks one is no plan), then the aims of the soft terms and their weights."""

    # tunnel wall to the outer cortex, outside the head and past the entry [M]; with a lateral
    # error of 2.8 mm (P95) 3 mm is the least that the error budget supports
    wall_min_mm: float = 3.0
    # the tool's end to the joint: 5 mm on its axis (plan default), 3 mm at its rim (hard) [M]
    subchondral_axis_mm: float = 5.0
    subchondral_rim_mm: float = 3.0
    # how far the true bone may lie inside the segmented one: 95 % of a good segmentation's surface is
    # nearer than 0.65 mm (HD95, 200 femora, PMC9790725); a tunnel stops that much before the joint's
    # limits, and a wall within it of its limit counts as doubtful
    surface_doubt_mm: float = 0.6
    # tunnel, wires and contact to what is kept away from (implants, old tunnels, areas to avoid): as much as to the
    # cortex, for the same lateral error
    keep_out_min_mm: float = 3.0
    # tunnel to shaft: less or more cannot be reached from between vastus ridge and lesser trochanter [M]
    shaft_angle_min_deg: float = 110.0
    shaft_angle_max_deg: float = 150.0
    # "past the entry": the tunnel crosses the lateral cortex obliquely, so its wall there is the entry itself
    entry_zone_mm: float = 20.0
    # how far from the middle of the bone, in half widths, an entry may lie towards front or back
    entry_off_middle_max: float = 0.6
    # a centroid plan passes through the centroid; an entry or target of the surgeon may pass beside it
    centroid_distance_max_mm: float = 0.5

    # soft: towards the antero-posterior middle, wall of 5 mm and more, well above the lesser
    # trochanter (lateral holes at or below it raise tension by over 300 %), near the usual angle
    aim_wall_mm: float = 5.0
    aim_above_lesser_mm: float = 8.0
    aim_shaft_angle_deg: float = 132.0
    weight_doubt: float = 4.0
    weight_middle: float = 4.0
    weight_wall: float = 1.0
    weight_lesser: float = 0.5
    weight_angle: float = 1.0

    def record(self) -> dict[str, float]:
        """Every figure by name, for the record."""
        return asdict(self)
