"""The dossier as signed: as it was reviewed, with the signature beside it that quotes its hash and the chain's head.

The reviewed pages are copied byte for byte, since the approval names their hash: what is added is a page of its own,
and the signed record with what anybody needs to verify it. `signed_files` is the one place that says how a dossier
leaves the house; what stands on the page is said in guidegen.show.dossier.signed.
"""

from __future__ import annotations

import json
from typing import Any

from guidegen.release.source import told_of_plan
from guidegen.release.verify import APPROVAL
from guidegen.review.approval import Approval
from guidegen.show.dossier.signed import Seal, signed_dossier

SCHEMA = "guidegen.approval/1"
DOSSIER, CONTENT = "dossier.pdf", "dossier.json"
SIGNATURE_PAGE = "signature.pdf"


def signed_files(approval: Approval) -> dict[str, bytes]:
    """Contents by file name: the reviewed dossier, the signature page and approval.json; ResultError where
    dossier.json is not that of the approved dossier.
    """
    return {
        DOSSIER: approval.read(DOSSIER),
        SIGNATURE_PAGE: _page(approval),
        APPROVAL: (json.dumps(approval_record(approval), indent=1) + "\n").encode(),
    }


def approval_record(approval: Approval) -> dict[str, Any]:
    """The signed record as the text it is, its signature and key, and its place in the chain."""
    entry = approval.entry
    return {
        "schema": SCHEMA,
        "dossier_sha256": approval.files[DOSSIER],
        "entry": {"seq": entry.seq, "time": entry.time, "prev_hash": entry.prev_hash, "hash": entry.hash},
        "record": approval.record_text,
        "signature": approval.signature,
        "public_pem": approval.public_pem,
    }


def _page(approval: Approval) -> bytes:
    seal = Seal(
        head=approval.entry.prev_hash,
        entry=approval.entry.hash,
        signature=approval.signature,
        holds_until=f"{approval.expires:%Y-%m-%d %H:%M} UTC",
    )
    with told_of_plan():
        content = json.loads(approval.read(CONTENT))
        return signed_dossier(content, json.loads(approval.record_text), seal, approval.files[DOSSIER])
