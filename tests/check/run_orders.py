"""What run.json says of an order of core-8, lateral and sla, and the box hip's plan as such an order makes it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from guidegen.guide.gauges import gauges_of
from guidegen.guide.order import stop_collar
from guidegen.plan.instruments import Fittings, instrument_sequence
from guidegen.plan.kits import Kit
from guidegen.plan.rules import Rules
from guidegen.plan.templates import GuideTemplate, Printer, load_template
from guidegen.plan.tool import Tool
from guidegen.record import limits, printing
from guidegen.rounded import point
from guidegen.seat.search import SMALLEST_CONTACT_MM2

KIT, SHAPE = load_template(Kit, "core-8")[0], load_template(GuideTemplate, "lateral")[0]
PRINTER = load_template(Printer, "sla")[0]


def parameters() -> dict[str, Any]:
    """As a run records them."""
    order = {"size": "M", "kit": None, "printer": "sla", "sterilisation": None, "clearance_mm": None}
    templates = {"kit": KIT, "guide": SHAPE, "printer": PRINTER}
    return {
        "patient": {"id": "case-1", "side": "left"},
        "order": order | {"periosteum_mm": None, "strategy": "centroid"},
        "rules": Rules().record(),
        "waivers": [{"rule": "wall_min_mm", "reason": "thin", "author": "E"}],
        "templates": {name: json.loads(template.model_dump_json()) for name, template in templates.items()},
    }


def as_ordered(plan: dict[str, Any]) -> None:
    """Make the plan of the box hip one of that order."""
    guide, (sleeve,), (tunnel,) = plan["guide"], plan["guide"]["sleeves"], plan["tunnels"]
    sleeve |= {
        "kind": "metal", "inner_diameter_mm": 10.2, "bore_mm": 8.1, "chuck_diameter_mm": KIT.drill.chuck_diameter_mm,
        "chuck_length_mm": KIT.drill.chuck_length_mm,
        "metal": {
            "drill_diameter_mm": 8.0, "inner_diameter_mm": 8.1, "outer_diameter_mm": 10.1, "flange_diameter_mm": 14.1,
            "flange_height_mm": 2.0, "length_mm": 30.0 + 2.0 - 0.5,
        },
    }  # fmt: skip
    for pin in guide["pins"]:
        pin |= {"wire_length_mm": 150.0, "boss_diameter_mm": 7.4, "cortices": 1, "depth_mm": 25.0}
    guide |= {"leaves_wire": False, "size": "M", "thickness_mm": 4.0, "print_clearance_mm": 0.3}
    guide["stop_collar"] = asdict(stop_collar(KIT))
    guide["gauges"] = [gauge.record() for gauge in gauges_of(guide, PRINTER)]
    guide["labels"][1]["lines"][0] = "PROX r001"
    read = tuple(25.0 + math.dist(pin["top_mm"], pin["point_mm"]) for pin in guide["pins"])
    fittings = Fittings("metal", 0.0, (25.0,) * len(read), read)
    tunnel["instruments"] = [vars(step) for step in instrument_sequence(KIT, 85.0, 119.0, fittings)]
    tunnel["end_outline_mm"] = [point(ring) for ring in Tool.of(KIT).outline_mm]
    plan["plan"] = {"chosen": {"kit": "core-8", "strategy": "centroid"}, "waivers_proposed": []}
    plan["limits"] = limits(Rules(), 30.0, 2.0, SMALLEST_CONTACT_MM2, True)
    plan["printing"] = printing("sla", PRINTER, PRINTER.sterilisation[0])
