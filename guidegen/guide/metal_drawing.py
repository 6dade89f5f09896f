"""The workshop's drawing of a metal part, as DXF: section and, for a collar, the view along its axis, at true size.

DXF rather than a picture: its dimensions are entities that measure the geometry beside them and carry their tolerance,
so that a workshop's program takes them over and a check can read them back.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from guidegen.guide.metal import (
    DEBURR_MM,
    HEAD_MM,
    HEAD_SEAT_MM,
    MATERIAL,
    SLIT_MM,
    TAPPED_MM,
    MetalPart,
    Size,
    StopCollar,
    Whose,
)

SHEET_MM = (148.5, 105.0)  # half of A4: printed on A4 the part is twice its size
BORDER_MM = 4.0
SECTION_MM = (36.0, 76.0)  # where the lower end of the axis lies on the sheet
VIEW_MM = (112.0, 76.0)
TEXT_MM, LINE_MM = 1.8, 3.1
FIRST_MM, STEP_MM = 7.0, 6.5  # of the dimension lines, from the part and from each other


def drawing_bytes(part: MetalPart, whose: Whose) -> bytes:
    """The drawing; the same part of the same guide is the same bytes."""
    with _without_dates():
        from ezdxf import units
        from ezdxf.filemanagement import new

        document = new("R2010", setup=True)
        document.units = units.MM
        for name, weight, line in (("PART", 35, "CONTINUOUS"), ("THIN", 18, "CONTINUOUS"), ("AXIS", 18, "CENTER")):
            document.layers.add(name, lineweight=weight, linetype=line)
        document.header["$LTSCALE"] = 0.25
        space = document.modelspace()
        _section(space, part)
        _dimensions(space, part)
        if isinstance(part, StopCollar):
            _view_along(space, part)
        _sheet(space, part, whose)
        for kind in sorted(document.entitydb.dxf_types_in_use()):
            document.classes.add_class(kind)  # else written in the order of a set, which differs between processes
        content = io.StringIO()
        document.write(content)
    return document.encode(content.getvalue())


@contextmanager
def _without_dates() -> Iterator[None]:
    """ezdxf writes today's date and new identifiers unless told not to, and can only be told for all drawings."""
    import ezdxf

    untyped: Any = ezdxf
    options = untyped.options
    before = options.write_fixed_meta_data_for_testing
    options.write_fixed_meta_data_for_testing = True
    try:
        yield
    finally:
        options.write_fixed_meta_data_for_testing = before


def _section(space: Any, part: MetalPart) -> None:
    """The section through the axis, which lies along x, and the edges behind it."""
    x, y = SECTION_MM
    for side in (1.0, -1.0):
        outline = [(x + float(height), y + side * float(radius)) for radius, height in part.profile_mm]
        space.add_lwpolyline(outline, close=True, dxfattribs={"layer": "PART"})
        hatch = space.add_hatch(dxfattribs={"layer": "THIN"})
        hatch.set_pattern_fill("ANSI31", scale=0.4)
        hatch.paths.add_polyline_path(outline, is_closed=True)
    inner, top = float(part.profile_mm[:, 0].min()), float(part.profile_mm[:, 1].max())
    for radius, height in part.profile_mm[part.profile_mm[:, 0] <= inner + DEBURR_MM + 1e-9].tolist():
        space.add_line((x + height, y - radius), (x + height, y + radius), dxfattribs={"layer": "PART"})
    space.add_line((x - 4.0, y), (x + top + 4.0, y), dxfattribs={"layer": "AXIS"})


def _dimensions(space: Any, part: MetalPart) -> None:
    """Diameters beside the end that they are nearer to, the widest outermost; lengths below, the longest lowest."""
    x, y = SECTION_MM
    top, widest = float(part.profile_mm[:, 1].max()), float(part.profile_mm[:, 0].max())
    rows = {"left": 0, "right": 0, "below": 0}
    for size in sorted(part.sizes, key=lambda size: size.nominal_mm):
        low, high = size.between_mm
        if size.is_diameter:
            side = "right" if low > 0.0 else "left"
            beyond = FIRST_MM + STEP_MM * rows[side]
            at = top + beyond if side == "right" else -beyond
            foot = x + (high if side == "right" else low)
            ends = ((foot, y - size.nominal_mm / 2.0), (foot, y + size.nominal_mm / 2.0))
            _add(space, size, (x + at, y), *ends, angle=90.0)
        else:
            side = "below"
            at = y - widest - FIRST_MM - STEP_MM * rows[side]
            _add(space, size, (x, at), (x + low, y - widest), (x + high, y - widest), angle=0.0)
        rows[side] += 1


def _add(
    space: Any,
    size: Size,
    base: tuple[float, float],
    start: tuple[float, float],
    end: tuple[float, float],
    angle: float,
) -> None:
    look = {"dimtxt": TEXT_MM, "dimasz": TEXT_MM, "dimexe": 0.8, "dimexo": 0.6, "dimdec": 2, "dimtdec": 3}
    look |= {"dimgap": 0.8, "dimzin": 8, "dimtzin": 8}  # no trailing zeros
    dimension = space.add_linear_dim(
        base=base, p1=start, p2=end, angle=angle, text="Ø<>" if size.is_diameter else "<>", dimstyle="EZDXF",
        override={**look, "dimlfac": 1.0, "dimscale": 1.0}, dxfattribs={"layer": "THIN"},
    )  # fmt: skip
    dimension.set_tolerance(size.over_mm, size.under_mm, hfactor=0.6)
    dimension.render()


def _view_along(space: Any, collar: StopCollar) -> None:
    """The collar seen along its axis, with its screw."""
    x, y = VIEW_MM
    inner, outer = collar.bore_mm / 2.0, collar.outer_diameter_mm / 2.0
    for radius in (inner, outer):
        space.add_circle((x, y), radius, dxfattribs={"layer": "PART"})
    for way in ((1.0, 0.0), (0.0, 1.0)):
        reach = outer + 3.0
        start, end = ((x + sign * reach * way[0], y + sign * reach * way[1]) for sign in (-1.0, 1.0))
        space.add_line(start, end, dxfattribs={"layer": "AXIS"})
    hidden = {"layer": "THIN", "linetype": "DASHED"}
    if not collar.is_split:
        for side in (-TAPPED_MM / 2.0, TAPPED_MM / 2.0):
            space.add_line((x + side, y + inner), (x + side, y + outer), dxfattribs=hidden)
        return
    for side in (-SLIT_MM / 2.0, SLIT_MM / 2.0):
        space.add_line((x + side, y + inner), (x + side, y + outer), dxfattribs={"layer": "PART"})
    screw = y + collar.screw_mm
    space.add_line((x - outer, screw), (x + outer, screw), dxfattribs={"layer": "AXIS"})
    for side in (-TAPPED_MM / 2.0, TAPPED_MM / 2.0):
        space.add_line((x, screw + side), (x + outer, screw + side), dxfattribs=hidden)
    for side in (-HEAD_MM / 2.0, HEAD_MM / 2.0):
        space.add_line((x - HEAD_SEAT_MM, screw + side), (x - outer, screw + side), dxfattribs=hidden)
    space.add_line(
        (x - HEAD_SEAT_MM, screw - HEAD_MM / 2.0), (x - HEAD_SEAT_MM, screw + HEAD_MM / 2.0), dxfattribs=hidden
    )


def _sheet(space: Any, part: MetalPart, whose: Whose) -> None:
    """The border, and in words whose part it is and what no dimension says."""
    width, height = SHEET_MM
    corners = [(BORDER_MM, BORDER_MM), (width - BORDER_MM, BORDER_MM), (width - BORDER_MM, height - BORDER_MM)]
    space.add_lwpolyline([*corners, (BORDER_MM, height - BORDER_MM)], close=True, dxfattribs={"layer": "PART"})
    lines = (
        *whose.lines,
        f"{part.name.upper()}    2:1 on A4    mm",
        MATERIAL,
        *part.notes,
        "sizes without a tolerance: ISO 2768-m",
    )
    for number, line in enumerate(lines):
        place = (2.0 * BORDER_MM, 2.0 * BORDER_MM + LINE_MM * (len(lines) - 1 - number))
        space.add_text(line, height=TEXT_MM, dxfattribs={"layer": "THIN"}).set_placement(place)
