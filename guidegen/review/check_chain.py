#!/usr/bin/env python3
"""Check an exported audit chain: python3 check_chain.py [FOLDER] [--head HASH]

Needs nothing but Python for the hashes; the signatures are checked too where the library `cryptography` is there.
--head names a hash that was noted outside, on a signed dossier: only with it does an end that was cut off show.
Leaves with 0 for a whole chain, 4 for one that is not, and says what was checked.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

KIND = b"application/vnd.guidegen.review+json"
HASHED = ("action", "actor", "content", "prev_hash", "seq", "subject", "time")


def hash_faults(entries: list[dict[str, Any]], head: str | None) -> list[str]:
    """What is wrong with the hashes and their order."""
    faults, before, time = [], "0" * 64, ""
    for number, entry in enumerate(entries, start=1):
        hashed = json.dumps({name: entry[name] for name in HASHED}, separators=(",", ":"), ensure_ascii=False)
        if hashlib.sha256(hashed.encode()).hexdigest() != entry["hash"]:
            faults.append(f"entry {entry['seq']} was changed")
        if entry["seq"] != number or entry["prev_hash"] != before or entry["time"] < time:
            faults.append(f"entry {entry['seq']} does not follow the one before it")
        before, time = entry["hash"], entry["time"]
    if not entries or entries[0]["action"] != "chain begun":
        faults.append("there is no beginning")
    if head is not None and head not in [entry["hash"] for entry in entries]:
        faults.append(f"no entry has the hash {head}: the chain was cut off or made anew")
    return faults


def signature_faults(entries: list[dict[str, Any]], folder: Path) -> tuple[int, list[str]]:
    """How many signatures there are, and what is wrong with them and with what they bind."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    count, faults, keys = 0, [], {}
    for entry in entries:
        content = json.loads(entry["content"])
        if "public_pem" in content:
            keys[entry["subject"]] = content
            pem = folder / "keys" / f"{content['fingerprint']}.pem"
            if not pem.is_file() or pem.read_text(encoding="ascii") != content["public_pem"]:
                faults.append(f"entry {entry['seq']} has a key that is not in keys/")
        if "signature" not in content:
            continue
        count += 1
        key, text = keys.get(f"person:{entry['actor']}"), content["record"].encode()
        signed = b"DSSEv1 %d %s %d %s" % (len(KIND), KIND, len(text), text)
        record = json.loads(text)
        bound = (record["prev_hash"], record["time_utc"], record["act"], record["signer"]["user"])
        try:
            if key is None or key["fingerprint"] != content["fingerprint"]:
                raise InvalidSignature
            load_pem_public_key(key["public_pem"].encode()).verify(base64.b64decode(content["signature"]), signed)  # type: ignore[union-attr, call-arg]  # an Ed25519 key, or it raises
        except (InvalidSignature, ValueError, TypeError, AttributeError):
            faults.append(f"entry {entry['seq']} does not bear the signature of {entry['actor']}")
        if bound != (entry["prev_hash"], entry["time"], entry["action"], entry["actor"]):
            faults.append(f"entry {entry['seq']} holds the record of another entry")
        if f"{record['case_id']}-{record['side']}/{record['revision']}" != entry["subject"]:
            faults.append(f"entry {entry['seq']} holds the record of another revision")
    return count, faults


def main() -> int:
    """Check and say what was found."""
    parser = argparse.ArgumentParser(description="Check an exported audit chain.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--head")
    asked = parser.parse_args()
    lines = (asked.folder / "chain.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    entries = [json.loads(line) for line in lines]
    faults = hash_faults(entries, asked.head)
    try:
        count, wrong = signature_faults(entries, asked.folder)
        said = f"{count} signatures checked"
    except ImportError:
        said, wrong = "signatures NOT checked: the library cryptography is not there", []
    report = [*faults, *wrong, f"{len(entries)} entries, {said}, head {entries[-1]['hash'] if entries else 'none'}"]
    sys.stdout.write("\n".join(report) + "\n")
    return 4 if faults or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
