"""One patient, the right frames, and nothing protected in any word that comes out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from guidegen.errors import IdentityError
from guidegen.intake.agreement import (
    OLD_DAYS,
    age_days,
    age_warnings,
    compare_identities,
    identity_records,
    oldest_image,
)
from guidegen.intake.identity import Identity

PROTECTED = {"patient_id": "SENTINEL-4711", "birth_date": "1961-02-03", "sex": "F"}
OTHER = {"patient_id": "SENTINEL-0815", "birth_date": "1959-12-31", "sex": "M"}
SECRETS = [value for values in (PROTECTED, OTHER) for value in values.values() if len(value) > 1]

CT = Identity(
    "ct",
    modality="CT",
    **PROTECTED,
    study_date="2026-03-01",
    acquisition_date="2026-03-01",
    study_uid="1.2.1",
    series_uid="1.2.1.1",
    frame_of_reference_uid="1.2.9",
)
SEG = replace(CT, file="seg.dcm", modality="SEG", series_uid="1.2.1.2", acquisition_date=None)
MR = replace(
    CT,
    file="mr",
    modality="MR",
    study_date="2026-03-20",
    acquisition_date="2026-03-20",
    study_uid="1.2.2",
    series_uid="1.2.2.1",
    frame_of_reference_uid="1.2.8",
)


def compare(
    bone: tuple[Identity, ...] = (SEG, CT),
    lesion: tuple[Identity, ...] = (MR,),
    dicom_id: str | None = PROTECTED["patient_id"],
    case_id: str = "Z019L",
    same_frame: bool = False,
) -> tuple[str, ...]:
    return compare_identities(bone, lesion, dicom_id, case_id, same_frame)


def refused(match: str, **changes: Any) -> None:
    """The comparison is refused in these words, and none of them is protected."""
    with pytest.raises(IdentityError, match=match) as caught:
        compare(**changes)
    assert silent(str(caught.value))


def silent(text: str) -> bool:
    return not any(secret.casefold() in text.casefold() for secret in SECRETS)


def test_one_patient_in_two_frames_with_a_registered_lesion() -> None:
    assert compare() == ()


def test_a_segmentation_belongs_to_the_series_it_names() -> None:
    on_ct = replace(SEG, referenced_series_uid=CT.series_uid)
    assert compare((on_ct, CT)) == ()
    assert compare((replace(on_ct, referenced_series_uid="1.2.1.7"),)) == ()  # its image was not given
    refused(
        r"expected ct to be the series that seg\.dcm was drawn on, found another one; give that series",
        bone=(replace(on_ct, referenced_series_uid="1.2.1.7"), CT),
    )


@pytest.mark.parametrize(("days", "warned"), [(90, False), (91, True), (-1, False)])
def test_old_images_are_warned_of(days: int, warned: bool) -> None:
    today = date(2026, 3, 1) + timedelta(days=days)
    warnings = age_warnings(identity_records((CT, SEG, Identity("bare"))), today)
    assert len(warnings) == int(warned)
    assert all(f"ct was taken {days} days ago, more than 90" in warning and silent(warning) for warning in warnings)


def test_the_oldest_image_is_that_of_an_image() -> None:
    older = replace(SEG, study_date="2019-01-01")
    assert oldest_image(identity_records((CT, older, MR, Identity("bare")))) == date(2026, 3, 1)
    assert oldest_image(identity_records((older, Identity("bare")))) is oldest_image(()) is None


def test_files_without_identity_have_nothing_to_compare() -> None:
    assert compare((), (), None) == ()
    bare = Identity("a"), Identity("b")
    assert compare(bare, bare, None) == ()


@pytest.mark.parametrize(
    ("key", "words"),
    [("patient_id", "another patient id"), ("birth_date", "another birth date"), ("sex", "another sex")],
)
def test_another_patient_in_any_pair_of_files(key, words) -> None:
    match = f"expected all files of one patient, found {words} in {{}} than in {{}}; find out whose"
    refused(match.format("seg.dcm", "ct"), bone=(SEG, replace(CT, **{key: OTHER[key]})), lesion=())
    refused(match.format("seg.dcm", "mr"), lesion=(replace(MR, **{key: OTHER[key]}),))
    refused(match.format("mr", "mr seg"), bone=(), lesion=(MR, replace(MR, file="mr seg", **{key: OTHER[key]})))


def test_all_that_differs_is_named() -> None:
    words = "another patient id and another birth date and another sex in seg.dcm than in mr"
    refused(words, lesion=(replace(MR, **OTHER),))


@pytest.mark.parametrize("same", [" sentinel-4711 ", "SENTINEL -4711", "Sentinel-4711"])
def test_blanks_and_case_make_no_other_patient(same) -> None:
    assert compare(lesion=(replace(MR, patient_id=same),)) == ()
    assert compare(dicom_id=same) == ()


@pytest.mark.parametrize("sex", ["O", "", None])
def test_a_sex_that_is_not_told_contradicts_nothing(sex) -> None:
    assert compare(lesion=(replace(MR, sex=sex),)) == ()


def test_labels_and_their_image_in_two_frames() -> None:
    words = "expected {} and {} in one frame of reference"
    other = {"frame_of_reference_uid": "1.2.7"}
    refused(words.format("seg.dcm", "ct"), bone=(SEG, replace(CT, **other)))
    refused(words.format("mr", "mr seg"), lesion=(MR, replace(MR, file="mr seg", **other)))


def test_a_lesion_without_femur_must_be_in_the_frame_of_the_bone() -> None:
    refused('"femur" in .lesion.', same_frame=True)
    assert compare(lesion=(replace(MR, frame_of_reference_uid="1.2.9"),), same_frame=True) == ()
    assert compare(lesion=(replace(MR, frame_of_reference_uid=None),), same_frame=True) == ()


def test_the_order_names_another_patient() -> None:
    refused(r'seg.dcm: expected the patient id that is given as "dicom_id"', dicom_id="SENTINEL-0815")
    refused("mr: expected the patient id", bone=(), dicom_id="SENTINEL-0815")


def test_a_patient_id_that_nobody_checked_is_noted() -> None:
    (note,) = compare(dicom_id=None)
    assert note.startswith("seg.dcm, ct, mr: the patient id is another one than the case's")
    assert silent(note)
    assert compare(dicom_id=None, case_id=PROTECTED["patient_id"].lower()) == ()


def test_an_ordered_patient_id_without_one_in_the_files_is_noted() -> None:
    (note,) = compare((replace(CT, patient_id=None),), (replace(MR, patient_id=" "),))
    assert "could not be checked" in note
    assert silent(note)


def dated(day: str) -> Identity:
    return replace(MR, study_date="2020-01-01", acquisition_date=day)


def test_images_long_after_each_other_are_noted() -> None:
    assert compare(lesion=(dated("2026-05-30"),)) == ()  # 90 days
    (note,) = compare(lesion=(dated("2026-05-31"),))
    assert note.startswith("The images of the bone and of the lesion were taken 91 days apart")
    (note,) = compare(lesion=(MR, dated("2025-11-30")))
    assert "91 days apart" in note


def test_the_day_of_a_segmentation_is_no_day_of_an_image() -> None:
    assert compare(bone=(replace(SEG, study_date="2020-01-01"), CT)) == ()
    assert age_days(SEG, date(2026, 6, 1)) is None


@pytest.mark.parametrize(
    ("identity", "days"),
    [
        (CT, 92),
        (replace(CT, acquisition_date=None, study_date="2026-05-31"), 1),
        (replace(CT, acquisition_date="2026-06-03"), -2),
        (replace(CT, acquisition_date=None, study_date=None), None),
    ],
)
def test_the_age_of_an_image(identity, days) -> None:
    assert age_days(identity, date(2026, 6, 1)) == days
    assert OLD_DAYS == 90


def test_records_have_dates_and_uids_and_nothing_protected() -> None:
    records = identity_records((SEG, CT, SEG))
    assert [record["file"] for record in records] == ["seg.dcm", "ct"]
    assert records[1] == {
        "file": "ct",
        "modality": "CT",
        "study_date": "2026-03-01",
        "acquisition_date": "2026-03-01",
        "study_uid": "1.2.1",
        "series_uid": "1.2.1.1",
        "frame_of_reference_uid": "1.2.9",
        "laterality": None,
    }
    assert silent(json.dumps(records))


@pytest.mark.parametrize(
    "changes",
    [
        {"lesion": (replace(MR, **OTHER),)},
        {"bone": (SEG, replace(CT, frame_of_reference_uid="1.2.7"))},
        {"same_frame": True},
        {"dicom_id": OTHER["patient_id"]},
    ],
)
def test_no_error_says_who_it_is_not_even_in_its_cause(changes) -> None:
    with pytest.raises(IdentityError) as caught:
        compare(**changes)
    error: BaseException | None = caught.value
    while error is not None:
        assert silent(f"{error} {error.args}")
        error = error.__cause__ or error.__context__
