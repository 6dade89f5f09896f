"""A release verified by nothing but the folder and public keys: no database, no results, no network."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from guidegen.errors import ApprovalError, ResultError
from guidegen.release.manifest import LARGEST_BYTES, MANIFEST, Envelope, read_envelope, read_statement
from guidegen.review.keys import MANIFEST_TYPE, RECORD_TYPE, fingerprint_of, is_signed

APPROVAL = "approval.json"


@dataclass(frozen=True)
class Verified:
    """A folder that is the release that its manifest names, byte for byte.

    `fingerprint` is that of the key that signed it, one of those given; `approver_is_known`: the key that signed the
    approval is one of them too. `expires_utc`: a stamp, after which nothing may be made of it.
    """

    files: int
    case_id: str
    side: str
    revision: str
    fingerprint: str
    approver: str
    approver_fingerprint: str
    approver_is_known: bool
    expires_utc: str


def verify_folder(folder: Path, public_pems: Sequence[str]) -> Verified:
    """What a release is, once all of it was found to be as it was signed with one of these keys (PEM).

    ApprovalError names every file that is changed, missing or added; ResultError where there is no such folder or no
    key.
    """
    if not folder.is_dir():
        raise ResultError(f"expected the folder of a release, found none at {folder}; name another")
    keys = _by_fingerprint(public_pems)
    envelope = _envelope(folder)
    _require_signature(envelope, keys, folder)
    try:
        files, predicate = read_statement(envelope.payload)
    except ValueError as error:
        raise ApprovalError(f"{folder} is no release", (f"{MANIFEST} is signed, and {error}",)) from error
    approval = _json(folder / APPROVAL)
    faults = (*_differences(files, folder), *_approval_faults(approval, files, predicate))
    if faults:
        raise ApprovalError(f"{folder} is not what was released", faults)
    return _verified(len(files), predicate, envelope, approval, keys)


def read_key(path: Path) -> str:
    """The public key in a file, as `guidegen user key` prints it; ResultError where there is none."""
    try:
        text = path.read_text(encoding="utf-8")
        fingerprint_of(text)
    except (OSError, ValueError) as error:
        raise ResultError(f"expected an Ed25519 public key (PEM) in {path}, found none; ask who released it") from error
    return text


def _by_fingerprint(public_pems: Sequence[str]) -> dict[str, str]:
    if not public_pems:
        raise ResultError("expected the public key of who released it, found none; guidegen user key prints it")
    return {fingerprint_of(pem): pem for pem in public_pems}


def _envelope(folder: Path) -> Envelope:
    path = folder / MANIFEST
    try:
        if not stat.S_ISREG(path.lstat().st_mode) or path.stat().st_size > LARGEST_BYTES:
            raise ValueError("it is no file of a manifest's size")
        return read_envelope(path.read_bytes())
    except FileNotFoundError as error:
        raise ApprovalError(f"{folder} is no release", (f"{MANIFEST} is missing",)) from error
    except (OSError, ValueError) as error:
        raise ApprovalError(f"{folder} is no release", (f"{MANIFEST} was changed: {error}",)) from error


def _require_signature(envelope: Envelope, keys: Mapping[str, str], folder: Path) -> None:
    """ApprovalError unless one of the keys signed the manifest: without that, it says nothing of the other files."""
    key = keys.get(envelope.fingerprint)
    if key is None:
        fault = f"{MANIFEST} is signed with the key {envelope.fingerprint}, which is none of those given"
    elif not is_signed(key, MANIFEST_TYPE, envelope.payload, envelope.signature):
        fault = f"{MANIFEST} was changed: it does not bear the signature of the key {envelope.fingerprint}"
    else:
        return
    raise ApprovalError(f"{folder} is not what was released", (fault,))


def _differences(expected: Mapping[str, str], folder: Path) -> list[str]:
    """A sentence for everything in the folder that is not as it was released."""
    found = dict(_entries(folder))
    folders = {str(parent) for name in expected for parent in PurePosixPath(name).parents}
    sentences = [f"{name} is missing" for name in sorted(expected.keys() - found.keys())]
    for name, content in sorted(found.items()):
        if name == MANIFEST or (content == "folder" and name in folders):
            continue
        if name not in expected:
            sentences.append(f"{name if name.isprintable() else ascii(name)} was added")
        elif content != expected[name]:
            sentences.append(f"{name} was changed: {content if len(content) < len(expected[name]) else 'other bytes'}")
    return sentences


def _entries(folder: Path) -> list[tuple[str, str]]:
    """Everything in a folder by its path: the SHA-256 of a file, or what else it is in a word or two."""
    found = []
    for parent, folders, files in os.walk(folder, onerror=_raise):
        for each in (*folders, *files):
            path = Path(parent) / each
            found.append((path.relative_to(folder).as_posix(), _content(path)))
    return found


def _content(path: Path) -> str:
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode):
        return "folder"
    if not stat.S_ISREG(mode):
        return "a link or a device"
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return f"unreadable ({error.strerror})"


def _raise(error: OSError) -> None:
    raise ResultError(f"expected a folder that can be read, found {error.filename}: {error.strerror}") from error


def _approval_faults(
    approval: Mapping[str, Any] | None, files: Mapping[str, str], predicate: Mapping[str, Any]
) -> list[str]:
    """What speaks against the approval that came along: it must be signed, the one that the manifest names, and of
    these very files.
    """
    if approval is None:
        return [f"{APPROVAL} holds no approval"]
    try:
        text, record = approval["record"], json.loads(approval["record"])
        signer, said, approved = record["signer"], predicate["approval"], record["files"]
        bound = {
            "signature": is_signed(approval["public_pem"], RECORD_TYPE, text.encode(), approval["signature"]),
            "key": fingerprint_of(approval["public_pem"]) == signer["fingerprint"],
            "act": record["act"] == "approved",
            "record": hashlib.sha256(text.encode()).hexdigest() == said["record_sha256"],
            "entry": approval["entry"]["hash"] == said["entry"],
            "head": record["prev_hash"] == approval["entry"]["prev_hash"],
            "end": said["expires_utc"] <= record["expires_utc"],
        } | {name: record[name] == predicate[name] for name in ("case_id", "side", "revision")}
        others = [name for name, digest in files.items() if approved.get(name, digest) != digest]
        if approved["guide.stl"] != files.get("guide.stl"):
            others.append("guide.stl")
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return [f"{APPROVAL} holds no approval"]
    wrong = [f"{APPROVAL} does not bear out the approval: another {name}" for name, fits in bound.items() if not fits]
    return wrong + [f"{name} is another than the file that was approved" for name in dict.fromkeys(others)]


def _verified(
    count: int, predicate: Mapping[str, Any], envelope: Envelope, approval: Any, keys: Mapping[str, str]
) -> Verified:
    signer = json.loads(approval["record"])["signer"]
    return Verified(
        files=count,
        case_id=predicate["case_id"],
        side=predicate["side"],
        revision=predicate["revision"],
        fingerprint=envelope.fingerprint,
        approver=signer["printed_name"],
        approver_fingerprint=signer["fingerprint"],
        approver_is_known=signer["fingerprint"] in keys,
        expires_utc=predicate["approval"]["expires_utc"],
    )


def _json(path: Path) -> dict[str, Any] | None:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        return dict(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
