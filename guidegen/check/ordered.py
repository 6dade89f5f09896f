"""What was ordered, as run.json has it, against what plan.json says: patient, limits, printer, and every figure that
follows from kit, shape and printer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import ValidationError

from guidegen.check.asked import Asked, AskedInsert, AskedPin, AskedSleeve
from guidegen.check.finding import Finding, at_most
from guidegen.errors import ResultError
from guidegen.guide.gauges import gauges_of
from guidegen.guide.guide import METAL_OFF_BONE_MM
from guidegen.guide.order import stop_collar, wire_stop_collar
from guidegen.ordered import ONE_TUNNEL, SEVERAL_TUNNELS
from guidegen.plan.instruments import mark_text
from guidegen.plan.kits import Kit
from guidegen.plan.planning import CENTROID, MULTIPLE
from guidegen.plan.rules import Rules, waived_rules
from guidegen.plan.sleeve_sizes import SleeveSizes
from guidegen.plan.templates import GuideTemplate, Printer
from guidegen.plan.tool import Tool
from guidegen.record import limits, printing
from guidegen.rounded import point, shown
from guidegen.seat.search import SMALLEST_CONTACT_MM2

# Figures are written to six decimals.
SAME = 1e-5
TOLD_MM = 0.05 + 1e-6  # texts have one decimal
IN_MM = re.compile(r"((?:\d+(?:\.\d+)? / )*\d+(?:\.\d+)?) mm")
SHOWN = 3

WHY_ORDER = "A plan for another patient, side, size or printer than was ordered was made by nobody's order."
WHY_LIMITS = "A limit that is not that of the rules lets pass what the rules forbid."
WHY_SIZES = "Metal parts, wires and chuck are bought and made by these figures: others do not fit the guide."
WHY_PARTS = "What the shape asks for to see that the guide sits may be left out for a recorded reason only."
WHY_STEPS = "The instruments are set to these figures in the theatre: another one drills to another depth."


@dataclass(frozen=True, eq=False)
class Ordered:
    """What run.json's parameters say: the order, and the content of the templates that it named."""

    parameters: Mapping[str, Any]
    kit: Kit
    shape: GuideTemplate
    printer: Printer

    @classmethod
    def read(cls, parameters: Any) -> Ordered:
        """ResultError where they are not those of a run."""
        try:
            templates = parameters["templates"]
            kinds = (("kit", Kit), ("guide", GuideTemplate), ("printer", Printer))
            read = [kind.model_validate(templates[name]) for name, kind in kinds]
            _ = parameters["order"]["printer"], parameters["patient"]["id"], Rules(**parameters["rules"])
            return cls(parameters, *read)  # type: ignore[arg-type]  # of the kinds above, in their order
        except (KeyError, TypeError, ValidationError) as error:
            raise ResultError(
                f"expected the order, its rules and its templates in run.json's parameters, found none ({error!r}); "
                "run the case again"
            ) from error


def ordered_findings(plan: Mapping[str, Any], asked: Asked, ordered: Ordered) -> tuple[Finding, ...]:
    """How many figures of plan.json (`asked`: what the checks take from it) are not what was ordered, by their kind."""
    kinds = (
        ("plan off its order", _off_order(plan, ordered), WHY_ORDER),
        ("limits off the rules", _off_limits(plan, ordered), WHY_LIMITS),
        ("sizes off kit, shape and printer", _off_sizes(plan, ordered), WHY_SIZES),
        ("parts that the shape asks for missing", _missing(asked, ordered), WHY_PARTS),
        ("steps off the measured depths", _off_steps(plan, asked, ordered), WHY_STEPS),
    )
    findings = []
    for name, off, why in kinds:
        try:
            told = list(off)
        except (KeyError, TypeError, AttributeError, ValueError, StopIteration) as error:
            raise ResultError(f"expected a whole plan.json to hold against its order, found: {error!r}") from error
        more = "" if len(told) <= SHOWN else " …"
        found = f" Found: {'; '.join(told[:SHOWN])}{more}." if told else ""
        findings.append(at_most(name, len(told), 0, "", f"{why}{found}"))
    return tuple(findings)


def _differing(stated: Mapping[str, Any], expected: Mapping[str, Any], place: str) -> Iterator[str]:
    """The fields that are not as expected, numbers but for rounding; what is stated beyond them is not looked at."""
    for name, value in expected.items():
        found = stated.get(name)
        numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (found, value))
        if not (abs(found - value) <= SAME if numbers else found == value):
            yield f"{place}{name} is {found!r}, not {value!r}"


def _off_order(plan: Mapping[str, Any], ordered: Ordered) -> Iterator[str]:
    patient, order = ordered.parameters["patient"], ordered.parameters["order"]
    yield from _differing(plan, {"case_id": patient["id"], "side": patient["side"]}, "")
    yield from _differing(plan["guide"], {"size": order["size"], **_gap(plan, order)}, "guide.")
    chosen = (plan.get("plan") or {}).get("chosen") or {}
    usual = SEVERAL_TUNNELS if order["strategy"] == MULTIPLE else ONE_TUNNEL
    yield from _differing(chosen, {"kit": order["kit"] or usual}, "plan.chosen.")
    cycles = {cycle.name: cycle for cycle in ordered.printer.sterilisation}
    cycle = cycles.get(order["sterilisation"] or next(iter(cycles)))
    if cycle is None:
        yield f"the sterilisation {order['sterilisation']!r} is not among the printer's"
    else:
        yield from _differing(plan["printing"], printing(order["printer"], ordered.printer, cycle), "printing.")


def _gap(plan: Mapping[str, Any], order: Mapping[str, Any]) -> dict[str, float]:
    """Of the gap what was ordered, and that its two parts make it up."""
    guide, parts = plan["guide"], {"print_clearance_mm": "clearance_mm", "periosteum_mm": "periosteum_mm"}
    whole = float(guide["print_clearance_mm"]) + float(guide["periosteum_mm"])
    return {"clearance_mm": whole} | {part: order[name] for part, name in parts.items() if order[name] is not None}


def _off_limits(plan: Mapping[str, Any], ordered: Ordered) -> Iterator[str]:
    """The limits that are not the rules', but for those that a waiver of the case's own reaches down to its floor."""
    found, rules = plan.get("plan") or {}, Rules(**ordered.parameters["rules"])
    proposed, own = found.get("waivers_proposed", []), ordered.parameters["waivers"]
    yield from (f"a waiver of {each['rule']} that the case does not propose" for each in proposed if each not in own)
    waived = waived_rules(rules, [_Waived(each["rule"]) for each in proposed])
    expected = limits(
        waived,
        ordered.shape.sleeve.least_guided_for(ordered.kit),
        ordered.printer.build.least_wall_mm,
        SMALLEST_CONTACT_MM2,
        through_centroid=(found.get("chosen") or {}).get("strategy") == CENTROID,
        unwaived={name: limit for name, limit in rules.record().items() if getattr(waived, name) != limit},
    )
    yield from _differing(plan["limits"], expected, "limits.")


@dataclass(frozen=True)
class _Waived:
    rule: str


def _off_sizes(plan: Mapping[str, Any], ordered: Ordered) -> Iterator[str]:
    kit, shape, printer, guide = ordered.kit, ordered.shape, ordered.printer, plan["guide"]
    drill = kit.drill
    sizes = SleeveSizes.of(kit, shape, printer)
    led = {
        "drill_diameter_mm": drill.diameter_mm, "bore_mm": sizes.bore_mm,
        "chuck_diameter_mm": drill.chuck_diameter_mm, "chuck_length_mm": drill.chuck_length_mm,
    }  # fmt: skip
    outline = [point(ring) for ring in Tool.of(kit).outline_mm]
    for number, tunnel in enumerate(plan["tunnels"], start=1):
        made = {"diameter_mm": drill.diameter_mm, "end_outline_mm": outline}
        yield from _differing(tunnel, made, f"tunnel {number} ")
    for number, sleeve in enumerate(guide["sleeves"], start=1):
        yield from _differing(
            sleeve, led | {"kind": sizes.kind, "inner_diameter_mm": sizes.hole_mm}, f"sleeve {number} "
        )
        if sizes.kind == "metal":
            yield from _differing(sleeve["metal"] or {}, _metal(sleeve, sizes), f"metal sleeve {number} ")
    for number, insert in enumerate(guide.get("inserts") or (), start=1):
        yield from _differing(insert, led, f"insert {number} ")
    hole_mm = kit.pin.diameter_mm + printer.bores.pin_clearance_mm
    wire = {
        "wire_diameter_mm": kit.pin.diameter_mm, "wire_length_mm": kit.pin.length_mm, "hole_diameter_mm": hole_mm,
        "boss_diameter_mm": hole_mm + 2.0 * shape.pins.wall_mm, "cortices": shape.pins.cortices,
    }  # fmt: skip
    for number, pin in enumerate(guide["pins"], start=1):
        yield from _differing(pin, wire, f"pin {number} ")
    stops = {"stop_collar": stop_collar(kit), "wire_stop_collar": wire_stop_collar(kit)}
    for name, stop in stops.items():
        if stop is None:
            yield from _differing(guide, {name: None}, "guide.")
        else:
            yield from _differing(guide.get(name) or {}, asdict(stop), f"{name} ")
    checked = {
        "gauges": [gauge.record() for gauge in gauges_of(guide, printer)],
        "thickness_mm": shape.shell.thickness_mm,
        "leaves_wire": kit.leaves_wire,
    }
    yield from _differing(guide, checked, "guide.")


def _metal(sleeve: Mapping[str, Any], sizes: SleeveSizes) -> dict[str, float]:
    """A metal sleeve leads all the way that its hole does, and a flange more."""
    return {
        "drill_diameter_mm": sizes.drill_mm,
        "inner_diameter_mm": sizes.bore_mm,
        "outer_diameter_mm": sizes.metal_mm,
        "flange_diameter_mm": sizes.flange_mm,
        "flange_height_mm": sizes.flange_height_mm,
        "length_mm": sleeve["guided_length_mm"] + sizes.flange_height_mm - METAL_OFF_BONE_MM,
    }


def _missing(asked: Asked, ordered: Ordered) -> Iterator[str]:
    """What there is not, and no warning of the guide names."""
    shape, guide = ordered.shape, asked.guide
    has_window = any(window.kind == "window" for window in guide.windows)
    alone = len(guide.sleeves) < 2
    flats = alone and guide.socket is None and SleeveSizes.of(ordered.kit, shape, ordered.printer).flats
    parts = (
        ("window", shape.window.most > 0, has_window),
        ("notch", shape.pointer.on, guide.pointer is not None),
        ("axis mark", True, guide.axis_mark is not None),
        ("calliper", flats, guide.calliper is not None),
    )
    told = " ".join(guide.warnings)
    yield from (f"no {name}" for name, wanted, there in parts if wanted and not there and name not in told)
    if not any("PROX" in line for label in guide.labels for line in label.lines):
        yield "no label says which end is proximal"
    if not shape.pins.fewest <= len(guide.pins) <= shape.pins.most:
        yield f"{len(guide.pins)} pins, not {shape.pins.fewest} to {shape.pins.most}"


def _off_steps(plan: Mapping[str, Any], asked: Asked, ordered: Ordered) -> Iterator[str]:
    """The lengths in the steps of each tunnel that are neither the kit's own nor those of the plan, and readings and
    lengths that are not told as often as the kit tells them.
    """
    led: Sequence[AskedSleeve | AskedInsert] = [*asked.guide.sleeves, *asked.guide.inserts]
    own = [float(figure) for figure in ordered.kit.figures.values()]
    texts = [text for step in ordered.kit.steps for text in (step.tool, step.through, step.stopped_by)]
    own += [length for text in texts for length in _lengths(text)]
    pins = [_reach(pin) for pin in asked.guide.pins]
    for each in led:
        tunnel, steps = asked.tunnels[each.tunnel], plan["tunnels"][each.tunnel].get("instruments") or []
        reading_mm = each.offset_mm + tunnel.length_mm
        known = [*own, reading_mm, tunnel.length_mm, each.offset_mm, *(length for pair in pins for length in pair)]
        if isinstance(each, AskedSleeve) and each.wire_reading_mm is not None:
            known.append(each.wire_reading_mm)
        known += _lengths(mark_text(reading_mm, ordered.kit.drill.mark_step_mm))
        told = [length for step in steps for key in ("tool", "through", "stopped_by") for length in _lengths(step[key])]
        for length in told:
            if min(abs(length - figure) for figure in known) > TOLD_MM:
                yield f"tunnel {each.tunnel + 1}: {length:g} mm in its steps"
        stops = [_lengths(step["stopped_by"]) for step in steps]
        for name, figure in (("reading_mm", reading_mm), ("length_mm", tunnel.length_mm)):
            wanted = sum(f"{{{name}}}" in step.stopped_by for step in ordered.kit.steps)
            if sum(any(abs(length - figure) <= TOLD_MM for length in stop) for stop in stops) < wanted:
                yield f"tunnel {each.tunnel + 1}: {name} {shown(figure, 1)} is not in each step that it stops"


def _reach(pin: AskedPin) -> tuple[float, float]:
    """How deep a wire goes, and what is read on it then at the top of its boss, as the boss is measured for it."""
    depth_mm = pin.depth_mm or 0.0
    return depth_mm, depth_mm + math.dist(pin.top_mm, pin.point_mm) if pin.reading_mm is None else pin.reading_mm


def _lengths(text: str) -> list[float]:
    """Every number of millimetres in a text."""
    return [float(number) for found in IN_MM.findall(text) for number in found.split(" / ")]
