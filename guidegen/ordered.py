"""The templates that a case orders: kit, guide shape, printer with its sterilisation, and policy."""

from __future__ import annotations

from dataclasses import dataclass

from guidegen.case import Order
from guidegen.errors import TemplateError
from guidegen.plan.fit import require_allowed
from guidegen.plan.kits import Kit
from guidegen.plan.sleeve_sizes import SleeveSizes
from guidegen.plan.templates import Cycle, GuideTemplate, Policy, Printer, load_template

ONE_TUNNEL, SEVERAL_TUNNELS = "core-8", "multiple-3.2"


@dataclass(frozen=True)
class Templates:
    """The templates by their names, a kit for one tunnel and one for several, the sterilisation ordered of those that
    the printer lists, and the SHA-256 of every file used.
    """

    kit_name: str
    kit: Kit
    fan_kit_name: str
    fan_kit: Kit
    guide: GuideTemplate
    printer: Printer
    sterilisation: Cycle
    policy: Policy
    sha256: dict[str, str]


def load_templates(order: Order) -> Templates:
    """The templates that an order names.

    TemplateError for one that is missing or impossible, a kit that does not make as many tunnels as the strategy needs,
    a shape that the printer cannot make, a guide wire without room for its reducer, or a clearance or sterilisation
    that the printer's file does not allow.
    """
    several = order.strategy == "multiple"
    name = order.kit or (SEVERAL_TUNNELS if several else ONE_TUNNEL)
    ordered, sha = load_template(Kit, name)
    if several != (ordered.most_tunnels > 1):
        needs, found = ("several tunnels", "one") if several else ("one tunnel", "several")
        raise TemplateError(
            f"expected a kit for {needs} for the strategy {order.strategy!r}, found {name!r} for {found}; choose "
            "another kit or strategy"
        )
    other_name = ONE_TUNNEL if several else SEVERAL_TUNNELS
    other, other_sha = load_template(Kit, other_name)
    guide, guide_sha = load_template(GuideTemplate, order.guide)
    printer, printer_sha = load_template(Printer, order.printer)
    policy, policy_sha = load_template(Policy, order.policy)
    _require_printable(order, guide, printer)
    _ = SleeveSizes.of(ordered, guide, printer)  # before anything is computed for a sleeve that cannot be made
    require_allowed(printer, order.clearance_mm, order.periosteum_mm, guide)
    one, fan = ((other_name, other), (name, ordered)) if several else ((name, ordered), (other_name, other))
    return Templates(
        kit_name=one[0],
        kit=one[1],
        fan_kit_name=fan[0],
        fan_kit=fan[1],
        guide=guide,
        printer=printer,
        sterilisation=_sterilisation(order, printer),
        policy=policy,
        sha256={
            "kit": sha,
            "other_kit": other_sha,
            "guide": guide_sha,
            "printer": printer_sha,
            "policy": policy_sha,
        },
    )


def _require_printable(order: Order, guide: GuideTemplate, printer: Printer) -> None:
    """TemplateError for a shape with a wall no thicker than the printer's thinnest, or a hole that does not drain."""
    thinnest, narrowest = printer.build.least_wall_mm, printer.build.least_drain_mm
    walls = {
        "shell.thickness_mm": guide.shell.thickness_mm,
        "sleeve.wall_mm": guide.sleeve.wall_mm,
        "sleeve.rib_thickness_mm": guide.sleeve.rib_thickness_mm,
        "pins.wall_mm": guide.pins.wall_mm,
    }
    for name, wall_mm in walls.items():
        if wall_mm <= thinnest:
            raise TemplateError(
                f"expected {name} of the guide {order.guide!r} above {thinnest:g}, the thinnest wall of the printer "
                f"{order.printer!r}, found {wall_mm:g}; choose another guide or printer"
            )
    if guide.probe.count > 0 and guide.probe.diameter_mm < narrowest:
        raise TemplateError(
            f"expected probe.diameter_mm of the guide {order.guide!r} of at least {narrowest:g}, the narrowest bore of "
            f"the printer {order.printer!r} that drains, found {guide.probe.diameter_mm:g}; choose another guide or "
            "printer"
        )


def _sterilisation(order: Order, printer: Printer) -> Cycle:
    """The ordered cycle, the printer's first where none is; TemplateError for one that its file does not list."""
    cycles = {cycle.name: cycle for cycle in printer.sterilisation}
    name = order.sterilisation or printer.sterilisation[0].name
    if name not in cycles:
        raise TemplateError(
            f"expected a sterilisation that the printer {order.printer!r} lists: {', '.join(cycles)}; found "
            f"{name!r}; choose one of them, or add yours to the printer's file with the source that shows it"
        )
    return cycles[name]
