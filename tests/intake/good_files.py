"""Small good cases in every format, as folders on disk: what bad ones are made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from guidegen.bone.surface import label_surface
from guidegen.phantom import ct_volume, label_volume, make_hip
from guidegen.phantom.dicom import write_series
from guidegen.phantom.dicom_labels import write_segmentation, write_structure_set
from guidegen.stl import stl_bytes
from guidegen.surfaces import Surface
from guidegen.threemf import threemf_bytes
from guidegen.volumes import Volume

COARSE_MM, FINE_MM = (3.0, 3.0, 4.0), (2.0, 2.0, 2.0)

CASE = '[patient]\nid = "B001L"\nside = "left"\n\n[bone]\n{bone}\n\n[lesion]\n{lesion}\n'


@cache
def hip_labels(spacing_mm: tuple[float, float, float] = COARSE_MM) -> Volume:
    """A left hip: femur 1, pelvis 2, lesion 3."""
    return label_volume(make_hip("left"), spacing_mm)


@cache
def hip_ct() -> Volume:
    return ct_volume(make_hip("left"), COARSE_MM)


@cache
def box() -> Surface:
    """The box of the femur, which is as good as a femur until its shape is looked at."""
    volume = hip_labels()
    ends = volume.to_lps(np.argwhere(volume.voxels == 1))
    low, high = ends.min(axis=0), ends.max(axis=0)
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * (high - low) + low
    faces = "013 032 467 475 045 051 237 276 064 026 157 173"
    return Surface(corners, np.array([[int(corner) for corner in face] for face in faces.split()]))


@cache
def femur_surface() -> Surface:
    volume = hip_labels(FINE_MM)
    return label_surface(replace(volume, voxels=(volume.voxels == 1) | (volume.voxels == 3))).surface


def image_of(volume: Volume) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.voxels.transpose()))
    image.SetSpacing(volume.spacing_mm.tolist())
    image.SetOrigin(volume.origin_mm.tolist())
    image.SetDirection(volume.direction.ravel().tolist())
    return image


def put(volume: Volume, path: Path, packed: bool = False) -> None:
    sitk.WriteImage(image_of(volume), str(path), useCompression=packed)


def obj_text(surface: Surface) -> str:
    lines = [f"v {x!r} {y!r} {z!r}" for x, y, z in surface.vertices.tolist()]
    return "\n".join(lines + [f"f {a} {b} {c}" for a, b, c in (surface.faces + 1).tolist()]) + "\n"


def ply_text(surface: Surface) -> str:
    head = ["ply", "format ascii 1.0", "comment made by hand", f"element vertex {len(surface.vertices)}"]
    head += [f"property float {axis}" for axis in "xyz"]
    head += [f"element face {len(surface.faces)}", "property list uchar int vertex_indices", "end_header"]
    rows = [f"{x!r} {y!r} {z!r}" for x, y, z in surface.vertices.tolist()]
    return "\n".join(head + rows + [f"3 {a} {b} {c}" for a, b, c in surface.faces.tolist()]) + "\n"


def vtp_text(surface: Surface) -> str:
    def array(values: npt.NDArray[Any], kind: str, name: str, more: str = "") -> str:
        text = " ".join(map(repr, values.ravel().tolist()))
        return f'<DataArray type="{kind}" Name="{name}" {more}format="ascii">{text}</DataArray>'

    count, three = len(surface.faces), 'NumberOfComponents="3" '
    return (
        '<?xml version="1.0"?>\n<VTKFile type="PolyData" version="1.0" byte_order="LittleEndian"><PolyData>\n'
        f'<Piece NumberOfPoints="{len(surface.vertices)}" NumberOfPolys="{count}">\n'
        f"<Points>{array(surface.vertices, 'Float64', 'p', three)}</Points>\n"
        f"<Polys>{array(surface.faces, 'Int64', 'connectivity')}\n"
        f"{array(np.arange(3, 3 * count + 3, 3), 'Int64', 'offsets')}</Polys></Piece></PolyData></VTKFile>\n"
    )


def text_stl(surface: Surface, first: str = "solid bone") -> str:
    facets = [
        "facet normal 0 0 0 outer loop "
        + " ".join(f"vertex {x!r} {y!r} {z!r}" for x, y, z in surface.vertices[face].tolist())
        + " endloop endfacet"
        for face in surface.faces
    ]
    return "\n".join([first, *facets, "endsolid bone\n"])


def surface_bytes(surface: Surface, name: str) -> bytes:
    ending = name.rpartition(".")[2]
    if ending == "3mf":
        return threemf_bytes(surface, {})
    texts = {"obj": obj_text, "ply": ply_text, "vtp": vtp_text}
    return stl_bytes(surface) if ending == "stl" else texts[ending](surface).encode()


def case_text(bone: str, lesion: str) -> str:
    return CASE.format(bone=bone.replace("; ", "\n"), lesion=lesion.replace("; ", "\n"))


def _voxel_case(folder: Path, name: str, more: str = "") -> None:
    put(hip_labels(), folder / name, packed=name.endswith((".gz", ".mhd")) or "packed" in name)
    text = case_text(f'labels = "{name}"; femur = 1; pelvis = 2{more}', f'labels = "{name}"; lesion = 3')
    (folder / "case.toml").write_text(text)


def _image_case(folder: Path) -> None:
    _voxel_case(folder, "labels.nrrd", '; image = "ct.nrrd"')
    put(hip_ct(), folder / "ct.nrrd")


def _dicom_case(folder: Path, contours: bool) -> None:
    write_series(hip_ct(), folder / "ct", modality="CT", patient_id="B001L")
    masks = {name: hip_labels().voxels == value for name, value in (("femur", 1), ("pelvis", 2), ("lesion", 3))}
    name = "rs.dcm" if contours else "seg.dcm"
    if contours:
        write_structure_set(masks, folder / "ct", folder / name)
    else:
        write_segmentation(masks, folder / "ct", folder / name)
    bone = f'labels = "{name}"; femur = "femur"; pelvis = "pelvis"; image = "ct"'
    (folder / "case.toml").write_text(case_text(bone, f'labels = "{name}"; lesion = "lesion"'))


def _surface_case(folder: Path, name: str, surface: Surface, more: str = "", fine: bool = False) -> None:
    (folder / name).write_bytes(surface_bytes(surface, name))
    put(hip_labels(FINE_MM if fine else COARSE_MM), folder / "labels.nrrd", packed=True)
    bone = f'surface = "{name}"; unit = "mm"; space = "LPS"{more}'
    (folder / "case.toml").write_text(case_text(bone, 'labels = "labels.nrrd"; lesion = 3'))


def _surface_on_image(folder: Path) -> None:
    _surface_case(folder, "bone.stl", femur_surface(), '; image = "ct.nrrd"')
    put(hip_ct(), folder / "ct.nrrd")


def _fine_case(folder: Path) -> None:
    put(hip_labels(FINE_MM), folder / "labels.nrrd", packed=True)
    bone = 'labels = "labels.nrrd"; femur = 1; pelvis = 2'
    (folder / "case.toml").write_text(case_text(bone, 'labels = "labels.nrrd"; lesion = 3'))


VOXEL_FILES = ("labels.nii", "labels.nii.gz", "labels.nrrd", "labels.mha", "labels.mhd", "packed.nrrd", "packed.mha")

GOOD: dict[str, Callable[[Path], None]] = {
    **{
        name: (lambda folder, name=name: _voxel_case(folder, name))  # type: ignore[misc]  # the name as it is now
        for name in VOXEL_FILES
    },
    "image": _image_case,
    "seg": lambda folder: _dicom_case(folder, contours=False),
    "contours": lambda folder: _dicom_case(folder, contours=True),
    **{
        name: (lambda folder, name=name: _surface_case(folder, name, box()))  # type: ignore[misc]
        for name in ("bone.stl", "bone.ply", "bone.obj", "bone.vtp", "bone.3mf")
    },
    "surface on image": _surface_on_image,
    "hip": _fine_case,
    "hip surface": lambda folder: _surface_case(folder, "bone.stl", femur_surface(), fine=True),
}


def write_good(folder: Path) -> None:
    """Every good case, each in a folder of its own."""
    for name, make in GOOD.items():
        (folder / name).mkdir(parents=True)
        make(folder / name)
