"""The shapes of a revision, read once from its files and kept while somebody looks at them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from guidegen.bone.trochanters import ShaftFrame
from guidegen.check.files import read_json, read_stl
from guidegen.check.gap import CONTACT_REACH_MM, FACING
from guidegen.errors import ResultError
from guidegen.frames import FloatArray
from guidegen.review.revision import GUIDE_FILE, PLAN_FILE, REJECTED_FILE
from guidegen.review.web.round_bodies import together, tunnel_surface, wire_surface
from guidegen.surfaces import Surface

KEPT = 4  # revisions at once
# The layers in the order in which they are drawn, and the files of those that are one.
FILES = {"bone": "femur.stl", "lesion": "lesion.stl", "keep_out": "keep_out.stl"}
GUIDES = (GUIDE_FILE, REJECTED_FILE)
LAYERS = ("bone", "lesion", "keep_out", "tunnel", "pins", "guide", "gap")


@dataclass(frozen=True, eq=False)
class Body:
    """What the anatomical directions are in this hip: unit vectors (3,), LPS."""

    proximal: FloatArray
    anterior: FloatArray
    lateral: FloatArray


@dataclass(frozen=True, eq=False)
class Gap:
    """The guide's faces that look at the bone, and the distance (N,) in mm at each vertex, negative in the bone."""

    surface: Surface
    gap_mm: FloatArray


@dataclass(frozen=True, eq=False)
class Shapes:
    """A revision's plan and its closed surfaces, LPS mm, by layer; a layer that is not there is missing."""

    plan: Mapping[str, Any]
    surfaces: Mapping[str, Surface]

    @cached_property
    def body(self) -> Body:
        """Where proximal, anterior and lateral are."""
        anatomy = {key: np.asarray(self.plan["anatomy"][key]) for key in ("head_center_mm", "shaft_point_mm")}
        axis = np.asarray(self.plan["anatomy"]["shaft_axis"])
        frame = ShaftFrame.of(anatomy["head_center_mm"], anatomy["shaft_point_mm"], axis)
        anterior = -frame.posterior(self.plan["side"])
        lateral = np.cross(anterior, frame.up)  # of a right hip: seen from the front, it lies to the viewer's left
        return Body(frame.up, anterior, lateral if self.plan["side"] == "right" else -lateral)

    @cached_property
    def gap(self) -> Gap | None:
        """The contact, coloured by its gap; None where there is no guide, or none of its faces is near the bone."""
        guide, bone = self.surfaces.get("guide"), self.surfaces["bone"]
        if guide is None:
            return None
        distance, face, _ = bone.nearest(guide.face_centers_mm)
        facing = np.einsum("ij,ij->i", guide.face_normals, bone.face_normals[face]) < FACING
        faces = guide.faces[facing & (distance < self.plan["guide"]["clearance_mm"] + CONTACT_REACH_MM)]
        if not len(faces):
            return None
        used, renamed = np.unique(faces, return_inverse=True)
        contact = Surface(guide.vertices[used], renamed.reshape(-1, 3))
        return Gap(contact, bone.signed_distance_mm(contact.vertices))

    @cached_property
    def region_mm(self) -> FloatArray:
        """Points (K, 3) that views show: the bone from a little below the lesser trochanter up, and the guide."""
        anatomy, bone = self.plan["anatomy"], self.surfaces["bone"].vertices
        least = np.asarray(anatomy["lesser_trochanter_mm"]) @ self.body.proximal - BELOW_MM
        upper = bone[bone @ self.body.proximal >= least]
        guide = self.surfaces.get("guide")
        return upper if guide is None else np.concatenate([upper, guide.vertices])


BELOW_MM = 35.0  # of the shaft, under the lesser trochanter


class ShapeStore:
    """The shapes that were looked at last. They are known by names, sizes and times of their files: what is signed is
    known by hashes alone, elsewhere.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[object, ...], Shapes] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, folder: Path) -> Shapes:
        """The shapes of a revision; ResultError where a file cannot be read."""
        key = (folder, *_stamps(folder))
        with self._lock:
            if key not in self._known:
                self._known[key] = read_shapes(folder)
            self._known.move_to_end(key)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
            return self._known[key]


def read_shapes(folder: Path) -> Shapes:
    """The plan and the surfaces in a result folder; ResultError where there is no plan or no bone."""
    plan = read_json(folder / PLAN_FILE)
    surfaces = {layer: read_stl(folder / name) for layer, name in FILES.items() if (folder / name).is_file()}
    guides = [read_stl(folder / name) for name in GUIDES if (folder / name).is_file()]
    if "bone" not in surfaces or len(guides) > 1:
        raise ResultError(f"expected femur.stl and one guide in {folder.name}, found others; run the case again")
    try:
        guide = plan.get("guide")
        made = {
            "tunnel": together(tunnel_surface(tunnel) for tunnel in plan["tunnels"]),
            "pins": together(wire_surface(pin) for pin in (guide["pins"] if guide else ())),
            "guide": guides[0] if guides else None,
        }
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ResultError(f"expected a plan of a guidegen run in {folder.name}, found: {error!r}") from error
    return Shapes(plan, surfaces | {name: surface for name, surface in made.items() if surface is not None})


def mesh_bytes(shapes: Shapes, layer: str) -> bytes:
    """A layer for the 3-D view: three counts (vertices, triangles, values), then float32 places, uint32 triangles and
    float32 values, all little-endian. ResultError for a layer that is not there.
    """
    if layer not in layers_of(shapes):
        raise ResultError(f"expected a layer of this revision, found none called {layer!r}")
    if layer == "gap":
        gap = shapes.gap
        return _bytes(None, np.empty(0)) if gap is None else _bytes(gap.surface, gap.gap_mm)
    return _bytes(shapes.surfaces[layer], np.empty(0))


def layers_of(shapes: Shapes) -> tuple[str, ...]:
    """The layers that are there, in their order."""
    there = {*shapes.surfaces} | ({"gap"} if "guide" in shapes.surfaces else set())
    return tuple(layer for layer in LAYERS if layer in there)


def _bytes(surface: Surface | None, values: FloatArray) -> bytes:
    vertices, faces = (np.empty((0, 3)), np.empty((0, 3))) if surface is None else (surface.vertices, surface.faces)
    counts = np.array([len(vertices), len(faces), len(values)], dtype="<u4")
    parts = (counts, vertices.astype("<f4"), faces.astype("<u4"), values.astype("<f4"))
    return b"".join(part.tobytes() for part in parts)


def _stamps(folder: Path) -> tuple[object, ...]:
    stamps: list[object] = []
    for name in (PLAN_FILE, *FILES.values(), *GUIDES):
        try:
            found = (folder / name).stat()
            stamps.append((name, found.st_size, found.st_mtime_ns, found.st_ino))
        except FileNotFoundError:
            stamps.append((name,))
    return tuple(stamps)
