"""The dossier as signed: as it was reviewed, with the signature beside it that quotes its hash and the chain's head.

The reviewed pages are copied byte for byte, since the approval names their hash: what is added is a page of its own,
and the signed record with what anybody needs to verify it. `signed_dossier` is the one place that says how a dossier
leaves the house.
"""

from __future__ import annotations

import json
from typing import Any

from guidegen.release.paper import pdf_bytes
from guidegen.release.verify import APPROVAL
from guidegen.review.approval import Approval

SCHEMA = "guidegen.approval/1"
SIGNATURE_PAGE = "signature.pdf"


def signed_dossier(approval: Approval) -> dict[str, bytes]:
    """Contents by file name: every reviewed dossier, the signature page and approval.json."""
    dossiers = sorted(name for name in approval.files if is_dossier(name))
    reviewed = {name: approval.read(name) for name in dossiers}
    return {
        **reviewed,
        SIGNATURE_PAGE: pdf_bytes("signature", _page(approval, dossiers)),
        APPROVAL: (json.dumps(approval_record(approval, dossiers), indent=1) + "\n").encode(),
    }


def is_dossier(name: str) -> bool:
    """Whether a file of a revision is a dossier, in whatever language."""
    return name.startswith("dossier") and name.endswith(".pdf") and "/" not in name


def approval_record(approval: Approval, dossiers: list[str]) -> dict[str, Any]:
    """The signed record as the text it is, its signature and key, and its place in the chain."""
    entry = approval.entry
    return {
        "schema": SCHEMA,
        "dossiers_sha256": {name: approval.files[name] for name in dossiers},
        "entry": {"seq": entry.seq, "time": entry.time, "prev_hash": entry.prev_hash, "hash": entry.hash},
        "record": approval.record_text,
        "signature": approval.signature,
        "public_pem": approval.public_pem,
    }


def _page(approval: Approval, dossiers: list[str]) -> dict[str, Any]:
    """All that the signature page says, as text."""
    record, entry = approval.record, approval.entry
    return {
        "case_id": record.case_id,
        "side": record.side,
        "revision": record.revision,
        "name": record.signer.printed_name,
        "role": record.signer.role,
        "meaning": record.meaning,
        "time": record.time_utc,
        "local": f"{record.time_local} ({record.time_zone})",
        "expires": f"{approval.expires:%Y-%m-%d %H:%M} UTC",
        "submitted_by": record.two_people.submitted_by_name,
        "two": record.two_people.two,
        "typed": [record.typed.patient_id, record.typed.side],
        "warnings": [warning.text for warning in record.warnings],
        "waivers": [[each.rule, each.author, each.reason, each.surgeon_reason] for each in record.waivers],
        "chain": [["head before", entry.prev_hash], [f"entry {entry.seq}", entry.hash]],
        "key": record.signer.fingerprint,
        "signature": approval.signature,
        "dossiers": [[name, approval.files[name]] for name in dossiers],
        "files": [[name, digest] for name, digest in sorted(record.files.items()) if name not in dossiers],
    }
