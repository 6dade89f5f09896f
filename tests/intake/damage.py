"""What can be wrong with a case, one thing at a time: functions of its folder, which holds a good one.

Bombs and huge files are small on disk: packed zeros, and sizes that only a header states.
"""

from __future__ import annotations

import base64
import gzip
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from good_files import box, hip_labels, put, surface_bytes
from series_files import alter, load, save

from guidegen.surfaces import Surface
from guidegen.volumes import Volume

Change = Callable[[Path], object]


def changes(*each: Change) -> Change:
    return lambda folder: [change(folder) for change in each]


def swap(file: str, old: str | bytes, new: str | bytes) -> Change:
    """Put other bytes into a file in place of those that are there."""
    old, new = (text.encode() if isinstance(text, str) else text for text in (old, new))

    def change(folder: Path) -> None:
        data = (folder / file).read_bytes()
        assert old in data, f"{file} has no {old!r}"
        (folder / file).write_bytes(data.replace(old, new))

    return change


def line(file: str, start: str, new: str) -> Change:
    """Replace the line of a text header that begins with `start`, its end included, by `new`."""

    def change(folder: Path) -> None:
        data = (folder / file).read_bytes()
        whole = rb"(?m)^%s[^\n]*\n" % re.escape(start.encode())
        changed, count = re.subn(whole, lambda _: new.encode(), data)
        assert count == 1, f"{file} has {count} lines {start!r}"
        (folder / file).write_bytes(changed)

    return change


def toml(old: str, new: str) -> Change:
    return swap("case.toml", old, new)


def fields(values: dict[int, tuple[str, Any]], file: str = "labels.nii") -> Change:
    """Set numbers of a NIfTI header: their format by their offset."""

    def change(folder: Path) -> None:
        data = bytearray((folder / file).read_bytes())
        for offset, (kind, value) in values.items():
            many = value if isinstance(value, (list, tuple)) else [value]
            struct.pack_into(f"<{len(many)}{kind}", data, offset, *many)
        (folder / file).write_bytes(data)

    return change


def content(file: str, data: bytes | str) -> Change:
    return lambda folder: (folder / file).write_bytes(data.encode() if isinstance(data, str) else data)


def kept(file: str, share: float) -> Change:
    """Cut a file off."""

    def change(folder: Path) -> None:
        data = (folder / file).read_bytes()
        (folder / file).write_bytes(data[: int(len(data) * share)])

    return change


def flipped(file: str, at: float) -> Change:
    """Flip one bit."""

    def change(folder: Path) -> None:
        data = bytearray((folder / file).read_bytes())
        data[int(len(data) * at)] ^= 4
        (folder / file).write_bytes(data)

    return change


def voxels(name: str, change: Callable[[npt.NDArray[Any]], npt.NDArray[Any]], like: Volume | None = None) -> Change:
    """Write other voxels, of the hip's labels or of `like`, in the same place."""

    def write(folder: Path) -> None:
        volume = like or hip_labels()
        put(replace(volume, voxels=change(volume.voxels.copy())), folder / name)

    return write


def with_value(kind: Any, value: float) -> Callable[[npt.NDArray[Any]], npt.NDArray[Any]]:
    def change(labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        labels = labels.astype(kind)
        labels[10, 10, 10] = value
        return labels

    return change


def moved(name: str, by_mm: npt.ArrayLike, volume: Callable[[], Volume] = hip_labels) -> Change:
    def change(folder: Path) -> None:
        put(replace(volume(), origin_mm=volume().origin_mm + by_mm), folder / name)

    return change


def slices(folder: Path) -> list[Path]:
    return sorted((folder / "ct").iterdir())


def one(number: int = 4, **elements: Any) -> Change:
    return lambda folder: alter(slices(folder)[number], **elements)


def every(**elements: Any) -> Change:
    return lambda folder: [alter(path, **elements) for path in slices(folder)]


def places(change: Callable[[int, Any], Any]) -> Change:
    """Move slice k of the series from where it is."""

    def write(folder: Path) -> None:
        for k, path in enumerate(slices(folder)):
            at = np.array(load(path).ImagePositionPatient, dtype=float)
            alter(path, ImagePositionPatient=[f"{value:.9g}" for value in change(k, at)])

    return write


def dicom(file: str, change: Callable[[Any], object]) -> Change:
    """Change the dataset of a DICOM file."""

    def write(folder: Path) -> None:
        with pydicom.config.disable_value_validation():
            dataset = load(folder / file)
            change(dataset)
            save(dataset, folder / file)

    return write


def element(file: str, **values: Any) -> Change:
    return dicom(file, lambda dataset: [setattr(dataset, keyword, value) for keyword, value in values.items()])


def frames(change: Callable[[Any, int], object]) -> Change:
    """Change the functional group of every frame of the segmentation."""
    return dicom(
        "seg.dcm", lambda dataset: [change(each, k) for k, each in enumerate(dataset.PerFrameFunctionalGroupsSequence)]
    )


def shift_frame(k: int, by_mm: npt.ArrayLike) -> Change:
    def change(each: Any, number: int) -> None:
        if number == k:
            plane = each.PlanePositionSequence[0]
            plane.ImagePositionPatient = [float(v) + s for v, s in zip(plane.ImagePositionPatient, by_mm, strict=True)]  # type: ignore[arg-type]

    return frames(change)


def copied(number: int, name: str, **elements: Any) -> Change:
    def change(folder: Path) -> None:
        path = slices(folder)[number].with_name(name)
        shutil.copy(slices(folder)[number], path)
        if elements:
            alter(path, **elements)

    return change


def gone(*numbers: int) -> Change:
    return lambda folder: [slices(folder)[number].unlink() for number in sorted(numbers, reverse=True)]


def shape(file: str, change: Callable[[Surface], tuple[Any, Any]], surface: Callable[[], Surface] = box) -> Change:
    """Write the surface with other vertices and faces, as far as the writer of its format minds none."""

    def write(folder: Path) -> None:
        vertices, faces = change(surface())
        (folder / file).write_bytes(surface_bytes(Surface(np.array(vertices, float), np.array(faces)), file))

    return write


def scaled(factor: float, file: str = "bone.stl") -> Change:
    return shape(file, lambda s: (s.vertices * factor, s.faces))


MIRROR = np.array([-1.0, 1.0, 1.0])


def mirrored(repaired: bool = True, surface: Callable[[], Surface] = box, in_place: bool = False) -> Change:
    """Mirror an STL from left to right, `in_place` about its own middle; wind it outwards again, as programs do."""

    def change(whole: Surface) -> tuple[Any, Any]:
        middle = whole.bounds_mm.mean(axis=0) if in_place else np.zeros(3)
        vertices = (whole.vertices - middle) * MIRROR + middle
        return vertices, whole.faces[:, ::-1] if repaired else whole.faces

    return shape("bone.stl", change, surface)


def stl_number(place: int, value: float) -> Change:
    def change(folder: Path) -> None:
        data = bytearray((folder / "bone.stl").read_bytes())
        struct.pack_into("<f", data, 84 + place, value)
        (folder / "bone.stl").write_bytes(data)

    return change


def stl_count(count: int) -> Change:
    def change(folder: Path) -> None:
        data = bytearray((folder / "bone.stl").read_bytes())
        struct.pack_into("<I", data, 80, count)
        (folder / "bone.stl").write_bytes(data)

    return change


def repacked(change: Callable[[dict[str, bytes]], dict[str, bytes]]) -> Change:
    """Pack the 3MF again with other parts."""

    def write(folder: Path) -> None:
        path = folder / "bone.3mf"
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, data in change(parts).items():
                archive.writestr(name, data)

    return write


def model(old: str, new: str) -> Change:
    """Replace something in the model of the 3MF, where it is found first."""

    def change(parts: dict[str, bytes]) -> dict[str, bytes]:
        name = next(name for name in parts if name.endswith(".model"))
        changed, count = re.subn(old.encode(), lambda _: new.encode(), parts[name], count=1)
        assert count == 1, f"the model has no {old!r}"
        return parts | {name: changed}

    return repacked(change)


# --- bombs: packed zeros, made from one packed piece again and again ---

PIECE_BYTES = 1 << 24


@cache
def gzip_piece() -> bytes:
    return gzip.compress(bytes(PIECE_BYTES), 9, mtime=0)


def gzip_zeros(count: int) -> bytes:
    """`count` pieces of zeros as gzip, which may follow one another in a file."""
    return gzip_piece() * count


@cache
def deflate_piece() -> bytes:
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    return pack.compress(bytes(PIECE_BYTES)) + pack.flush(zlib.Z_FULL_FLUSH)


def zlib_zeros(count: int) -> bytes:
    """`count` pieces of zeros as one zlib stream, with its right check sum."""
    adler = (count * PIECE_BYTES % 65521) << 16 | 1
    return b"\x78\xda" + deflate_piece() * count + b"\x03\x00" + struct.pack(">L", adler)


def nifti_bomb(pieces: int, size: int | None) -> Change:
    """A .nii.gz of zeros; its header says that there are size³ voxels, or (None) what it said before."""

    def change(folder: Path) -> None:
        whole = gzip.decompress((folder / "labels.nii.gz").read_bytes())
        header = bytearray(whole if size is None else whole[:352])
        if size is not None:
            struct.pack_into("<3h", header, 42, size, size, size)
        (folder / "labels.nii.gz").write_bytes(gzip.compress(header, 9, mtime=0) + gzip_zeros(pieces))

    return change


def voxel_bomb(name: str, header: str, sizes: str | None, zeros: Callable[[int], bytes], pieces: int) -> Change:
    """The text header of a NRRD or MetaImage, its sizes replaced, with packed zeros in place of its voxels."""

    def change(folder: Path) -> None:
        data = (folder / name).read_bytes()
        end = b"\n\n" if name.endswith(".nrrd") else b"ElementDataFile = LOCAL\n"
        head = data[: data.index(end) + len(end)]
        if sizes is not None:
            head = re.sub(rb"(?m)^%s[^\n]*" % header.encode(), f"{header}{sizes}".encode(), head)
        head = re.sub(rb"CompressedDataSize[^\n]*\n", b"", head)
        (folder / name).write_bytes(head + zeros(pieces))

    return change


def run_lengths(folder: Path, rows: int, columns: int) -> None:
    """Give every slice packed zeros, 16 bits a pixel, in run lengths of 128."""
    segment = b"\x81\0" * (rows * columns // 128)
    frame = struct.pack("<16L", 2, 64, 64 + len(segment), *[0] * 13) + segment * 2
    for path in slices(folder):
        dataset = load(path)
        dataset.Rows, dataset.Columns = rows, columns
        dataset.PixelData = pydicom.encaps.encapsulate([frame])
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
        save(dataset, path, "1.2.840.10008.1.2.5")


def deflated(folder: Path) -> None:
    """A slice whose elements are deflated, with 3 GB of zeros behind them."""
    path = slices(folder)[4]
    data = path.read_bytes()
    uid, other = b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99"
    at = data.index(uid)
    head = data[: at - 2] + struct.pack("<H", len(other)) + other
    path.write_bytes(head + deflate_piece() * 180 + b"\x03\x00")


def vtp_bomb(points: int, block_bytes: int = PIECE_BYTES) -> Change:
    """A VTP of `points` points at one place, in packed blocks of zeros; larger blocks hold more than they say."""

    def change(folder: Path) -> None:
        whole, last = divmod(24 * points, PIECE_BYTES)
        blocks = [zlib.compress(bytes(block_bytes), 9)] * whole
        blocks += [zlib.compress(bytes(max(last, block_bytes - PIECE_BYTES)), 9)] if last else []
        head = struct.pack(f"<{3 + len(blocks)}L", len(blocks), PIECE_BYTES, last, *map(len, blocks))
        text = (base64.b64encode(head) + base64.b64encode(b"".join(blocks))).decode()
        (folder / "bone.vtp").write_text(
            '<VTKFile type="PolyData" version="1.0" byte_order="LittleEndian" header_type="UInt32" '
            f'compressor="vtkZLibDataCompressor"><PolyData><Piece NumberOfPoints="{points}" NumberOfPolys="1"><Points>'
            f'<DataArray type="Float64" NumberOfComponents="3" format="binary">{text}</DataArray></Points><Polys>'
            '<DataArray type="Int64" Name="connectivity" format="ascii">0 1 2</DataArray>'
            '<DataArray type="Int64" Name="offsets" format="ascii">3</DataArray></Polys></Piece></PolyData></VTKFile>'
        )

    return change


def deep(depth: int) -> Change:
    """Put sequences within each other into a slice, without lengths."""

    def change(folder: Path) -> None:
        path = slices(folder)[4]
        data, item = path.read_bytes(), b"\xfe\xff\x00\xe0" + b"\xff" * 4
        start = b"\x08\x00\x12\x21SQ\0\0" + b"\xff" * 4 + item
        end = b"\xfe\xff\x0d\xe0" + bytes(4) + b"\xfe\xff\xdd\xe0" + bytes(4)
        at = data.index(b"\x10\x00\x10\x00PN")  # the first element of the patient
        path.write_bytes(data[:at] + start * depth + end * depth + data[at:])

    return change


def caret(xml: str) -> Change:
    """Give a NIfTI a table of labels in an extension of its header."""

    def change(folder: Path) -> None:
        path = folder / "labels.nii"
        data = bytearray(path.read_bytes())
        text = xml.encode()
        text += bytes(-(len(text) + 8) % 16)
        struct.pack_into("<f", data, 108, 352.0 + 8 + len(text))
        path.write_bytes(data[:348] + b"\1\0\0\0" + struct.pack("<2l", 8 + len(text), 30) + text + data[352:])

    return change


ENTITIES = "".join(f'<!ENTITY e{k} "{f"&e{k - 1};" * 10}">' for k in range(1, 10))
DOCTYPE = f'<!DOCTYPE model [<!ENTITY e0 "ha">{ENTITIES}]>'
EXTERNAL = '<!DOCTYPE model SYSTEM "file:///etc/hostname">'


def bytes_at(file: str, offset: int, new: bytes) -> Change:
    def change(folder: Path) -> None:
        data = bytearray((folder / file).read_bytes())
        data[offset : offset + len(new)] = new
        (folder / file).write_bytes(data)

    return change


def linked(file: str, to: str) -> Change:
    """A link in place of the file."""

    def change(folder: Path) -> None:
        (folder / file).unlink()
        (folder / file).symlink_to(to)

    return change


def added(file: str, data: bytes) -> Change:
    def change(folder: Path) -> None:
        with (folder / file).open("ab") as stream:
            stream.write(data)

    return change
