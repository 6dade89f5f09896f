"""Everything a case file names, read and checked: what comes after may trust it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from guidegen.case import Case, Label, is_file, load_case
from guidegen.errors import CaseFileError, LabelError, LesionError, SurfaceError, VolumeError
from guidegen.frames import FloatArray
from guidegen.intake.agreement import compare_identities, identity_records
from guidegen.intake.body import Body, find_body
from guidegen.intake.contained import contained
from guidegen.intake.formats import image_in, labels_in
from guidegen.intake.identity import Identity
from guidegen.intake.images import Image
from guidegen.intake.label_maps import LabelMap
from guidegen.intake.metal import find_metal, metal_notes
from guidegen.intake.on_image import OnImage, check_on_image
from guidegen.intake.sides import SideSource, sides_said
from guidegen.intake.structures import Structure, cut_out, find
from guidegen.intake.surface_files import read_surface
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

# A femur, whole or only its upper end, in any scan; anything else is a mistake of unit or of label.
MIN_FEMUR_MM, MAX_FEMUR_MM = 40.0, 700.0
# How far a lesion may reach out of the box round the femur: what registration and segmentation may be off.
LESION_ROOM_MM = 10.0
# How much of an image is kept round the femur: what registration and pictures look at.
NEAR_MM = 15.0

# The structures of the bone's section that tunnel, wires and contact keep away from.
KEEP_OUT = ("implant", "old_tunnel", "avoid")


@dataclass(frozen=True, eq=False)
class NamedMask:
    """A structure by its key in the case file, as bool voxels."""

    name: str
    mask: Volume


@dataclass(frozen=True)
class Origin:
    """What the files say of themselves, without anything that is protected.

    `identities`: a record for each DICOM file (see `identity_records`). `sides`: what says a side, and which.
    `on_image`: how well each femur lies on its image. `notes`: what a reader of the plan must know.
    """

    identities: tuple[dict[str, str | None], ...]
    sides: tuple[SideSource, ...]
    on_image: tuple[OnImage, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Inputs:
    """A case as read, LPS mm.

    Volumes are bool masks, canonical, cut to their box with an empty rim of at least 6 mm all round. Lesion voxels
    of the femur's own label map are in `femur` (or `lesion_femur`) too. `keep_out` are the implant, old tunnel and
    other places to keep away from, in the frame of the bone. `touches_border` names the ends of the scan
    ("right", "left", "anterior", "posterior", "inferior", "superior") that the femur's voxels reach, where the scan
    and not the bone ends; the same for `lesion_femur`. `input_sha256` goes from each file as written in the case
    file, and the case file's own name, to its SHA-256 in hex. `image` and `lesion_image` are cut to the femur that they
    show and NEAR_MM round it; `body` reaches to the skin.
    """

    femur: Volume | Surface
    touches_border: tuple[str, ...]
    pelvis: Volume | None
    keep_out: tuple[NamedMask, ...]
    lesion: Volume | Surface
    lesion_femur: Volume | None
    lesion_femur_touches_border: tuple[str, ...]
    image: Volume | None
    body: Body
    lesion_image: Volume | None
    origin: Origin
    input_sha256: dict[str, str]

    @property
    def same_frame(self) -> bool:
        """Whether the lesion is in the frame of the bone; else it is brought there by `lesion_femur`."""
        return self.lesion_femur is None


Reading = Callable[[str], None]  # is told the name of each file before it is read


def read_contained(case: Case) -> Inputs:
    """`read_inputs`, in a process of its own."""
    return contained(Inputs, "guidegen.intake.inputs:inputs_of", str(case.path))


def inputs_of(case_file: str, reading: Reading) -> Inputs:
    """What the process of its own does."""
    return read_inputs(load_case(case_file), reading)


def read_inputs(case: Case, reading: Reading = lambda _file: None) -> Inputs:
    """Read and check every file of the case, here in this process: files may be hostile, so use `read_contained`.

    VolumeError, LabelError or SurfaceError for a file that cannot be used; LesionError for a lesion away from its
    femur; IdentityError for files of several patients or frames.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        hashes = pool.submit(input_hashes, case)
        images = _read_images(case, reading)
        structures, said = _read_structures(case, images, reading)
        surfaces = _read_surfaces(case, reading)
        input_sha256 = hashes.result()
    femur = structures.get("bone.femur") or surfaces["bone"]
    lesion = structures.get("lesion.lesion") or surfaces["lesion"]
    pelvis, lesion_femur = structures.get("bone.pelvis"), structures.get("lesion.femur")
    _check_size(femur, "bone.femur")
    if lesion_femur is not None:
        _check_size(lesion_femur, "lesion.femur")
    _check_lesion(lesion, lesion_femur or femur, in_pose_of="bone.femur" if lesion_femur is None else "lesion.femur")
    return Inputs(
        femur=_shape(femur),
        touches_border=femur.touches_border if isinstance(femur, Structure) else (),
        pelvis=pelvis.mask if pelvis else None,
        keep_out=tuple(
            NamedMask(key, structures[f"bone.{key}"].mask) for key in KEEP_OUT if f"bone.{key}" in structures
        ),
        lesion=_shape(lesion),
        lesion_femur=lesion_femur.mask if lesion_femur else None,
        lesion_femur_touches_border=lesion_femur.touches_border if lesion_femur else (),
        image=_near(images.get("bone"), femur),
        body=find_body(images.get("bone"), _shape(femur)),
        lesion_image=_near(images.get("lesion"), lesion_femur or femur),
        origin=_origin(case, images, structures, said, femur),
        input_sha256=input_sha256,
    )


def _shape(found: Structure | Surface) -> Volume | Surface:
    return found.mask if isinstance(found, Structure) else found


def _near(image: Image | None, femur: Structure | Surface) -> Volume | None:
    """The part of an image round a femur; None without an image, or where it shows nothing of it."""
    if image is None:
        return None
    low, high = np.stack(_corners(_shape(femur)))
    ends = np.stack(np.meshgrid(*np.stack([low - NEAR_MM, high + NEAR_MM], axis=1), indexing="ij"), axis=-1)
    index = image.volume.to_index(ends.reshape(-1, 3))
    shape = np.array(image.volume.voxels.shape)
    start = np.clip(np.floor(index.min(axis=0)), 0, shape).astype(int)
    stop = np.clip(np.ceil(index.max(axis=0)) + 1, 0, shape).astype(int)
    if (start >= stop).any():
        return None
    i, j, k = (slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
    part = image.volume.cropped((i, j, k))
    return replace(part, voxels=part.voxels.copy())


def _corners(shape: Volume | Surface) -> tuple[FloatArray, FloatArray]:
    """The low and high corner (3,) of a shape's box in LPS mm."""
    if isinstance(shape, Surface):
        low, high = shape.bounds_mm
        return low, high
    ends = np.stack(np.meshgrid(*([0, count - 1] for count in shape.voxels.shape), indexing="ij"), axis=-1)
    points = shape.to_lps(ends.reshape(-1, 3))
    return points.min(axis=0), points.max(axis=0)


def _read_images(case: Case, reading: Reading) -> dict[str, Image]:
    """The images of the sections that name one."""
    images = {}
    for section, shape in (("bone", case.bone), ("lesion", case.lesion)):
        if shape.image is not None:
            reading(shape.image)
            images[section] = image_in(case.resolve(shape.image, folder=True), shape.image)
    return images


@dataclass(frozen=True)
class Said:
    """What label files say besides their voxels: identities by section, and the names of the labels that were taken."""

    identities: dict[str, list[Identity]]
    names: dict[str, str]


def _read_structures(case: Case, images: dict[str, Image], reading: Reading) -> tuple[dict[str, Structure], Said]:
    """Every structure that is given as voxels, by its key in the case file; each file is read once and let go."""
    wanted_of: dict[tuple[str, str], dict[str, Label | None]] = {}  # by section and file
    for section, shape in (("bone", case.bone), ("lesion", case.lesion)):
        for key, label in shape.given.items():
            file = label if is_file(label) else shape.labels
            if file is not None:
                wanted = wanted_of.setdefault((section, file), {})
                wanted[f"{section}.{key}"] = None if is_file(label) else label
    by_path: dict[Path, list[tuple[str, str]]] = {}
    for section, file in wanted_of:
        by_path.setdefault(case.resolve(file), []).append((section, file))
    structures: dict[str, Structure] = {}
    said = Said({"bone": [], "lesion": []}, {})
    for path, places in by_path.items():
        section, file = places[0]
        reading(file)
        labels = labels_in(path, file, images.get(section), _names(case, section, file))
        structures |= _cut_all(
            labels, {key: label for place in places for key, label in wanted_of[place].items()}, said
        )
        if labels.identity is not None:
            for place in places:
                said.identities[place[0]].append(labels.identity)
    return structures, said


def _names(case: Case, section: str, file: str) -> tuple[Path, str] | None:
    """The label description that goes with the `labels` of a section."""
    shape = case.bone if section == "bone" else case.lesion
    if shape.names is None or file != shape.labels:
        return None
    return case.resolve(shape.names), shape.names


def _origin(
    case: Case, images: dict[str, Image], structures: dict[str, Structure], said: Said, femur: Structure | Surface
) -> Origin:
    """Compare all that the files say of themselves, and each femur with its image."""
    identities = {
        section: [
            *([image.identity] if (image := images.get(section)) and image.identity else []),
            *said.identities[section],
        ]
        for section in ("bone", "lesion")
    }
    lesion_femur = structures.get("lesion.femur")
    notes = compare_identities(
        identities["bone"], identities["lesion"], case.patient.dicom_id, case.patient.id, lesion_femur is None
    )
    every = (*identities["bone"], *identities["lesion"])
    on_image = []
    if "bone" in images:
        on_image.append(check_on_image(_shape(femur), images["bone"], "bone.femur"))
        if on_image[0].kind != "CT":
            notes += (f"{images['bone'].file} is no CT in HU: metal was not looked for.",)
        implant = structures.get("bone.implant")
        metal = find_metal(images["bone"], _shape(femur), implant.mask if implant else None)
        notes += metal_notes(metal, images["bone"].file)
    else:
        notes += ("No image of the bone was given: neither its place on an image nor metal was looked for.",)
    if "lesion" in images:
        shown, key = (femur, "bone.femur") if lesion_femur is None else (lesion_femur, "lesion.femur")
        on_image.append(check_on_image(_shape(shown), images["lesion"], key, whole=False))
    return Origin(tuple(identity_records(every)), sides_said(case, every, said.names), tuple(on_image), notes)


def _cut_all(labels: LabelMap, wanted: dict[str, Label | None], said: Said) -> dict[str, Structure]:
    """The structures that one label map holds; a lesion beside its femur counts as femur too."""
    found = {key: find(labels, label, key) for key, label in wanted.items()}
    names = {(segment.layer, segment.value): segment.name for segment in labels.segments}
    said.names.update({key: names[at] for key, each in found.items() if (at := (each.layer, each.value)) in names})
    if "bone.femur" in found and found.get("lesion.femur") == found["bone.femur"]:
        del found["lesion.femur"]  # the very same femur: no other pose
    keys: dict[tuple[int, int], str] = {}
    for key, each in found.items():
        taken = keys.setdefault((each.layer, each.value), key)
        if taken != key:
            raise LabelError(
                f"{key}: expected a label of its own in {labels.file}, found {each.value}, "
                f"which is {taken} already; correct the case file"
            )
    lesion = (found["lesion.lesion"],) if "lesion.lesion" in found else ()
    host = "lesion.femur" if "lesion.femur" in found else "bone.femur"
    return {key: cut_out(labels, each, *(lesion if key == host else ())) for key, each in found.items()}


def _read_surfaces(case: Case, reading: Reading) -> dict[str, Surface]:
    """The surfaces of the sections `bone` and `lesion`, as far as they are given as surfaces."""
    surfaces = {}
    for section, shape in (("bone", case.bone), ("lesion", case.lesion)):
        if shape.surface is not None and shape.unit is not None and shape.space is not None:
            reading(shape.surface)
            surfaces[section] = read_surface(case.resolve(shape.surface), shape.surface, shape.unit, shape.space)
    return surfaces


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
