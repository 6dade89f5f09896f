"""The signed page: what it binds together, and that it is made of nothing that does not belong together."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from dossier_case import told

from guidegen.review.records import record_from, text_of
from guidegen.show.dossier.signed import Seal, signed_dossier

DOSSIER, HEAD = "d0" * 32, "c4" * 32
SEAL = Seal(head=HEAD, entry="e7" * 32, signature="c2lnbmVk" * 11, holds_until="2026-04-29 23:59 UTC")
WARNING = "The tunnel comes close."


def record(**changes: Any) -> dict[str, Any]:
    """An approval as the review signs it, as JSON."""
    import json

    from guidegen.review.canonical import digest

    shown = {"strings": {"wall": "4.1 mm"}, "pictures": {}}
    fields = {
        "act": "approved", "case_id": "Z019L", "side": "left", "revision": "r007",
        "signer": {
            "user": "bora", "printed_name": "Bora Demir", "roles": ["surgeon"], "role": "surgeon",
            "fingerprint": "f1" * 32, "session": None,
        },
        "meaning": "I have reviewed this plan.", "time_utc": "2026-03-01T09:00:00.000001Z",
        "time_local": "2026-03-01T12:00:00.000001+03:00", "time_zone": "Europe/Istanbul",
        "software": {"version": "1.2.3", "build": "ab"}, "prev_hash": HEAD, "submission": "5b" * 32,
        "typed": {"patient_id": "Z019L", "side": "left", "matched": True},
        "warnings": [{"text": WARNING, "sha256": digest(WARNING)}],
        "waivers": [{
            "rule": "wall_min_mm", "author": "Ann Kaya", "reason": "The neck is thin everywhere.", "accepted": True,
            "surgeon_reason": "Accepted after looking at the MR.",
        }],
        "prescription": {
            "tunnels": [{"entry_mm": [1.0, 2.5, -3.0], "target_mm": [40.0, 5.0, 61.25]}], "kit": "core-8", "size": "M",
        },
        "files": {"dossier.pdf": DOSSIER, "guide.stl": "ab" * 32}, "findings_sha256": "f2" * 32, "shown": shown,
        "shown_sha256": "e5" * 32, "imaging": {"day": "2026-01-31", "source": "files"},
        "expires_utc": "2026-04-30T00:00:00.000000Z",
        "two_people": {"required": True, "submitted_by": "ann", "submitted_by_name": "Ann Kaya", "two": True},
        "policy": {"file": "default.toml", "sha256": "99" * 32, "rules": {}},
    } | changes  # fmt: skip
    return dict(json.loads(text_of(record_from(fields))))


def words(pdf: bytes) -> list[str]:
    pypdf = pytest.importorskip("pypdf", reason="reading a PDF back needs pypdf")
    return ["".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


@pytest.mark.parametrize(("language", "side"), [("en", "LEFT hip"), ("tr", "SOL kalça")])
def test_it_quotes_the_reviewed_bytes_the_chain_and_every_answer(language: str, side: str) -> None:
    pdf = signed_dossier(told(language=language), record(), SEAL, DOSSIER)
    (page,) = words(pdf)
    for text in (
        "Z019L", side, "r007", DOSSIER, HEAD, "Bora Demir", "I have reviewed this plan.", "2026-03-01T09:00:00.000001Z",
        "Europe/Istanbul", "f1" * 32, SEAL.entry, SEAL.signature, SEAL.holds_until,
        "5b" * 32, "e5" * 32, "ab" * 32, "2026-01-31", "Ann Kaya",
        WARNING, "The neck is thin everywhere.", "Accepted after looking at the MR.", "core-8",
    ):  # fmt: skip
        assert "".join(text.split()) in page
    assert "1.0/2.5/−3.0" in page or "1,0/2,5/−3,0" in page
    assert pdf == signed_dossier(told(language=language), record(), SEAL, DOSSIER)


@pytest.mark.parametrize(
    ("changes", "head", "dossier", "names"),
    [
        ({"case_id": "Z020L"}, HEAD, DOSSIER, "patient"),
        ({"side": "right"}, HEAD, DOSSIER, "side"),
        ({"revision": "r008"}, HEAD, DOSSIER, "revision"),
        ({}, "00" * 32, DOSSIER, "chain's head"),
        ({}, HEAD, "00" * 32, "dossier"),
        ({"files": {"guide.stl": "ab" * 32}}, HEAD, DOSSIER, "dossier"),
    ],
)
def test_no_page_binds_what_does_not_belong_together(
    changes: dict[str, Any], head: str, dossier: str, names: str
) -> None:
    with pytest.raises(ValueError, match=f"another {names}"):
        signed_dossier(told(), record(**changes), replace(SEAL, head=head), dossier)


def test_who_submitted_it_too_is_said_to_be_the_same_person() -> None:
    alone = {"required": False, "submitted_by": "bora", "submitted_by_name": "Bora Demir", "two": False}
    (page,) = words(signed_dossier(told(), record(two_people=alone), SEAL, DOSSIER))
    assert "BoraDemir,thesameperson" in page
    (page,) = words(signed_dossier(told(), record(), SEAL, DOSSIER))
    assert "thesameperson" not in page


def test_a_rejection_is_no_approval() -> None:
    rejected = record() | {"act": "rejected"}
    with pytest.raises(ValueError, match="another act"):
        signed_dossier(told(), rejected, SEAL, DOSSIER)
