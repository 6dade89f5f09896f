"""Whom and what a file says it shows, as DICOM files do, and whether all files of a case agree on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Identity:
    """What one input says of itself; None where it does not say. Dates are YYYY-MM-DD.

    `patient_id`, `birth_date` and `sex` are protected: they are compared, and never part of a message. A patient's
    name is not even kept. `laterality` is a side that a tag or the segment's own code states; `referenced_series_uid`
    the series that a segmentation says it was drawn on.
    """

    file: str
    modality: str | None = None
    patient_id: str | None = None
    birth_date: str | None = None
    sex: str | None = None
    study_date: str | None = None
    acquisition_date: str | None = None
    study_uid: str | None = None
    series_uid: str | None = None
    frame_of_reference_uid: str | None = None
    laterality: Literal["left", "right"] | None = None
    referenced_series_uid: str | None = None
