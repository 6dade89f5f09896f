"""Everything a case file names, read and checked: what comes after may trust it."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from guidegen.case import Case, Label, is_file
from guidegen.errors import CaseFileError, LabelError, LesionError, SurfaceError, VolumeError
from guidegen.frames import FloatArray
from guidegen.intake.label_maps import LabelMap, read_label_map
from guidegen.intake.structures import Structure, cut_out, find
from guidegen.intake.surface_files import read_surface
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

# A femur, whole or only its upper end, in any scan; anything else is a mistake of unit or of label.
MIN_FEMUR_MM, MAX_FEMUR_MM = 40.0, 700.0
# How far a lesion may reach out of the box round the femur: what registration and segmentation may be off.
LESION_ROOM_MM = 10.0


@dataclass(frozen=True, eq=False)
class Inputs:
    """A case as read, LPS mm.

    Volumes are bool masks, canonical, cut to their box with an empty rim of at least 6 mm all round. Lesion voxels
    of the femur's own label map are in `femur` (or `lesion_femur`) too. `touches_border` names the ends of the scan
    ("right", "left", "anterior", "posterior", "inferior", "superior") that the femur's voxels reach, where the scan
    and not the bone ends; the same for `lesion_femur`. `input_sha256` goes from each file as written in the case
    file, and the case file's own name, to its SHA-256 in hex.
    """

    femur: Volume | Surface
    touches_border: tuple[str, ...]
    pelvis: Volume | None
    lesion: Volume | Surface
    lesion_femur: Volume | None
    lesion_femur_touches_border: tuple[str, ...]
    input_sha256: dict[str, str]

    @property
    def same_frame(self) -> bool:
        """Whether the lesion is in the frame of the bone; else it is brought there by `lesion_femur`."""
        return self.lesion_femur is None


def read_inputs(case: Case) -> Inputs:
    """Read and check every file of the case.

    VolumeError, LabelError or SurfaceError for a file that cannot be used; LesionError for a lesion away from its
    femur. Images are hashed and not yet read.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        hashes = pool.submit(input_hashes, case)
        structures, surfaces = _read_structures(case), _read_surfaces(case)
        input_sha256 = hashes.result()
    femur = structures.get("bone.femur") or surfaces["bone"]
    lesion = structures.get("lesion.lesion") or surfaces["lesion"]
    pelvis, lesion_femur = structures.get("bone.pelvis"), structures.get("lesion.femur")
    _check_size(femur, "bone.femur")
    if lesion_femur is not None:
        _check_size(lesion_femur, "lesion.femur")
    _check_lesion(lesion, lesion_femur or femur, in_pose_of="bone.femur" if lesion_femur is None else "lesion.femur")
    return Inputs(
        femur=femur.mask if isinstance(femur, Structure) else femur,
        touches_border=femur.touches_border if isinstance(femur, Structure) else (),
        pelvis=pelvis.mask if pelvis else None,
        lesion=lesion.mask if isinstance(lesion, Structure) else lesion,
        lesion_femur=lesion_femur.mask if lesion_femur else None,
        lesion_femur_touches_border=lesion_femur.touches_border if lesion_femur else (),
        input_sha256=input_sha256,
    )


def _read_structures(case: Case) -> dict[str, Structure]:
    """Every structure that is given as voxels, by its key in the case file; each file is read once and let go."""
    bone, lesion = case.bone, case.lesion
    named: dict[str, tuple[str | None, Label | None]] = {
        "bone.femur": (bone.labels, bone.femur),
        "bone.pelvis": (bone.labels, bone.pelvis),
        "lesion.lesion": (lesion.labels, lesion.lesion),
        "lesion.femur": (lesion.labels, lesion.femur),
    }
    by_path: dict[Path, dict[str, Label | None]] = {}
    for key, (labels, label) in named.items():
        if is_file(label):
            by_path.setdefault(case.resolve(label), {})[key] = None
        elif label is not None and labels is not None:
            by_path.setdefault(case.resolve(labels), {})[key] = label
    structures: dict[str, Structure] = {}
    for path, wanted in by_path.items():
        structures |= _cut_all(read_label_map(path, str(path.relative_to(case.folder))), wanted)
    return structures


def _cut_all(labels: LabelMap, wanted: dict[str, Label | None]) -> dict[str, Structure]:
    """The structures that one label map holds; a lesion beside its femur counts as femur too."""
    found = {key: find(labels, label, key) for key, label in wanted.items()}
    if "bone.femur" in found and found.get("lesion.femur") == found["bone.femur"]:
        del found["lesion.femur"]  # the very same femur: no other pose
    keys: dict[int, str] = {}
    for key, each in found.items():
        if each.value in keys:
            raise LabelError(
                f"{key}: expected a label of its own in {labels.file}, found {each.value}, "
                f"which is {keys[each.value]} already; correct the case file"
            )
        keys[each.value] = key
    lesion = (found["lesion.lesion"],) if "lesion.lesion" in found else ()
    host = "lesion.femur" if "lesion.femur" in found else "bone.femur"
    return {key: cut_out(labels, each, *(lesion if key == host else ())) for key, each in found.items()}


def _read_surfaces(case: Case) -> dict[str, Surface]:
    """The surfaces of the sections `bone` and `lesion`, as far as they are given as surfaces."""
    return {
        section: read_surface(case.resolve(shape.surface), shape.surface, shape.unit, shape.space)
        for section, shape in (("bone", case.bone), ("lesion", case.lesion))
        if shape.surface is not None and shape.unit is not None and shape.space is not None
    }


def _box_mm(shape: Structure | Surface) -> FloatArray:
    """Low and high corner (2, 3) of a shape's box in mm, along its own voxel axes or those of LPS."""
    if isinstance(shape, Surface):
        return shape.bounds_mm
    return np.array([[axis.start, axis.stop - 1] for axis in shape.box]).T * shape.mask.spacing_mm


def _check_size(femur: Structure | Surface, key: str) -> None:
    extent_mm = float(np.ptp(_box_mm(femur), axis=0).max())
    if MIN_FEMUR_MM <= extent_mm <= MAX_FEMUR_MM:
        return
    sizes = f"{key}: expected a femur of {MIN_FEMUR_MM:.0f} to {MAX_FEMUR_MM:.0f} mm, found one of {extent_mm:.3g} mm"
    if isinstance(femur, Surface):
        raise SurfaceError(f'{sizes}; is "unit" in the case file the one that the file was written in?')
    raise VolumeError(f"{sizes}; is the file's spacing in mm, and is this the label of the femur?")


def _check_lesion(lesion: Structure | Surface, femur: Structure | Surface, in_pose_of: str) -> None:
    """Refuse a lesion outside the femur's box: another pose, another patient, a wrong label."""
    points = lesion.vertices if isinstance(lesion, Surface) else lesion.mask.to_lps(np.argwhere(lesion.mask.voxels))
    if isinstance(femur, Structure):
        points = femur.mask.to_index(points) * femur.mask.spacing_mm
    low, high = _box_mm(femur)
    reach_mm = float(np.max([low - points.min(axis=0), points.max(axis=0) - high]))
    gap_mm = float(np.max([low - points.max(axis=0), points.min(axis=0) - high]))
    if reach_mm <= LESION_ROOM_MM:
        return
    found = f"one {gap_mm:.1f} mm away from it" if gap_mm > 0 else f"one that reaches {reach_mm:.1f} mm out of it"
    pose = 'if its image shows the femur in another pose, give that femur as "femur" in [lesion]; else '
    advice = f"{pose if in_pose_of == 'bone.femur' else ''}check its label, its patient and its frame"
    raise LesionError(
        f"lesion: expected a lesion within {LESION_ROOM_MM:.0f} mm of the box round {in_pose_of}, found {found}; "
        f"{advice}"
    )


def input_hashes(case: Case) -> dict[str, str]:
    """SHA-256 of every file, read in pieces; names in alphabetical order."""
    paths = {name: case.resolve(name) for name in case.files} | {case.path.name: case.path}
    digests = {}
    for name in sorted(paths):
        try:
            with paths[name].open("rb") as stream:
                digests[name] = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise CaseFileError(f"{name!r}: expected a file that can be read, found none ({error.strerror})") from error
    return digests
