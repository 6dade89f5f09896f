"""The manifest of a release: an in-toto statement (v1) over every file, in a signed DSSE envelope (v1).

    https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
    https://github.com/secure-systems-lab/dsse/blob/master/envelope.md

The statement holds no time: the chain says when. What verifies a release reads this file too, so that nothing here
needs more than the signatures do.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from guidegen.review.canonical import canonical
from guidegen.review.keys import MANIFEST_TYPE

MANIFEST = "manifest.json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:guidegen:release:1"
LARGEST_BYTES = 16 * 2**20  # of a manifest; one of a hundred files has 30 kB


@dataclass(frozen=True)
class Envelope:
    """A signed payload: the statement's bytes, the signature in base64, and the fingerprint of the key."""

    payload: bytes
    signature: str
    fingerprint: str

    def content(self) -> bytes:
        """The envelope as a file, the one way to write it."""
        fields = {
            "payloadType": MANIFEST_TYPE,
            "payload": base64.b64encode(self.payload).decode(),
            "signatures": [{"keyid": self.fingerprint, "sig": self.signature}],
        }
        return (json.dumps(fields, indent=1) + "\n").encode()


def statement(files: Mapping[str, str], predicate: Mapping[str, Any]) -> bytes:
    """The statement that these files (SHA-256 in hex, by path) are the release that `predicate` describes."""
    subject = [{"name": name, "digest": {"sha256": files[name]}} for name in sorted(files)]
    fields = {"_type": STATEMENT_TYPE, "subject": subject, "predicateType": PREDICATE_TYPE, "predicate": predicate}
    return canonical(fields).encode()


def read_envelope(content: bytes) -> Envelope:
    """The envelope in a manifest's bytes; ValueError for anything but the one way to write it.

    Nothing in the file is without meaning, so that no byte of it can be another and pass.
    """
    try:
        fields = json.loads(content)
        (signed,) = fields["signatures"]
        payload = base64.b64decode(fields["payload"], validate=True)
        envelope = Envelope(payload, str(signed["sig"]), str(signed["keyid"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("it is no envelope with one signature") from error
    if base64.b64encode(base64.b64decode(envelope.signature)).decode() != envelope.signature:
        raise ValueError("its signature is not written as a signature is")
    if envelope.content() != content:
        raise ValueError("it is not written as an envelope is")
    return envelope


def read_statement(payload: bytes) -> tuple[dict[str, str], dict[str, Any]]:
    """SHA-256 by path and the predicate of a statement; ValueError for another kind of statement."""
    try:
        fields = json.loads(payload)
        files = {str(each["name"]): str(each["digest"]["sha256"]) for each in fields["subject"]}
        kind, predicate = (fields["_type"], fields["predicateType"]), dict(fields["predicate"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("it holds no statement on files") from error
    if kind != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise ValueError(f"it holds a statement of another kind: {kind}")
    return files, predicate
