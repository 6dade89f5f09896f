"""The signed dossier: one page that says who approved which bytes, to stand beside the dossier as it was reviewed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from guidegen.show.dossier.typeset import typeset
from guidegen.show.dossier.words import Words, load_words

Rows = list[list[str]]


@dataclass(frozen=True)
class Seal:
    """Where in the audit chain an approval stands and what it is signed with, which its own record cannot say.

    `head` is the chain's head before it and `entry` the hash of its own entry; `signature` is Ed25519 in base64;
    `holds_until` a time in words, the earlier one of the record's own end and that of the policy of now.
    """

    head: str
    entry: str
    signature: str
    holds_until: str


def signed_dossier(
    content: Mapping[str, Any], approval_record: Mapping[str, Any], seal: Seal, reviewed_sha256: str
) -> bytes:
    """The page as PDF, in the dossier's language; the same arguments give the same bytes.

    `content` is that of dossier.json; `approval_record` the signed record of the approval as JSON
    (`guidegen.review.records.Approved`, `model_dump(mode="json", by_alias=True)`); `reviewed_sha256` the SHA-256 of
    dossier.pdf as reviewed. ValueError where the record approves another patient, side or revision, or other bytes of
    the dossier, or was signed at another place in the chain: such a page must not exist.
    """
    _require_same(content, approval_record, seal.head, reviewed_sha256)
    say = load_words(content["language"])
    data = {name: content[name] for name in HEAD} | {
        "title": say("signed_title"),
        "status": say("signed_status"),
        "meaning": approval_record["meaning"],
        "signer": _signer(say, approval_record, seal),
        "bound": _bound(say, approval_record, seal, reviewed_sha256),
        "seal": _seal(say, approval_record, seal),
        "prescription": _prescription(say, approval_record),
        "answered": _answered(say, approval_record),
        "files": [[name, digest] for name, digest in sorted(approval_record["files"].items())],
        "titles": {
            key: say(key) for key in ("signed_by", "bound_to", "seal", "prescription", "answered", "approved_files")
        },
    }
    return typeset("signed.typ", data, {})


HEAD = ("language", "patient", "side", "side_words", "revision", "plan_hash", "version", "disclaimer", "words")
DOSSIER = "dossier.pdf"


def _require_same(content: Mapping[str, Any], record: Mapping[str, Any], chain_head: str, reviewed_sha256: str) -> None:
    bound = {
        "act": (record["act"], "approved"),
        "patient": (record["case_id"], content["patient"]),
        "side": (record["side"], content["side"]),
        "revision": (record["revision"], content["revision"]),
        "dossier": (record["files"].get(DOSSIER), reviewed_sha256),
        "chain's head": (record["prev_hash"], chain_head),
    }
    for name, (said, found) in bound.items():
        if said != found:
            raise ValueError(
                f"expected an approval of this very dossier, found another {name}: {said!r} instead of {found!r}"
            )


def _signer(say: Words, record: Mapping[str, Any], seal: Seal) -> Rows:
    signer = record["signer"]
    return [
        [say("printed_name"), signer["printed_name"]],
        [say("role"), say(f"role_{signer['role']}")],
        [say("account"), signer["user"]],
        [say("time_utc"), record["time_utc"]],
        [say("time_local"), f"{record['time_local']} ({record['time_zone']})"],
        [say("expires"), seal.holds_until],
        [say("submitted_by"), _submitter(say, record["two_people"])],
    ]


def _submitter(say: Words, two_people: Mapping[str, Any]) -> str:
    name = str(two_people["submitted_by_name"])
    return name if two_people["two"] else f"{name}, {say('same_person')}"


def _bound(say: Words, record: Mapping[str, Any], seal: Seal, reviewed_sha256: str) -> Rows:
    return [
        [say("reviewed_dossier"), reviewed_sha256],
        [say("chain_head"), seal.head],
        [say("submission"), record["submission"]],
        [say("findings_hash"), record["findings_sha256"]],
        [say("shown_hash"), record["shown_sha256"]],
        [say("oldest_image"), record["imaging"]["day"]],
        [say("policy"), f"{record['policy']['file']}  {record['policy']['sha256']}"],
    ]


def _seal(say: Words, record: Mapping[str, Any], seal: Seal) -> Rows:
    """What it is signed with, and the entry that holds the signature."""
    return [
        [say("key"), record["signer"]["fingerprint"]],
        [say("ed25519"), seal.signature],
        [say("chain_entry"), seal.entry],
    ]


def _prescription(say: Words, record: Mapping[str, Any]) -> Rows:
    asked = record["prescription"]
    rows = [[say("typed_patient"), record["typed"]["patient_id"]], [say("typed_side"), record["typed"]["side"]]]
    for number, tunnel in enumerate(asked["tunnels"], start=1):
        name = say("tunnel_n", number=number)
        rows += [[f"{name}, {say(end)}", _point(say, tunnel[f"{end}_mm"])] for end in ("entry", "target")]
    return [*rows, [say("kit"), asked["kit"]], [say("size"), asked["size"]]]


def _point(say: Words, point_mm: Sequence[float]) -> str:
    return " / ".join(say.number(value, 1) for value in point_mm)


def _answered(say: Words, record: Mapping[str, Any]) -> list[list[str]]:
    """Every warning that was acknowledged and every waiver that was decided on."""
    warnings = [[say("acknowledged"), say.told(each["text"])] for each in record["warnings"]]
    waivers = [
        [
            say("accepted" if each["accepted"] else "refused"),
            f"{say.rule(each['rule'])} – {each['author']}: {each['reason']} – {each['surgeon_reason']}",
        ]
        for each in record["waivers"]
    ]
    return warnings + waivers
