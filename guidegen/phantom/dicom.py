"""The phantom's images as DICOM series, one slice to a file, as a scanner's archive exports them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from guidegen.errors import VolumeError
from guidegen.volumes import Volume

EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
CLASSES = {"CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4"}
CT_INTERCEPT = -1024
# What the standard asks of every image of a modality, as far as no other place here says it.
ACQUISITIONS = {
    "CT": {"KVP": "120", "RescaleIntercept": str(CT_INTERCEPT), "RescaleSlope": "1", "RescaleType": "HU"},
    "MR": {
        "ScanningSequence": "SE",
        "SequenceVariant": "NONE",
        "ScanOptions": "",
        "MRAcquisitionType": "2D",
        "RepetitionTime": "500",
        "EchoTime": "10",
        "EchoTrainLength": "1",
    },
}
# Asked for, and unknown of a made-up patient.
EMPTY = (
    *("PatientName", "PatientBirthDate", "PatientSex", "StudyTime", "AccessionNumber", "ReferringPhysicianName"),
    *("StudyID", "Manufacturer", "PositionReferenceIndicator"),
)


def write_series(
    volume: Volume,
    folder: Path,
    *,
    modality: Literal["CT", "MR"],
    patient_id: str = "PHANTOM",
    study: str = "study",
    series: str = "series",
    frame: str = "frame",
    study_date: str = "20240102",
    laterality: Literal["L", "R"] | None = None,
    signed: bool = True,
) -> list[Path]:
    """Write one file for each slice along the volume's third axis, and return their paths in that order.

    Voxels are whole numbers; a CT is stored with an intercept of −1024. `study`, `series` and `frame` are the seeds of
    their UIDs: the same seeds, the same UIDs. The same arguments give the same bytes. VolumeError for values that do
    not fit into 16 bits, signed or not.
    """
    stored = _stored(volume, CT_INTERCEPT if modality == "CT" else 0, signed)
    common = {
        **ACQUISITIONS[modality],
        "SOPClassUID": CLASSES[modality],
        "Modality": modality,
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "PatientID": patient_id,
        "StudyDate": study_date,
        "AcquisitionDate": study_date,
        "SeriesNumber": "1",
        "StudyInstanceUID": made_uid(patient_id, study),
        "SeriesInstanceUID": made_uid(patient_id, study, series),
        "FrameOfReferenceUID": made_uid(patient_id, frame),
        **({"Laterality": laterality} if laterality else {}),
    }
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for k, plane in enumerate(np.moveaxis(stored, 2, 0)):
        own = {"SOPInstanceUID": made_uid(patient_id, study, series, k), "InstanceNumber": str(k + 1)}
        path = folder / f"{k + 1:04d}.dcm"
        _write(path, common | own | _place(volume, k) | _pixels(plane.transpose(), signed))
        paths.append(path)
    return paths


def made_uid(*seeds: object) -> str:
    """The UID that these seeds give, under the root for UUIDs (PS3.5, B.2)."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, '/'.join(map(str, ('guidegen', *seeds)))).int}"


def _stored(volume: Volume, intercept: int, signed: bool) -> npt.NDArray[Any]:
    kind = np.dtype("<i2" if signed else "<u2")
    limits = np.iinfo(kind)
    low, high = limits.min + intercept, limits.max + intercept
    if volume.voxels.dtype.kind not in "iu" or volume.voxels.min() < low or volume.voxels.max() > high:
        raise VolumeError(
            f"expected whole numbers from {low} to {high}, found {volume.voxels.dtype} from {volume.voxels.min()} to "
            f"{volume.voxels.max()}: convert them first"
        )
    return (volume.voxels.astype(np.int32) - intercept).astype(kind)


def _place(volume: Volume, k: int) -> dict[str, Any]:
    """Where slice k lies (PS3.3, C.7.6.2): columns along the volume's first axis, rows along its second."""
    columns_mm, rows_mm, step_mm = volume.spacing_mm.tolist()
    return {
        "ImagePositionPatient": _decimals(volume.to_lps([0, 0, k])),
        "ImageOrientationPatient": _decimals(volume.direction[:, :2].transpose().ravel()),
        "PixelSpacing": _decimals([rows_mm, columns_mm]),
        "SliceThickness": _decimals([step_mm])[0],
        "PatientPosition": "HFS",
    }


def _decimals(values: Iterable[float]) -> list[str]:
    """The values in the 16 characters that DICOM gives a number."""
    from pydicom.valuerep import format_number_as_ds

    return [format_number_as_ds(float(value)) for value in values]


def _pixels(plane: npt.NDArray[Any], signed: bool) -> dict[str, Any]:
    """The pixels (rows, columns) of a slice and how they are stored."""
    rows, columns = plane.shape
    return {
        "Rows": rows,
        "Columns": columns,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": int(signed),
        "PixelData": plane.tobytes(),
    }


def _write(path: Path, elements: dict[str, Any]) -> None:
    from pydicom import dcmwrite
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID

    dataset = Dataset()
    for keyword in EMPTY:
        setattr(dataset, keyword, "")
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = UID(EXPLICIT_LITTLE_ENDIAN)
    dataset.file_meta.ImplementationClassUID = UID(made_uid("implementation"))
    dcmwrite(path, dataset, enforce_file_format=True)
