"""What is signed, as frozen values: one kind of record for each act, all with the same head.

A record is signed and kept as canonical JSON (RFC 8785), as the text it is; what is read back is this text again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from guidegen.errors import ChainError, ReviewError
from guidegen.review.canonical import canonical, digest
from guidegen.review.events import Event
from guidegen.review.fields import Hash, Line, Reason, Stamp, Value
from guidegen.review.persons import Role
from guidegen.review.revision import Prescription

RECORD_SCHEMA = "guidegen.review/1"

MEANINGS: Mapping[str, str] = {
    "submitted": "I made this plan and guide from the inputs and by the choices that its files name, I have looked at "
    "all of it, and I submit exactly these files for review.",
    "approved": "I have reviewed this plan and guide for the patient and the side named here, as shown and on exactly "
    "the files whose hashes stand here; I prescribe it, I accept the warnings and waivers listed, and I approve that "
    "it be made and used for this patient alone.",
    "rejected": "I have reviewed this plan and guide and I reject it for the reason given; nothing may be made of it.",
    "voided": "I declare this plan and guide void for the reason given; nothing may be made or used of it any more.",
    "released": "I release exactly the files whose hashes stand here, made from the approved revision and from nothing "
    "else.",
    "printed": "I record that this guide was printed from the released file named here.",
    "inspected": "I record that this printed guide was inspected as stated here.",
    "sterilised": "I record that this printed guide was sterilised as stated here.",
    "used": "I record that this printed guide was used on the patient and side named here.",
    "discarded": "I record that this printed guide was discarded and cannot be used.",
}


class Signer(Value):
    """Who signs: `roles` are all that the person has, `role` that of this act, `session` the session's name."""

    user: str
    printed_name: str
    roles: tuple[Role, ...]
    role: Role
    fingerprint: Hash
    session: str | None


class Acknowledged(Value):
    """A warning, by its exact text and the hash of it."""

    text: str
    sha256: Hash

    @model_validator(mode="after")
    def _its_own_hash(self) -> Acknowledged:
        if digest(self.text) != self.sha256:
            raise ValueError("expected the hash of the warning's own text")
        return self


class WaiverDecision(Value):
    """The surgeon's answer to a proposed waiver: accepted or not, and the surgeon's own reason."""

    rule: Line
    author: Line
    reason: Reason  # the engineer's
    accepted: bool
    surgeon_reason: Reason


class Shown(Value):
    """What was on the page: every displayed figure as the exact text, by its name, and the SHA-256 of every picture.

    A picture that is a file of the revision goes by its path there.
    """

    strings: dict[str, str]
    pictures: dict[str, Hash]

    @property
    def sha256(self) -> str:
        """The hash of all of it."""
        return digest(canonical(self.model_dump(mode="json")))


class TypedBack(Value):
    """Patient id and side as the surgeon typed them, and whether they are the revision's."""

    patient_id: str
    side: str
    matched: bool


class Imaging(Value):
    """The day of the oldest image, and whether the files or the signer say so."""

    day: date
    source: Literal["files", "signer"]


class TwoPeople(Value):
    """Whether the policy asks for two people, who submitted, and whether somebody else signs here."""

    required: bool
    submitted_by: str
    submitted_by_name: str
    two: bool


class PolicyUsed(Value):
    """The policy that an approval was given under, whole."""

    file: str
    sha256: Hash
    rules: dict[str, Any]


class Head(Value):
    """What every record begins with. `prev_hash` is the chain's head before it; `software` is version and build."""

    schema_: Literal["guidegen.review/1"] = Field(alias="schema")
    case_id: str
    side: Literal["left", "right"]
    revision: str
    signer: Signer
    meaning: str
    time_utc: Stamp
    time_local: str
    time_zone: str
    software: dict[str, str]
    prev_hash: Hash

    @property
    def subject(self) -> str:
        """The revision's name in the chain."""
        return f"{self.case_id}-{self.side}/{self.revision}"


class Submitted(Head):
    """The engineer's authorship."""

    act: Literal["submitted"]
    files: dict[str, Hash]
    findings_sha256: Hash


class Approved(Head):
    """The surgeon's approval of one submission, `submission` being the hash of its entry."""

    act: Literal["approved"]
    submission: Hash
    typed: TypedBack
    warnings: tuple[Acknowledged, ...]
    waivers: tuple[WaiverDecision, ...]
    prescription: Prescription
    files: dict[str, Hash]
    findings_sha256: Hash
    shown: Shown
    shown_sha256: Hash
    imaging: Imaging
    expires_utc: Stamp
    two_people: TwoPeople
    policy: PolicyUsed


class Rejected(Head):
    """The surgeon's refusal of one submission, with what was decided on waivers; `reason` may ask for a change."""

    act: Literal["rejected"]
    submission: Hash
    reason: Reason
    waivers: tuple[WaiverDecision, ...]


class Voided(Head):
    """The end of a revision."""

    act: Literal["voided"]
    reason: Reason


class Released(Head):
    """What left the house under an approval: every released file by its hash, the manifest's own among them."""

    act: Literal["released"]
    approval: Hash
    files: dict[str, Hash]
    manifest_sha256: Hash
    destination: Line


class Happened(Head):
    """What became of a printed guide after a release, `release` being the hash of its entry."""

    act: Literal["printed", "inspected", "sterilised", "used", "discarded"]
    release: Hash
    event: Event

    @model_validator(mode="after")
    def _its_own_event(self) -> Happened:
        if self.event.event != self.act:
            raise ValueError("expected an event of the record's own act")
        return self


Record = Annotated[Submitted | Approved | Rejected | Voided | Released | Happened, Field(discriminator="act")]
RECORD: TypeAdapter[Record] = TypeAdapter(Record)


def record_from(fields: Mapping[str, Any]) -> Record:
    """A record of these fields; ReviewError names what cannot be."""
    try:
        return RECORD.validate_python({"schema": RECORD_SCHEMA, **fields})
    except ValidationError as error:
        raise ReviewError(f"expected what can be signed, found: {_faults(error)}; mend it") from None


def text_of(record: Record) -> str:
    """The canonical JSON of a record, as it is signed and kept."""
    return canonical(RECORD.dump_python(record, mode="json"))


def read_record(text: str, where: str) -> Record:
    """The record of a text; ChainError where it is none, or not in its one canonical form."""
    try:
        record = RECORD.validate_json(text)
    except ValidationError as error:
        raise ChainError(f"{where} holds no record: {_faults(error)}") from None
    if text_of(record) != text:
        raise ChainError(f"{where} holds a record that is not in canonical form")
    return record


def _faults(error: ValidationError) -> str:
    """What is wrong and where, without what was given: it may be anything."""
    told = (
        f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors(include_input=False)
    )
    return "; ".join(told)
