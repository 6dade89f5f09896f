"""Pictures and shapes of a revision: slices, layers of the 3-D view, and the files that its run left."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from guidegen.errors import ResultError
from guidegen.frames import across, unit
from guidegen.review.revision import Place, file_hashes
from guidegen.review.web.access import Here
from guidegen.review.web.address import At
from guidegen.review.web.grounds import Ground, grounds_of, image_on_bone
from guidegen.review.web.planes import Plane, framed, planes_of, slider_of
from guidegen.review.web.shapes import Shapes, layers_of, mesh_bytes
from guidegen.review.web.site import Site
from guidegen.review.web.slices import slice_png
from guidegen.rounded import shown

router = APIRouter(prefix="/cases/{case}/{revision}")

OPENING = (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL, Plane.ALONG)  # the slices that a page opens with
FARTHEST = 10_000.0  # mm: no slider goes as far
MEDIA = {".png": "image/png", ".pdf": "application/pdf"}
LANDMARKS = {
    "head_center_mm": "head centre",
    "greater_trochanter_mm": "greater trochanter",
    "lesser_trochanter_mm": "lesser trochanter",
    "vastus_ridge_mm": "vastus ridge",
}


@router.get("/slice/{plane}")
def show_slice(
    site: Here,
    place: At,
    plane: Plane,
    at: Annotated[float, Query(ge=-FARTHEST, le=FARTHEST, allow_inf_nan=False)],
    ground: Ground | None = None,
    plain: bool = False,
) -> Response:
    """One slice at a value of its slider, in mm or degrees, on a ground; `plain`: without what the plane cuts."""
    shapes = site.shapes.of(place.folder)
    if plane not in planes_of(shapes):
        raise ResultError("expected a plan with a tunnel for a plane along it, found none; look at the other planes")
    return Response(_slice(site, place, shapes, plane, at, ground, plain), media_type="image/png")


@router.get("/layer/{layer}")
def show_layer(site: Here, place: At, layer: str) -> Response:
    """One layer of the 3-D view, as `mesh_bytes` writes it."""
    return Response(mesh_bytes(site.shapes.of(place.folder), layer), media_type="application/octet-stream")


@router.get("/scene")
def show_scene(site: Here, place: At) -> JSONResponse:
    """Where the 3-D view stands, and what is marked in it."""
    return JSONResponse(scene_of(site.shapes.of(place.folder)))


@router.get("/files/{name:path}")
def show_file(place: At, name: str) -> Response:
    """A picture or the dossier of the revision, by its path there."""
    media = next((media for end, media in MEDIA.items() if name.endswith(end)), None)
    if media is None or name not in file_hashes(place.folder):
        raise ResultError(
            "expected a picture or the dossier of this revision, found no such file; choose one on its page"
        )
    kept = f'attachment; filename="{place.case}-{place.name}.pdf"' if name.endswith(".pdf") else "inline"
    return Response((place.folder / name).read_bytes(), media_type=media, headers={"content-disposition": kept})


def opening_slices(site: Site, place: Place) -> dict[str, bytes]:
    """The slices that a revision's page opens with, PNG by plane."""
    shapes = site.shapes.of(place.folder)
    planes = [plane for plane in OPENING if plane in planes_of(shapes)]
    return {str(each): _slice(site, place, shapes, each, slider_of(shapes, each).start) for each in planes}


def scene_of(shapes: Shapes) -> dict[str, Any]:
    """Layers, standpoints, landmarks and drawn distances, LPS mm, for the 3-D view."""
    body, region = shapes.body, shapes.region_mm
    low, high = region.min(axis=0), region.max(axis=0)
    up = body.proximal.tolist()
    views = {
        "front": (body.anterior, up),
        "back": (-body.anterior, up),
        "lateral": (body.lateral, up),
        "medial": (-body.lateral, up),
        "above": (body.proximal, body.anterior.tolist()),
    }
    marks = [{"name": words, "place": shapes.plan["anatomy"][name]} for name, words in LANDMARKS.items()]
    tunnels = []
    for number, tunnel in enumerate(shapes.plan["tunnels"], start=1):
        axis = unit(np.subtract(tunnel["target_mm"], tunnel["entry_mm"]))
        if number == 1:
            views["tunnel"] = (-axis, unit(across(body.proximal, axis)).tolist())
        words = f"tunnel {number}, {shown(tunnel['length_mm'], 1)} mm"
        tunnels.append({"name": words, "entry": tunnel["entry_mm"], "target": tunnel["target_mm"]})
    guide = shapes.plan.get("guide")
    return {
        "layers": layers_of(shapes),
        "center": ((low + high) / 2.0).tolist(),
        "radius": float(np.linalg.norm(high - low)) / 2.0,
        "low": low.tolist(),
        "high": high.tolist(),
        "views": {name: {"toward": toward.tolist(), "up": above} for name, (toward, above) in views.items()},
        "first": unit(body.lateral + 0.9 * body.anterior + 0.25 * body.proximal).tolist(),
        "marks": marks,
        "tunnels": tunnels,
        "clearance": guide["clearance_mm"] if guide else None,
    }


def _slice(
    site: Site,
    place: Place,
    shapes: Shapes,
    plane: Plane,
    at: float,
    ground: Ground | None = None,
    plain: bool = False,
) -> bytes:
    """A slice; without a `ground`, on the one that the page opens with."""
    slider, chosen = slider_of(shapes, plane), ground or grounds_of(site.cases, place)[0]
    where = f"{plane}  {shown(at, 1)} {slider.unit}".replace("°", "deg")
    title = f"{place.case_id}  {place.side.upper()}  {place.name}\n{where}"
    if chosen is Ground.LESION:
        title += f"  {chosen}"
    image = None if chosen is Ground.NONE else image_on_bone(site.cases.images(place), shapes, chosen)
    hidden = frozenset(shapes.surfaces) if plain else frozenset()
    return slice_png(shapes, image, framed(shapes, plane, at), title, hidden)
