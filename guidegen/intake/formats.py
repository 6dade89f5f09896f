"""A file of any format, or the folder of a DICOM series → what it holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from guidegen.errors import CaseFileError, VolumeError
from guidegen.intake.images import Image, read_image
from guidegen.intake.label_maps import LabelMap, read_label_map

DICOM_MAGIC = slice(128, 132)

# What DICOM objects with labels say they are: the segmentation of one label map is a class of its own.
STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")


def image_in(path: Path, file: str) -> Image:
    """The image in a file, or the DICOM series in a folder; `file` is its name in messages. VolumeError otherwise."""
    if path.is_dir():
        from guidegen.intake.series import read_series

        return read_series(path, file)
    if is_dicom(path):
        raise VolumeError(
            f"{file}: expected an image, or the folder of a DICOM series, found one DICOM file; name its folder"
        )
    return read_image(path, file)


def labels_in(path: Path, file: str, image: Image | None = None, names: tuple[Path, str] | None = None) -> LabelMap:
    """The label map in a file of any format.

    An RTSTRUCT is painted on the grid of `image`, the series it was drawn on. `names` is the path and name of a label
    description for a file that names no labels itself. VolumeError, LabelError, IdentityError or CaseFileError.
    """
    labels = _dicom_labels(path, file, image) if is_dicom(path) else read_label_map(path, file)
    if names is None:
        return labels
    if labels.segments:
        raise CaseFileError(
            f'{names[1]}: expected "names" only beside labels that name nothing, found that {file} names its own; '
            "leave one of the two out"
        )
    from guidegen.intake.label_names import read_label_names

    return replace(labels, segments=read_label_names(*names))


def is_dicom(path: Path) -> bool:
    """Whether a file says it is DICOM: by its ending, or by the mark that follows the preamble."""
    if path.suffix.lower() == ".dcm":
        return True
    try:
        with path.open("rb") as stream:
            return stream.read(DICOM_MAGIC.stop)[DICOM_MAGIC] == b"DICM"
    except OSError as error:
        raise VolumeError(f"{path.name}: expected a file that can be read, found none ({error.strerror})") from error


def sop_class(path: Path, file: str) -> str:
    """The UID of what a DICOM file says it is."""
    from guidegen.intake.dicom import open_dicom, uid

    return uid(open_dicom(path, file, pixels=False, keywords=["SOPClassUID"]), "SOPClassUID", file) or ""


def _dicom_labels(path: Path, file: str, image: Image | None) -> LabelMap:
    kind = sop_class(path, file)
    if kind == STRUCTURE_SET:
        from guidegen.intake.structure_sets import read_structure_set

        if image is None:
            raise VolumeError(
                f"{file}: expected the image that its contours were drawn on, found none; "
                'give the folder of that series as "image" in the same section'
            )
        return read_structure_set(path, file, image)
    if kind in SEGMENTATIONS:
        from guidegen.intake.segmentations import read_segmentation

        return read_segmentation(path, file)
    raise VolumeError(
        f"{file}: expected a DICOM segmentation or structure set, found another object; "
        "name the segmentation, and the folder of an image series as an image"
    )
