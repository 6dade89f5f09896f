"""The file that goes to the printer: it must be the guide that was measured, turned and nothing else, and fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from guidegen.check.asked import Asked
from guidegen.check.files import INSERTS, insert_name
from guidegen.check.finding import Finding, at_most
from guidegen.frames import LPS, FloatArray, RigidTransform
from guidegen.surfaces import Surface
from guidegen.threemf import PRINTER

# Coordinates of both files are rounded to float32, here and at 600 mm from the origin.
TURNED_TOLERANCE_MM = 1e-3
MISSING = "guide.3mf is missing, is no 3MF of one body, or has other triangles than guide.stl"

# Six decimals of a direction are rounded in plan.json, and float32 in the file.
POSE_LIMIT_DEG = 0.1

WHY_SAME = "The printer gets the 3MF: a number measured on the STL means nothing unless both are the same body."
WHY_POSE = "Props, layers and gaps were weighed for one way to lie: upside down, what prints worst touches the bone."
WHY_FITS = "A guide larger than the printer is cut or scaled by whoever prints it."


def read_print(folder: Path) -> FloatArray | None:
    """The triangles (M, 3, 3) of a result's guide.3mf, as `read_threemf` gives them; None for a rejected guide, which
    has no such file.
    """
    return None if (folder / "rejected.stl").exists() else read_threemf(folder / "guide.3mf")


def read_insert_prints(folder: Path, count: int) -> list[FloatArray] | None:
    """The same of each insert of a fan."""
    if (folder / "rejected.stl").exists():
        return None
    return [read_threemf(folder / INSERTS / f"{insert_name(number)}.3mf") for number in range(1, count + 1)]


def read_threemf(path: Path) -> FloatArray:
    """The triangles (M, 3, 3) of a print file, in mm as printed; none of them where it is no 3MF of one body in mm."""
    import lib3mf

    model = lib3mf.get_wrapper().CreateModel()
    try:
        model.QueryReader("3mf").ReadFromFile(str(path))
    except lib3mf.ELib3MFException:
        return np.empty((0, 3, 3))
    meshes = model.GetMeshObjects()
    if meshes.Count() != 1 or not meshes.MoveNext() or model.GetUnit() != lib3mf.ModelUnit.MilliMeter:
        return np.empty((0, 3, 3))
    mesh = meshes.GetCurrentMeshObject()
    vertices, faces = mesh.GetVertices(), mesh.GetTriangleIndices()
    points = np.frombuffer(bytes((lib3mf.Position * len(vertices))(*vertices)), "<f4").reshape(-1, 3)
    corners = np.frombuffer(bytes((lib3mf.Triangle * len(faces))(*faces)), "<u4").reshape(-1, 3)
    return np.asarray(points.astype(np.float64)[corners])


def print_pose(printed_mm: FloatArray, guide: Surface) -> tuple[RigidTransform, float] | None:
    """How the guide was turned to be printed, without mirroring (Kabsch), and the largest distance in mm then left
    between the two files; None where they have not the same triangles.
    """
    if len(printed_mm) != len(guide.faces):
        return None
    fixed, moved = guide.face_centers_mm, printed_mm.mean(axis=1)
    middle, moved_middle = fixed.mean(axis=0), moved.mean(axis=0)
    left, _, right = np.linalg.svd((moved - moved_middle).T @ (fixed - middle))
    keep = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])  # a mirror image is no turn
    turn = left @ keep @ right
    pose = RigidTransform(turn, moved_middle - turn @ middle, LPS, PRINTER)
    off_mm = pose.points(guide.vertices)[guide.faces] - printed_mm
    return pose, float(np.sqrt(np.einsum("fij,fij->fi", off_mm, off_mm).max()))


def print_findings(
    asked: Asked,
    printed_mm: FloatArray,
    pose: tuple[RigidTransform, float] | None,
    of: str = "",
    missing: str = MISSING,
) -> list[Finding]:
    """How far a print file lies from its STL after the best turn, and how much of the printer's room it takes: of the
    guide, or `of` another part.
    """
    off_mm = None if pose is None else pose[1]
    name = f"{of} print file off its STL" if of else "print file off the guide"
    findings = [at_most(name, off_mm, TURNED_TOLERANCE_MM, "mm", WHY_SAME, missing=missing)]
    build_mm = asked.printing.build_mm
    room_mm = (*sorted(build_mm[:2], reverse=True), build_mm[2])  # a guide lies with its long side along the plate's
    sizes = (None, None, None) if len(printed_mm) == 0 else _sizes_mm(printed_mm)
    for side, size_mm, most_mm in zip(("length", "width", "height"), sizes, room_mm, strict=True):
        findings.append(at_most(f"{of} print {side}".lstrip(), size_mm, most_mm, "mm", WHY_FITS, missing=missing))
    return findings


def pose_finding(
    pose: tuple[RigidTransform, float] | None, planned: FloatArray, of: str = "", missing: str = MISSING
) -> Finding:
    """The angle between how a part lies in its print file and how it was planned to lie there: x, y and z of the
    printer, as rows (3, 3) in LPS.
    """
    turned_deg = None
    if pose is not None:  # 2 √2 sin(angle / 2) is the distance between two rotations
        apart = float(np.linalg.norm(pose[0].rotation - planned))
        turned_deg = float(np.degrees(2.0 * np.arcsin(min(1.0, apart / np.sqrt(8.0)))))
    return at_most(f"{of} print pose off plan".lstrip(), turned_deg, POSE_LIMIT_DEG, "°", WHY_POSE, missing=missing)


def _sizes_mm(printed_mm: FloatArray) -> tuple[float, float, float]:
    """The longer side on the plate, the shorter one, and the height."""
    x, y, z = (float(size) for size in np.ptp(printed_mm.reshape(-1, 3), axis=0))
    return max(x, y), min(x, y), z
