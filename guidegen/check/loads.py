"""What the guide bears: the thrust of a stop collar with the wires in, and a sideways force on a sleeve.

Estimates by statics and beams, with what they assume said beside them; no finite elements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from guidegen.check.asked import Asked, AskedPrinting
from guidegen.check.bench import AREA_PER_POINT_MM2, Bench, bore_and_stop, lay_out
from guidegen.check.bore import Bore
from guidegen.check.finding import Finding, at_least, at_most
from guidegen.check.pinned import THRUST_N, Pinned, pinned, wires_of
from guidegen.check.recorded import recorded
from guidegen.check.sleeve_bend import SIDEWAYS_N, Beam, Root, SleeveBend, sleeve_bend
from guidegen.frames import FloatArray
from guidegen.surfaces import Surface

BEND_LIMIT_MM = 0.2
# Young's modulus of what is printed, by the words that name process or material; the lower of the published values.
MODULI_MPA: tuple[tuple[frozenset[str], float, str], ...] = (
    (frozenset({"ti", "ti64", "ti6al4v", "titanium"}), 110_000.0, "Ti-6Al-4V, data sheets give 110 to 114 GPa"),
    (frozenset({"pa12", "pa2200", "sls", "mjf"}), 1_700.0, "PA 12, laser-sintered 1.65 to 1.8, MJF 1.7 to 1.9 GPa"),
    (frozenset({"fdm", "fff", "pc", "abs"}), 2_000.0, "ABS 2.0 to 2.3, PC 2.0 to 2.4 GPa along the layers"),
    (frozenset({"sla", "dlp", "resin"}), 2_500.0, "surgical-guide resins, at least 2.5 GPa in bending"),
)
# The shell's thickness where it is thin: one part in four of the contact has less plastic over it.
THIN_PERCENT = 25.0
INSIDE_MM = 1e-3  # a ray starts so far inside the face it leaves

WHY_THRUST = "When the stop collar meets the sleeve the surgeon's whole push rests on the guide, and may shift it."
WHY_BEND = "A sleeve that bends under the hand aims beside the lesion."


@dataclass(frozen=True)
class Loads:
    """What each sleeve bears: `thrust` and `bend` (T,); None where the files gave nothing to work it out from.

    Of a fan, whose socket is short and wide, the thrust on each insert, and no bend.
    """

    modulus_mpa: float | None
    modulus_source: str
    thrust: tuple[Pinned | None, ...]
    bend: tuple[SleeveBend | None, ...]

    def record(self) -> dict[str, Any]:
        """Every figure by name, for the record."""
        return dict(recorded(self))


def loads(asked: Asked, bone: Surface, guide: Surface) -> Loads:
    """Statics and beam estimates on the surfaces as read from their files."""
    modulus, source = youngs_modulus_mpa(asked.printing)
    bench = lay_out(asked, bone, guide)
    if bench is None:
        sleeves, led = len(asked.guide.sleeves), len(asked.tunnels)
        return Loads(modulus, source, (None,) * led, (None,) * sleeves)
    wires, root = wires_of(asked, bench), shell_root(bench)
    thrust: list[Pinned | None] = []
    bend: list[SleeveBend | None] = []
    for sleeve in asked.guide.sleeves:
        bore, stop = bore_and_stop(asked, bench, sleeve)
        thrust.append(None if bore is None or wires is None else pinned(bench, wires, stop, bore.axis))
        if bore is None or modulus is None:
            bend.append(None)
            continue
        beam = _beam(bench, bore, stop, bench.axes.points(sleeve.top_mm), asked.guide.clearance_mm)
        bend.append(sleeve_bend(bench.guide, beam, root, modulus))
    for insert in asked.guide.inserts:
        stop, axis = bench.axes.points(insert.stop_face_mm), bench.axes.vectors(asked.into_bone(insert.tunnel))
        thrust.append(None if wires is None else pinned(bench, wires, stop, axis))
    return Loads(modulus, source, tuple(thrust), tuple(bend))


def youngs_modulus_mpa(printing: AskedPrinting) -> tuple[float | None, str]:
    """Young's modulus of the printed material and where it comes from; None where the plan names none that is known."""
    if printing.youngs_modulus_mpa is not None:
        return printing.youngs_modulus_mpa, "the printer's file"
    for named in (printing.material, printing.process):
        words = set(re.findall(r"[a-z0-9]+", named.lower().replace("pa 12", "pa12")))
        for known, modulus, source in MODULI_MPA:
            if words & known:
                return modulus, source
    return None, f"no modulus is known for {printing.material} ({printing.process})"


def _beam(bench: Bench, bore: Bore, stop_mm: FloatArray, top_mm: FloatArray, clearance_mm: float) -> Beam:
    """A sleeve from its stop face to the bone less the clearance, along its bore."""
    stop, top = (float((point - bore.point_mm) @ bore.axis) for point in (stop_mm, top_mm))
    way = float(bench.bone.ray_hits(bore.point_mm + stop * bore.axis, bore.axis)[0][0])
    return Beam(bore, stop, top, stop + way - clearance_mm if np.isfinite(way) else bore.end_mm)


def shell_root(bench: Bench) -> Root:
    """The shell over the contact: its thickness, thin rather than thick, and the disc of the contact's area."""
    outward = bench.bone.face_normals[bench.bone.nearest(bench.resting_mm)[1]]
    way, face = bench.guide.ray_hits(bench.resting_mm + INSIDE_MM * outward, outward)
    thickness_mm = float(np.percentile(way[face >= 0], THIN_PERCENT)) + INSIDE_MM
    return Root(thickness_mm, float(np.sqrt(len(outward) * AREA_PER_POINT_MM2 / np.pi)))


def load_findings(found: Loads) -> tuple[Finding, ...]:
    """The thrust that is held and the bend of each sleeve, against what they must be."""
    findings = []
    kind = "sleeve" if found.bend else "insert"
    for number, thrust in enumerate(found.thrust, start=1):
        name = f"{kind} {number} thrust held with the wires in"
        held_n = None if thrust is None else thrust.times * THRUST_N
        missing = "a bore, a pin's hole or the contact is missing"
        findings.append(at_least(name, held_n, THRUST_N, "N", WHY_THRUST, missing))
    for number, bend in enumerate(found.bend, start=1):
        name = f"sleeve {number} bend under {SIDEWAYS_N:g} N"
        why_not = found.modulus_source if found.modulus_mpa is None else "the sleeve's sections cannot be cut"
        findings.append(at_most(name, None if bend is None else bend.total_mm, BEND_LIMIT_MM, "mm", WHY_BEND, why_not))
    return tuple(findings)
