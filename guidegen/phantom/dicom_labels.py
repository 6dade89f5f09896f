"""The phantom's labels as DICOM files: a segmentation (SEG), or the contours of a structure set (RTSTRUCT)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from guidegen.errors import VolumeError
from guidegen.frames import FloatArray
from guidegen.phantom.dicom import EXPLICIT_LITTLE_ENDIAN, made_uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

Masks = Mapping[str, npt.NDArray[np.bool_]]

STRUCTURE_SET_STORAGE = "1.2.840.10008.5.1.4.1.1.481.3"
DATE, TIME = "20240103", "120000"  # of every file, so that the same labels give the same bytes
OF_PATIENT_AND_STUDY = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    *("StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"),
    *("FrameOfReferenceUID", "PositionReferenceIndicator"),
)


def write_segmentation(
    masks: Masks, series: Path, path: Path, kind: Literal["BINARY", "FRACTIONAL", "LABELMAP"] = "BINARY"
) -> None:
    """Write a DICOM segmentation of masks (I, J, K) by name, on the slices K that `write_series` left in `series`.

    Segments are numbered from 1 on in the order of the masks. Empty slices are left out. The same arguments give the
    same bytes. VolumeError for masks on other slices, or that overlap in a LABELMAP.
    """
    from highdicom.seg import Segmentation, SegmentDescription
    from pydicom.sr.codedict import codes

    slices = _slices(masks, series)
    stack = np.stack([mask.transpose() for mask in masks.values()], axis=-1, dtype=np.uint16)  # (K, J, I, segment)
    if kind == "LABELMAP" and stack.sum(axis=-1).max() > 1:
        raise VolumeError("expected masks that do not overlap, found others: write them as BINARY")
    numbers = np.arange(1, len(masks) + 1, dtype=np.uint16)
    if kind == "LABELMAP":
        stack = (stack * numbers).sum(axis=-1, dtype=np.uint16)
    bone, tissue = codes.SCT.Bone, codes.SCT.Tissue
    written = Segmentation(
        source_images=slices,
        pixel_array=stack.astype(np.float32) if kind == "FRACTIONAL" else stack,
        segmentation_type=kind,
        segment_descriptions=[
            SegmentDescription(int(number), name, tissue, bone, "MANUAL")
            for number, name in zip(numbers, masks, strict=True)
        ],
        series_instance_uid=made_uid(slices[0].SeriesInstanceUID, kind),
        series_number=2,
        sop_instance_uid=made_uid(slices[0].SeriesInstanceUID, kind, "instance"),
        instance_number=1,
        manufacturer="guidegen",
        manufacturer_model_name="phantom",
        software_versions="1",
        device_serial_number="1",
        transfer_syntax_uid=EXPLICIT_LITTLE_ENDIAN,
    )
    _write(path, _timeless(written))


def _timeless(dataset: Dataset) -> Dataset:
    """The dataset with fixed dates, and UIDs made from its own one, in place of those of this moment."""
    dataset.InstanceCreationDate = dataset.ContentDate = dataset.SeriesDate = DATE
    dataset.InstanceCreationTime = dataset.ContentTime = dataset.SeriesTime = TIME
    del dataset.ContributingEquipmentSequence
    dimensions = made_uid(dataset.SOPInstanceUID, "dimensions")
    for each in (*dataset.DimensionOrganizationSequence, *dataset.DimensionIndexSequence):
        each.DimensionOrganizationUID = dimensions
    return dataset


def write_structure_set(masks: Masks, series: Path, path: Path) -> None:
    """Write the contours of masks (I, J, K) by name, in the slices K that `write_series` left in `series`.

    A contour runs half-way between the centres of voxels inside and outside. Numbers, bytes and errors are as for
    `write_segmentation`.
    """
    from pydicom.dataset import Dataset

    slices = _slices(masks, series)
    frame, study = Dataset(), Dataset()
    study.RTReferencedSeriesSequence = [_items(SeriesInstanceUID=slices[0].SeriesInstanceUID)]
    frame.FrameOfReferenceUID = slices[0].FrameOfReferenceUID
    frame.RTReferencedStudySequence = [study]
    dataset = _items(
        SOPClassUID=STRUCTURE_SET_STORAGE,
        SOPInstanceUID=made_uid(slices[0].SeriesInstanceUID, "structures", "instance"),
        SeriesInstanceUID=made_uid(slices[0].SeriesInstanceUID, "structures"),
        Modality="RTSTRUCT",
        StructureSetLabel="phantom",
        StructureSetDate=DATE,
        StructureSetTime=TIME,
        ReferencedFrameOfReferenceSequence=[frame],
        **{keyword: slices[0].get(keyword) for keyword in OF_PATIENT_AND_STUDY},
    )
    rois = list(enumerate(masks.items(), start=1))
    dataset.StructureSetROISequence = [
        _items(ROINumber=number, ReferencedFrameOfReferenceUID=frame.FrameOfReferenceUID, ROIName=name)
        for number, (name, _) in rois
    ]
    dataset.ROIContourSequence = [
        _items(ReferencedROINumber=number, ContourSequence=list(_contours(mask, slices))) for number, (_, mask) in rois
    ]
    _write(path, dataset)


def _contours(mask: npt.NDArray[np.bool_], slices: list[FileDataset]) -> Iterator[Dataset]:
    """The outlines of a mask, slice by slice, holes as outlines of their own."""
    from pydicom.valuerep import format_number_as_ds
    from skimage.measure import find_contours

    for each, plane in zip(slices, np.moveaxis(mask, 2, 0), strict=True):
        for outline in find_contours(np.pad(plane, 1).astype(np.float64), 0.5):
            points = _to_lps(each, outline[:-1] - 1.0)
            yield _items(
                ContourImageSequence=[
                    _items(ReferencedSOPClassUID=each.SOPClassUID, ReferencedSOPInstanceUID=each.SOPInstanceUID)
                ],
                ContourGeometricType="CLOSED_PLANAR",
                NumberOfContourPoints=len(points),
                ContourData=[format_number_as_ds(float(number)) for number in points.ravel()],
            )


def _to_lps(image: Dataset, indices: FloatArray) -> FloatArray:
    """The places (N, 3) of (column, row) indices (N, 2) in a slice (PS3.3, C.7.6.2.1.1)."""
    along_row, along_column = np.array(image.ImageOrientationPatient, dtype=np.float64).reshape(2, 3)
    between_rows, between_columns = (float(step) for step in image.PixelSpacing)
    steps = np.array([along_row * between_columns, along_column * between_rows])
    return np.asarray(np.array(image.ImagePositionPatient, dtype=np.float64) + indices @ steps)


def _slices(masks: Masks, series: Path) -> list[FileDataset]:
    """The slices of the series, without their pixels, in the order in which they were written."""
    from pydicom import dcmread

    slices = [dcmread(path, stop_before_pixels=True) for path in sorted(series.iterdir())]
    shape = (slices[0].Columns, slices[0].Rows, len(slices))
    if any(mask.shape != shape for mask in masks.values()):
        raise VolumeError(f"expected masks of {shape} voxels, as the series has, found others: give its own labels")
    return slices


def _items(**values: Any) -> Dataset:
    from pydicom.dataset import Dataset

    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def _write(path: Path, dataset: Dataset) -> None:
    from pydicom import dcmwrite
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = UID(EXPLICIT_LITTLE_ENDIAN)
    dataset.file_meta.ImplementationClassUID = UID(made_uid("implementation"))
    dcmwrite(path, dataset, enforce_file_format=True)
