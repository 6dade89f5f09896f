"""The parts of a DICOM dataset that name and list segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guidegen.errors import LabelError, VolumeError
from guidegen.intake.dicom import text, whole_number

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MAX_NAME = 200


def items(dataset: Dataset, keyword: str, file: str) -> list[Dataset]:
    """The items of a sequence, none where it is absent; VolumeError where it is none."""
    from pydicom.sequence import Sequence

    held = dataset.get(keyword)
    if held is None:
        return []
    if not isinstance(held, Sequence):
        raise VolumeError(f"{file}: expected a sequence as {keyword}, found another kind of value; export it again")
    return list(held)


def within(dataset: Dataset, keyword: str, low: int, high: int, file: str) -> int:
    """A whole number from `low` to `high`; VolumeError for anything else."""
    number = whole_number(dataset, keyword, file)
    if not low <= number <= high:
        raise VolumeError(f"{file}: expected {keyword} from {low} to {high}, found {number}; export it again")
    return number


def name_of(dataset: Dataset, keyword: str, file: str) -> str:
    """The name of a segment: one printable line of untrusted text, never a path and never markup."""
    name = text(dataset, keyword) or ""
    if not (name.isprintable() and 0 < len(name) <= MAX_NAME):
        raise LabelError(
            f"{file}: expected one line of 1 to {MAX_NAME} printable characters as {keyword}, found something else; "
            "rename the segment and export it again"
        )
    return name
