"""Orders from the shipped templates."""

from __future__ import annotations

from guidegen.guide.order import Order
from guidegen.plan.sleeve_sizes import SleeveSizes
from guidegen.plan.templates import GuideTemplate, Kit, Printer, load_template

CLEARANCE_MM = 0.4


def order_for(kit_name: str) -> Order:
    """The shape "lateral", printed in resin, for a kit."""
    kit = load_template(Kit, kit_name)[0]
    template, printer = load_template(GuideTemplate, "lateral")[0], load_template(Printer, "sla")[0]
    return Order(kit, template, printer, CLEARANCE_MM, SleeveSizes.of(kit, template, printer))
