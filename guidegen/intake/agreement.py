"""Whether all files of a case are of one patient and of the frames that the case says, and how old they are.

What is protected (patient id, birth date, sex) is compared here and goes no further: no message, note or record has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import combinations

from guidegen.errors import IdentityError
from guidegen.intake.identity import Identity

# No limit is published for such guides; makers of patient-matched guides ask for images of the last three to six
# months, and a necrosis goes on: three months [D].
OLD_DAYS = 90

# What is made from images long after them and has the day of its making at best.
DERIVED = ("SEG", "RTSTRUCT")

SEXES = ("F", "M")  # O and others contradict nothing


def compare_identities(
    bone: Sequence[Identity], lesion: Sequence[Identity], ordered_dicom_id: str | None, case_id: str, same_frame: bool
) -> tuple[str, ...]:
    """Refuse files of several patients or frames; return what a reader must know besides.

    `bone` and `lesion` are the identities of the files of these sections, as far as they have one. `ordered_dicom_id`
    is the patient id that the order says the DICOM files have. `same_frame`: the lesion is given in the bone's frame.
    IdentityError names the files and what differs between them.
    """
    every = tuple(dict.fromkeys((*bone, *lesion)))
    _one_patient(every)
    _one_frame(every if same_frame else tuple(bone))
    _one_frame(tuple(lesion))
    for section in (bone, lesion):
        _drawn_on_the_image(section)
    return (*_ordered_patient(every, ordered_dicom_id, case_id), *_days_apart(bone, lesion))


def identity_records(identities: Iterable[Identity]) -> list[dict[str, str | None]]:
    """What may be recorded of each file that says whom it shows: dates and UIDs, nothing protected."""
    return [
        {
            "file": identity.file,
            "modality": identity.modality,
            "study_date": identity.study_date,
            "acquisition_date": identity.acquisition_date,
            "study_uid": identity.study_uid,
            "series_uid": identity.series_uid,
            "frame_of_reference_uid": identity.frame_of_reference_uid,
            "laterality": identity.laterality,
        }
        for identity in dict.fromkeys(identities)
    ]


def age_days(identity: Identity, today: date) -> int | None:
    """How many days before `today` the image was taken, negative for one of the future; None where no date says so.

    A guide from images of more than OLD_DAYS is to be warned of.
    """
    taken = _taken(identity)
    return None if taken is None else (today - taken).days


def age_warnings(records: Iterable[Mapping[str, str | None]], today: date) -> tuple[str, ...]:
    """A sentence for each image of more than OLD_DAYS on `today`, from its record."""
    warnings = []
    for record in records:
        shown = _recorded(record)
        days = age_days(shown, today)
        if days is not None and days > OLD_DAYS:
            warnings.append(
                f"{shown.file} was taken {days} days ago, more than {OLD_DAYS}: the head may have collapsed since, or "
                "the lesion grown; ask whether newer images are needed"
            )
    return tuple(warnings)


def oldest_image(records: Iterable[Mapping[str, str | None]]) -> date | None:
    """The day of the oldest image, from the records of all; None where none of them has a date."""
    days = [day for record in records if (day := _taken(_recorded(record))) is not None]
    return min(days, default=None)


def _recorded(record: Mapping[str, str | None]) -> Identity:
    """As much of an identity as its record has of image and day."""
    return Identity(**{key: record.get(key) for key in ("file", "modality", "study_date", "acquisition_date")})  # type: ignore[arg-type]  # a record of an Identity


def _taken(identity: Identity) -> date | None:
    """The day of the image, by its acquisition or else its study; a segmentation has none of its own."""
    stated = identity.acquisition_date or identity.study_date
    return None if stated is None or identity.modality in DERIVED else date.fromisoformat(stated)


def _one_patient(identities: Sequence[Identity]) -> None:
    for first, second in combinations(identities, 2):
        contradictions = [
            what
            for what, one, other in (
                ("patient id", _normal(first.patient_id), _normal(second.patient_id)),
                ("birth date", first.birth_date, second.birth_date),
                ("sex", _sex(first), _sex(second)),
            )
            if one is not None and other is not None and one != other
        ]
        if contradictions:
            raise IdentityError(
                f"expected all files of one patient, found another {' and another '.join(contradictions)} in "
                f"{first.file} than in {second.file}; find out whose they are, and export both from one record"
            )


def _normal(patient_id: str | None) -> str | None:
    """A patient id without its blanks and in one case: systems write the same id differently."""
    return "".join((patient_id or "").split()).casefold() or None


def _sex(identity: Identity) -> str | None:
    return identity.sex if identity.sex in SEXES else None


def _one_frame(identities: Sequence[Identity]) -> None:
    stated = [identity for identity in identities if identity.frame_of_reference_uid is not None]
    for first, second in combinations(stated, 2):
        if first.frame_of_reference_uid != second.frame_of_reference_uid:
            raise IdentityError(
                f"expected {first.file} and {second.file} in one frame of reference, as the case file has them, found "
                "two; give labels with the image they were drawn on, and a lesion drawn on another image with the "
                'femur that this image shows ("femur" in [lesion])'
            )


def _drawn_on_the_image(section: Sequence[Identity]) -> None:
    """A segmentation that names its series must be given with an image of that series, if with any."""
    images = [identity for identity in section if identity.modality not in DERIVED]
    for labels in section:
        for image in images:
            if None not in (labels.referenced_series_uid, image.series_uid) and (
                labels.referenced_series_uid != image.series_uid
            ):
                raise IdentityError(
                    f"expected {image.file} to be the series that {labels.file} was drawn on, found another one; give "
                    "that series as the image, or none"
                )


def _ordered_patient(identities: Sequence[Identity], ordered_dicom_id: str | None, case_id: str) -> tuple[str, ...]:
    """Notes on what the order and the files say of the patient; IdentityError where they contradict each other."""
    stated = [identity for identity in identities if _normal(identity.patient_id) is not None]
    if ordered_dicom_id is None:
        others = [each.file for each in stated if _normal(each.patient_id) != _normal(case_id)]
        note = (
            f"{', '.join(others)}: the patient id is another one than the case's, and the order does not say that it "
            'is the same patient; give it as "dicom_id" in [patient] to have it checked.'
        )
        return (note,) if others else ()
    for identity in stated:
        if _normal(identity.patient_id) != _normal(ordered_dicom_id):
            raise IdentityError(
                f'{identity.file}: expected the patient id that is given as "dicom_id" in [patient], found another '
                "one; find out whose file it is, or correct the order"
            )
    if not stated:
        return ('No file states a patient id: the "dicom_id" of the order could not be checked.',)
    return ()


def _days_apart(bone: Sequence[Identity], lesion: Sequence[Identity]) -> tuple[str, ...]:
    """A note where the bone and the lesion were imaged long after each other."""
    taken = [[day for identity in files if (day := _taken(identity)) is not None] for files in (bone, lesion)]
    days = max((abs((one - other).days) for one in taken[0] for other in taken[1]), default=0)
    note = (
        f"The images of the bone and of the lesion were taken {days} days apart: in between the lesion may have grown, "
        "or the head collapsed."
    )
    return (note,) if days > OLD_DAYS else ()
