"""How far a sleeve's top gives way to a sideways force: a beam with the cross-sections that the file has.

Euler's bending and Timoshenko's shear of the sleeve from its printed top down to the bone, as if the shell held it only
there; and the shell's own give, as a round plate clamped at its rim with the sleeve as a stiff disc in its middle. What
stands on the printed top, a metal sleeve's flange, is taken as rigid; metal within is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from guidegen.check.bore import Bore
from guidegen.frames import FloatArray, perpendicular_pair
from guidegen.surfaces import Surface

if TYPE_CHECKING:
    import manifold3d

SIDEWAYS_N = 20.0
# Sections so far apart, none at an end, where a chamfer's edge may lie in the very plane.
SECTION_MM = 0.5
# Of a section that has merged with shell or ribs, only what lies within 1.5 times the sleeve's radius is counted.
CLIP_RADII = 1.5
CIRCLE_FACETS = 128
# What comes as near to the bore's axis as the nearest piece does, and this, borders on the bore too.
BORDER_MM = 0.5
# Printed plastics have a Poisson's ratio of 0.3 to 0.4: each formula takes the end that yields more.
POISSON_IN_SHEAR, POISSON_IN_PLATE = 0.4, 0.3
# The share of a thin tube's section that carries shear.
SHEAR_SHARE = 0.5


@dataclass(frozen=True)
class SleeveBend:
    """How far a sleeve's stop face moves under SIDEWAYS_N in the worst direction, in mm, and what of it is whose."""

    total_mm: float
    bending_mm: float
    shear_mm: float
    root_mm: float


@dataclass(frozen=True)
class Root:
    """The shell as the plate in which the sleeve stands: its thickness, and the radius at which the bone backs it."""

    thickness_mm: float
    radius_mm: float


@dataclass(frozen=True, eq=False)
class Beam:
    """A sleeve along its bore: where the force acts, where the printed part begins, and where the bone is, in mm."""

    bore: Bore
    stop_mm: float
    top_mm: float
    foot_mm: float


def sleeve_bend(guide: Surface, beam: Beam, root: Root, modulus_mpa: float) -> SleeveBend | None:
    """The give of a sleeve at its stop face; None where the guide cannot be cut across all along the sleeve."""
    sections = cross_sections(guide, beam)
    if not sections:
        return None
    step_mm = (beam.foot_mm - beam.top_mm) / len(sections)
    bending, shear = np.zeros((2, 2)), 0.0
    for place_mm, area, second in sections:
        bending += step_mm * (place_mm - beam.stop_mm) ** 2 * np.linalg.inv(second) / modulus_mpa
        shear += step_mm * 2.0 * (1.0 + POISSON_IN_SHEAR) / (SHEAR_SHARE * area * modulus_mpa)
    turn = plate_turn(sleeve_radius_mm(sections, beam.bore), root, modulus_mpa)
    bending_mm, shear_mm = SIDEWAYS_N * float(np.linalg.eigvalsh(bending)[-1]), SIDEWAYS_N * shear
    root_mm = SIDEWAYS_N * (beam.foot_mm - beam.stop_mm) ** 2 * turn
    return SleeveBend(bending_mm + shear_mm + root_mm, bending_mm, shear_mm, root_mm)


def plate_turn(radius_mm: float, root: Root, modulus_mpa: float) -> float:
    """By how much a stiff disc in a round plate clamped at its rim turns per Nmm of moment across it, in rad.

    (ln(a/b) - (a² - b²)/(a² + b²)) ÷ 4πD, D = E t³ ÷ 12 (1 - ν²): the plate's deflection is (A r + B/r + C r³ +
    M/(4πD) r ln r) cos φ, level at the rim a and a plane in the disc b.
    """
    a, b = root.radius_mm, min(radius_mm, root.radius_mm)
    stiffness = modulus_mpa * root.thickness_mm**3 / (12.0 * (1.0 - POISSON_IN_PLATE**2))
    shape = np.log(a / b) - (a**2 - b**2) / (a**2 + b**2)
    return float(shape / (4.0 * np.pi * stiffness))


Section = tuple[float, float, FloatArray]


def sleeve_radius_mm(sections: list[Section], bore: Bore) -> float:
    """The radius of a full tube with the median section of the outer half, where no shell and no foot widen it."""
    areas = [area for _, area, _ in sections[: (len(sections) + 1) // 2]]
    return float(np.sqrt(np.median(areas) / np.pi + (bore.diameter_mm / 2.0) ** 2))


def cross_sections(guide: Surface, beam: Beam) -> list[Section]:
    """From the printed top to the bone: place on the axis, area (mm²) and second moments about the section's own middle
    (2, 2) (mm⁴) of the pieces next to the bore; empty where the guide is no solid or not there all along.
    """
    import manifold3d

    rows = np.stack([*perpendicular_pair(beam.bore.axis), beam.bore.axis])
    local = np.ascontiguousarray((guide.vertices - beam.bore.point_mm) @ rows.T)
    solid = manifold3d.Manifold(manifold3d.Mesh64(local, guide.faces.astype(np.uint64)))
    if solid.status() != manifold3d.Error.NoError or beam.foot_mm <= beam.top_mm:
        return []
    count = max(1, round((beam.foot_mm - beam.top_mm) / SECTION_MM))
    step_mm = (beam.foot_mm - beam.top_mm) / count
    places = [beam.top_mm + (number + 0.5) * step_mm for number in range(count)]
    cuts = [_beside_bore(solid.slice(place)) for place in places]
    whole = _measured(places, cuts)
    if not whole:
        return []
    clip = manifold3d.CrossSection.circle(CLIP_RADII * sleeve_radius_mm(whole, beam.bore), CIRCLE_FACETS)
    return _measured(places, [cut ^ clip for cut in cuts])


def _measured(places_mm: Sequence[float], cuts: list[manifold3d.CrossSection]) -> list[Section]:
    """Each cut in numbers; none at all where one is empty."""
    if any(cut.is_empty() for cut in cuts):
        return []
    return [(place, *moments(cut)) for place, cut in zip(places_mm, cuts, strict=True)]


def _beside_bore(cut: manifold3d.CrossSection) -> manifold3d.CrossSection:
    """The pieces of a cut that border on the bore: where its mouth opens a section there may be several, and the
    smallest of them bears the least. An empty cut stays empty.
    """
    import manifold3d

    if cut.is_empty():
        return cut
    pieces = cut.decompose()
    off_axis_mm = [min(float(np.linalg.norm(ring, axis=1).min()) for ring in each.to_polygons()) for each in pieces]
    border_mm = min(off_axis_mm) + BORDER_MM
    beside = [piece for piece, off_mm in zip(pieces, off_axis_mm, strict=True) if off_mm <= border_mm]
    return manifold3d.CrossSection.compose(beside)


def moments(cut: manifold3d.CrossSection) -> tuple[float, FloatArray]:
    """Area, and second moments (2, 2) about its own middle: [∫x², ∫xy; ∫xy, ∫y²] over the section, exact."""
    area, first, second = 0.0, np.zeros(2), np.zeros((2, 2))
    for ring in cut.to_polygons():
        a = np.asarray(ring, dtype=np.float64)
        b = np.roll(a, -1, axis=0)
        turn = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
        area += turn.sum() / 2.0
        first += ((a + b) * turn[:, None]).sum(axis=0) / 6.0
        second += np.einsum("k,ki,kj->ij", turn, a + b, a + b) / 24.0
        second += np.einsum("k,ki,kj->ij", turn, a, a) / 24.0 + np.einsum("k,ki,kj->ij", turn, b, b) / 24.0
    return float(area), second - np.outer(first, first) / area
