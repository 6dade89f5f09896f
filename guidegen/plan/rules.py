"""The rules a tunnel must keep, and what makes one lawful tunnel better than another.

Hard limits first: a tunnel that breaks one is no plan. Then the aims of the soft costs and their weights. `TABLE`
says of each hard rule what is measured, how far a surgeon may waive it, and where it comes from.
Each names the paper that its figure is from. `[M]` marks one from memory of the literature, `[D]` one derived here:
defaults, to be confirmed by the surgeon who works with them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Protocol


@dataclass(frozen=True)
class Rules:
    """Hard limits, then the aims of the soft costs and their weights."""

    # tunnel wall to the outer cortex, outside the head and past the entry [M]; with a lateral
    # error of 2.8 mm (P95) 3 mm is the least that the error budget supports
    wall_min_mm: float = 3.0
    # the same to the back and top of the neck below the head, where the retinacular vessels enter [M]
    vessel_wall_min_mm: float = 5.0
    # the tool's end to the joint: 5 mm on its axis (plan default), 3 mm at its rim and its side (hard) [M]
    subchondral_axis_mm: float = 5.0
    subchondral_rim_mm: float = 3.0
    # how far the true bone may lie inside the segmented one: 95 % of a good segmentation's surface is
    # nearer than 0.65 mm (HD95 of bones on CT, PMC9790725); a tunnel stops that much before the joint's
    # limits, and a wall within it of its limit counts as doubtful
    surface_doubt_mm: float = 0.6
    # tunnel, wires and contact to what is kept away from (implants, old tunnels, areas to avoid): as much as to the
    # cortex, for the same lateral error
    keep_out_min_mm: float = 3.0
    # tunnel to shaft: less or more cannot be reached from between vastus ridge and lesser trochanter [M]
    shaft_angle_min_deg: float = 110.0
    shaft_angle_max_deg: float = 150.0
    # tunnel to the cortex's normal at the entry: a drill laid flatter skives along the bone, and its mouth grows
    # twice as long as wide [D]
    obliquity_max_deg: float = 60.0
    # "past the entry": the tunnel crosses the lateral cortex obliquely, so its wall there is the entry itself
    entry_zone_mm: float = 20.0
    # how far from the middle of the bone, in half widths, an entry may lie towards front or back
    entry_off_middle_max: float = 0.6
    # a centroid plan passes through the centroid; an entry or target of the surgeon may pass beside it
    centroid_distance_max_mm: float = 0.5
    # tunnels of a fan share their mouth for so long at most, and leave so much bone between them past it [D]
    fan_mouth_mm: float = 45.0
    fan_bridge_mm: float = 1.0

    # soft: towards the antero-posterior middle, wall of 5 mm and more, well above the lesser
    # trochanter (lateral holes at or below it raise tension by over 300 %), near the usual angle, square to the cortex
    aim_wall_mm: float = 5.0
    aim_above_lesser_mm: float = 8.0
    aim_shaft_angle_deg: float = 132.0
    aim_obliquity_deg: float = 50.0
    weight_doubt: float = 4.0
    weight_middle: float = 4.0
    weight_wall: float = 1.0
    weight_lesser: float = 0.5
    weight_angle: float = 1.0
    weight_obliquity: float = 1.0
    # for a plan that reaches the most: what the whole lesion is worth, so that 1 % of it outweighs one point of cost
    weight_reached: float = 100.0

    def record(self) -> dict[str, float]:
        """Every figure by name, for the record."""
        return asdict(self)


@dataclass(frozen=True)
class Rule:
    """One hard rule: `measure` names a field of Tunnel, `limit` one of Rules.

    A waiver reaches no further than `floor` (infinite: it has no end); None: nobody can waive it. `step` makes breaks
    of different units comparable: so much of each is as bad as one millimetre of bone.
    """

    name: str
    measure: str
    limit: str
    at_least: bool
    unit: str
    floor: float | None
    step: float
    why: str
    source: str


# Never waivable: a wall under 2 mm, less than 3 mm to the joint, a tool that meets metal, misses the lesion or
# is too short.
TABLE: tuple[Rule, ...] = (
    Rule("wall_min_mm", "wall_min_mm", "wall_min_mm", True, "mm", 2.0, 1.0,
         "A neck whose cortex is breached or thinned by the tunnel can break.",
         "3 mm and more are usual [M]; no less than the tip strays sideways in 95 % of operations [D]"),
    Rule("vessel_wall_min_mm", "vessel_wall_mm", "vessel_wall_min_mm", True, "mm", 2.0, 1.0,
         "The retinacular vessels that feed the head enter at the back and top of the neck.",
         "foramina at 10–12 o'clock, 5.3–6.5 mm from the cartilage (JBJS Am 2017, Retinacular foramina)"),
    Rule("subchondral_axis_mm", "subchondral_axis_mm", "subchondral_axis_mm", True, "mm", 3.0, 1.0,
         "Beyond the subchondral plate lies the joint: the drill must stop before it.", "5 mm are usual [M]"),
    Rule("subchondral_rim_mm", "tool_to_joint_mm", "subchondral_rim_mm", True, "mm", None, 1.0,
         "The rim of a drill, and the side of one that runs along the joint, reach it before the middle does.",
         "3 mm at the very least [M]"),
    Rule("shaft_angle_min_deg", "shaft_angle_deg", "shaft_angle_min_deg", True, "°", -math.inf, 5.0,
         "A flatter tunnel cannot be reached from the lateral window.", "110° to 150° can be reached [M]"),
    Rule("shaft_angle_max_deg", "shaft_angle_deg", "shaft_angle_max_deg", False, "°", math.inf, 5.0,
         "A steeper tunnel begins below the lesser trochanter or skives.", "110° to 150° can be reached [M]"),
    Rule("obliquity_max_deg", "obliquity_deg", "obliquity_max_deg", False, "°", math.inf, 5.0,
         "A drill that meets the cortex so flat skives along it.", "[D]; Cambridge repository 1810/256205"),
    Rule("entry_above_lesser_trochanter_mm", "above_lesser_mm", "", True, "mm", -math.inf, 1.0,
         "A hole in the tension side at or below the lesser trochanter raises the stress threefold.",
         "J Orthop Surg Res 2013;8:29"),
    Rule("entry_below_vastus_ridge_mm", "below_ridge_mm", "", True, "mm", -math.inf, 1.0,
         "Above the ridge lies the insertion of the abductors.", "JBJS Essent Surg Tech 2025, PMID 41195244"),
    Rule("entry_off_middle_max", "off_middle_away", "entry_off_middle_max", False, "half widths", math.inf, 0.1,
         "An entry towards front or back leaves the tension side and thins the cortex beside it.",
         "in the middle of the lateral cortex [M]"),
    Rule("keep_out_min_mm", "keep_out_mm", "keep_out_min_mm", True, "mm", None, 1.0,
         "A tool that meets metal breaks; an old tunnel or a marked area is not to be opened.", "[D]"),
    Rule("lesion_missed_max_mm", "lesion_missed_mm", "", False, "mm", None, 1.0,
         "A tunnel that reaches nothing of the dead bone relieves nothing, whoever ordered it.", "[D]"),
    Rule("drill_length_mm", "drill_spare_mm", "", True, "mm", None, 1.0,
         "A drill that is too short does not reach its depth through the sleeve.", "the kit's file"),
)  # fmt: skip


# The limits of what a tunnel keeps from cortex, vessels and joint.
DISTANCES = ("wall_min_mm", "vessel_wall_min_mm", "subchondral_axis_mm", "subchondral_rim_mm")


@dataclass(frozen=True)
class Broken:
    """One rule that a tunnel breaks: what was measured, its limit, and whether a surgeon may waive that much."""

    rule: str
    measured: float
    limit: float
    unit: str
    waivable: bool

    @property
    def short_by(self) -> float:
        """By how much the limit is missed, in the rule's unit."""
        return abs(self.measured - self.limit)


def tighter(rules: Rules, by_mm: float) -> Rules:
    """The rules with every distance to cortex, vessels and joint to be kept by so much more."""
    return replace(rules, **{limit: getattr(rules, limit) + by_mm for limit in DISTANCES})


class NamesRule(Protocol):
    """Anything that names a rule, such as a waiver."""

    @property
    def rule(self) -> str: ...


def waived_rules(rules: Rules, waivers: Iterable[NamesRule]) -> Rules:
    """The rules as they stand if the surgeon accepts these waivers: each of the limits at the waiver's floor.

    A rule whose waiver has no end, or that has no figure of its own, is not among the limits that files are held to.
    """
    asked = {waiver.rule for waiver in waivers}
    floors = {rule.limit: rule.floor for rule in TABLE if rule.name in asked and rule.limit and rule.floor is not None}
    return replace(rules, **{limit: floor for limit, floor in floors.items() if math.isfinite(floor)})


WAIVABLE: tuple[str, ...] = tuple(rule.name for rule in TABLE if rule.floor is not None)


def sign_of(name: str) -> str:
    """The sign before a limit, by the name of the limit or of its rule: those that are the most say so."""
    return "≤" if "_max" in name else "≥"


def limit_of(rule: Rule, rules: Rules) -> float:
    """The rule's limit; 0 where it is no figure of its own."""
    return float(getattr(rules, rule.limit)) if rule.limit else 0.0
