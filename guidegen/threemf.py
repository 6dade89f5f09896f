"""The guide as a 3MF file, turned as it is printed: the file that goes to the slicer.

A 3MF states its unit and carries text, so the patient, the side and the plan travel with
the body. The same guide gives the same bytes: identifiers are computed from the content
and the archive is packed anew, without dates.
"""

from __future__ import annotations

import hashlib
import io
import json
import uuid
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.errors import SurfaceError
from guidegen.frames import LPS, FloatArray, RigidTransform, across, unit
from guidegen.surfaces import Surface

PRINTER = "printer"

# The names that the 3MF core specification gives to metadata; all others need a name space.
KNOWN_METADATA = (
    "Title",
    "Designer",
    "Description",
    "Copyright",
    "LicenseTerms",
    "Rating",
    "CreationDate",
    "ModificationDate",
    "Application",
)
NAME_SPACE = "urn:guidegen:plan:1"

# The earliest date that a zip archive can state.
NO_DATE = (1980, 1, 1, 0, 0, 0)


def threemf_bytes(surface: Surface, metadata: Mapping[str, str]) -> bytes:
    """The closed surface, in mm and as it lies in the printer, as a 3MF file.

    `metadata`: names to text; what the 3MF core knows (Title, Application, Designer …) is
    stored under its own name, the rest (patient_id, side …) in guidegen's name space.
    Coordinates are kept to 1e-6 mm or to float32, whichever is coarser. SurfaceError if
    the surface is not closed: a slicer would have to guess what is inside.
    """
    import lib3mf

    if not surface.is_closed:
        raise SurfaceError("expected a closed surface for the 3MF, found open or doubled edges; build the guide again")
    wrapper = lib3mf.get_wrapper()
    model = wrapper.CreateModel()
    model.SetUnit(lib3mf.ModelUnit.MilliMeter)
    texts = model.GetMetaDataGroup()
    for name, text in sorted(metadata.items()):
        texts.AddMetaData("" if name in KNOWN_METADATA else NAME_SPACE, name, text, "xs:string", True)
    body = model.AddMeshObject()
    body.SetName(metadata.get("Title", "guide"))
    vertices = _records(lib3mf.Position, surface.vertices.astype("<f4"))
    body.SetGeometry(vertices, _records(lib3mf.Triangle, surface.faces.astype("<u4")))
    item = model.AddBuildItem(body, wrapper.GetIdentityTransform())
    for part, role in ((body, "body"), (item, "item")):
        part.SetUUID(_uuid(surface, metadata, role))
    model.SetBuildUUID(_uuid(surface, metadata, "build"))
    return _packed_anew(bytes(model.QueryWriter("3mf").WriteToBuffer()))


def travels_in(content: Mapping[str, Any], what: str, plan_sha256: str, stl_sha256: str) -> dict[str, str]:
    """What travels in the 3MF file of a part: whose and `what` it is, of which plan (`content` is that of plan.json),
    and by which STL it was measured.
    """
    return {
        "Title": f"{content['case_id']} {content['side'].upper()} {what}",
        "Application": f"guidegen {content['version']}",
        "patient_id": content["case_id"],
        "side": content["side"],
        "revision": content["guide"]["revision"],
        "plan_sha256": plan_sha256,
        "stl_sha256": stl_sha256,
        "version": content["version"],
    }


def print_orientation(guide: Surface, down_direction: npt.ArrayLike) -> RigidTransform:
    """From LPS to the printer: bone side up, on z = 0, the lowest corner of the box at x = y = 0.

    `down_direction` (3,) in LPS points down: about the removal direction, so that nothing props up the surface that
    touches the bone. About z the guide is turned so that the smallest rectangle round its outline
    lies along x, long side first, with the end that is nearer the patient's head at +x.
    """
    down = unit(down_direction)
    along = _long_side(guide, down)
    axes = np.stack([along, np.cross(-down, along), -down])
    lowest = (guide.vertices @ axes.T).min(axis=0)
    return RigidTransform(axes, -lowest, LPS, PRINTER)


def _long_side(guide: Surface, down: FloatArray) -> FloatArray:
    """The unit vector (3,) across `down` along the long side of the smallest rectangle round the outline."""
    from scipy.spatial import ConvexHull

    first = unit(across(np.eye(3)[int(np.argmin(np.abs(down)))], down))
    second = np.cross(down, first)
    outline = guide.vertices @ np.stack([first, second]).T
    corners = outline[ConvexHull(outline).vertices]
    # one side of the smallest rectangle lies on a side of the hull (Freeman and Shapira 1975)
    sides = unit(np.roll(corners, -1, axis=0) - corners)
    normals = np.stack([-sides[:, 1], sides[:, 0]], axis=1)
    length, width = (np.ptp(corners @ directions.T, axis=0) for directions in (sides, normals))
    best = int(np.argmin(length * width))
    x, y = sides[best] if length[best] >= width[best] else normals[best]
    along = x * first + y * second
    headward = next(component for component in along[::-1] if abs(component) > 1e-6)
    return np.asarray(along * np.sign(headward))


def _records(record: Any, values: npt.NDArray[Any]) -> Any:
    """The rows (K, 3) as an array of K of lib3mf's C records, without a Python object per row."""
    return (record * len(values)).from_buffer_copy(np.ascontiguousarray(values).tobytes())


def _uuid(surface: Surface, metadata: Mapping[str, str], role: str) -> str:
    """An identifier that only the content and the role decide."""
    digest = hashlib.sha256(surface.vertices.tobytes() + surface.faces.tobytes())
    digest.update(json.dumps(metadata, sort_keys=True).encode())
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{NAME_SPACE}:{role}:{digest.hexdigest()}"))


def _packed_anew(archive: bytes) -> bytes:
    """The same parts in a zip archive of fixed order and date."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as parts, zipfile.ZipFile(packed, "w") as target:
        # the list of content types comes first, as readers expect of an office package
        for name in sorted(parts.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            info = zipfile.ZipInfo(name, NO_DATE)
            info.create_system = 3  # Unix, wherever this runs
            info.external_attr = 0o644 << 16
            target.writestr(info, parts.read(name), zipfile.ZIP_DEFLATED, compresslevel=6)
    return packed.getvalue()
