"""The chain as files that anybody can check without guidegen."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from pathlib import Path

from guidegen.errors import OutputError
from guidegen.results import SCRATCH, make_durable, make_entry_durable
from guidegen.review.chain import Entry
from guidegen.review.persons import persons_from

CHAIN_FILE, CHECKER, KEYS = "chain.jsonl", "check_chain.py", "keys"


def exported(entries: Sequence[Entry]) -> dict[str, bytes]:
    """Every entry on a line of its own, each public key as a PEM file named by its fingerprint, and the checker."""
    lines = (json.dumps(asdict(entry), ensure_ascii=False, sort_keys=True) + "\n" for entry in entries)
    keys = [key for person in persons_from(entries).values() for key in person.keys]
    return {
        CHAIN_FILE: "".join(lines).encode(),
        CHECKER: (resources.files("guidegen.review") / CHECKER).read_bytes(),
        **{f"{KEYS}/{key.fingerprint}.pem": key.public_pem.encode() for key in keys},
    }


def write_export(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files into a new folder, all of them or none; OutputError where it is there or cannot be written."""
    if folder.exists():
        raise OutputError(f"expected a folder that is not there yet, found {folder}; name another")
    scratch = folder.with_name(f"{SCRATCH}{folder.name}")
    try:
        for name, content in files.items():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            (scratch / name).write_bytes(content)
        make_durable(scratch)
        scratch.rename(folder)
        make_entry_durable(folder)
    except OSError as error:
        raise OutputError(f"expected a folder that can be written, found {folder}: {error.strerror}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
