"""A release verified by a stranger: everything that is not as it was released is named."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from release_cases import Done

from guidegen.errors import ApprovalError, ResultError
from guidegen.release.manifest import MANIFEST, Envelope, read_envelope, read_statement, statement
from guidegen.release.verify import read_key, verify_folder
from guidegen.results import hashes
from guidegen.review.keys import MANIFEST_TYPE, new_key

FLIPS = 100


def faults(folder: Path, *pems: str) -> tuple[str, ...]:
    """All that speaks against a folder."""
    with pytest.raises(ApprovalError, match=r"is no release|is not what was released") as refusal:
        verify_folder(folder, pems)
    assert refusal.value.exit_code == 4
    return refusal.value.reasons


def test_a_release_is_what_it_is(done: Done) -> None:
    surgeon = done.world.reviews.people.find("bora").key
    found = verify_folder(done.folder, [done.public_pem, surgeon.public_pem])
    assert (found.case_id, found.side, found.revision) == ("Z019L", "left", "r001")
    assert (found.approver, found.approver_fingerprint, found.approver_is_known) == (
        "Bora Demir", surgeon.fingerprint, True,
    )  # fmt: skip
    assert found.files == len(hashes(done.folder)) - 1
    assert found.expires_utc.startswith("2026-01-30T09:01:")
    assert not verify_folder(done.folder, [done.public_pem]).approver_is_known


def test_every_flipped_bit_is_found_and_named(done: Done, copied: Path) -> None:
    draw = random.Random(7)
    for name in sorted(hashes(copied)):
        path = copied / name
        content = path.read_bytes()
        for _ in range(FLIPS):
            place = draw.randrange(len(content))
            path.write_bytes(content[:place] + bytes([content[place] ^ 1 << draw.randrange(8)]) + content[place + 1 :])
            found = faults(copied, done.public_pem)
            assert found[0].startswith(name), (name, place, found)
            assert name == "approval.json" or len(found) == 1
        path.write_bytes(content)
    verify_folder(copied, [done.public_pem])


def test_no_bit_of_the_signature_or_the_keys_name_can_be_another(done: Done, copied: Path) -> None:
    """The last letter of a signature in base64 has bits that say nothing: they cannot be others either."""
    content = (copied / MANIFEST).read_bytes()
    envelope = read_envelope(content)
    for text in (envelope.signature.encode(), envelope.fingerprint.encode()):
        start = content.index(text)
        for place in range(start, start + len(text)):
            for bit in range(8):
                flipped = bytes([content[place] ^ 1 << bit])
                (copied / MANIFEST).write_bytes(content[:place] + flipped + content[place + 1 :])
                assert faults(copied, done.public_pem)[0].startswith(MANIFEST)


def test_every_missing_file_is_named(done: Done, copied: Path) -> None:
    for name in sorted(hashes(copied)):
        content = (copied / name).read_bytes()
        (copied / name).unlink()
        assert f"{name} is missing" in faults(copied, done.public_pem)
        (copied / name).write_bytes(content)


def test_cut_and_lengthened_files_are_named(done: Done, copied: Path) -> None:
    for name in sorted(hashes(copied)):
        content = (copied / name).read_bytes()
        for other in (b"", content[:-1], content + b"\n"):
            (copied / name).write_bytes(other)
            assert faults(copied, done.public_pem)[0].startswith(f"{name} was changed")
        (copied / name).write_bytes(content)


def add_link(folder: Path) -> None:
    (folder / "link.stl").symlink_to(folder / "guide.stl")


def make_fifo(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


@pytest.mark.parametrize(
    ("add", "said"),
    [
        (lambda folder: (folder / "extra.stl").write_bytes(b"x"), "extra.stl was added"),
        (lambda folder: (folder / "timings.json").write_bytes(b"{}"), "timings.json was added"),
        (lambda folder: (folder / "metal" / ".hidden").write_bytes(b"x"), "metal/.hidden was added"),
        (lambda folder: (folder / "empty").mkdir(), "empty was added"),
        (add_link, "link.stl was added"),
        (make_fifo, "pipe was added"),
        (lambda folder: (folder / "a\x1b[2Kb").write_bytes(b"x"), r"'a\x1b[2Kb' was added"),
        (lambda folder: os.close(os.open(os.fsencode(folder) + b"/\xff", os.O_CREAT)), r"'\udcff' was added"),
    ],
    ids=["file", "timings", "hidden", "folder", "link", "pipe", "terminal codes", "no text"],
)
def test_what_was_added_is_named(done: Done, copied: Path, add: Callable[[Path], object], said: str) -> None:
    add(copied)
    assert faults(copied, done.public_pem) == (said,)


def test_a_link_or_folder_in_a_files_place_is_named(done: Done, copied: Path) -> None:
    shutil.copy(copied / "guide.stl", copied.parent / "same.stl")
    (copied / "guide.stl").unlink()
    (copied / "guide.stl").symlink_to(copied.parent / "same.stl")
    assert faults(copied, done.public_pem) == ("guide.stl was changed: a link or a device",)
    (copied / "guide.stl").unlink()
    (copied / "guide.stl").mkdir()
    assert faults(copied, done.public_pem) == ("guide.stl was changed: folder",)


def test_files_that_changed_places_are_both_named(done: Done, copied: Path) -> None:
    (copied / "guide.stl").rename(copied / "x")
    (copied / "trial_bone.stl").rename(copied / "guide.stl")
    (copied / "x").rename(copied / "trial_bone.stl")
    assert faults(copied, done.public_pem) == (
        "guide.stl was changed: other bytes", "trial_bone.stl was changed: other bytes",
    )  # fmt: skip


def test_another_key_does_not_do(done: Done) -> None:
    found = faults(done.folder, new_key().public_pem)
    assert len(found) == 1
    assert "which is none of those given" in found[0]


def signed_anew(folder: Path, key: Any, change: Callable[[dict[str, str], dict[str, Any]], None]) -> None:
    """Sign the manifest of a folder as it is, with another key."""
    _, predicate = read_statement(read_envelope((folder / MANIFEST).read_bytes()).payload)
    files = {name: digest for name, digest in hashes(folder).items() if name != MANIFEST}
    change(files, predicate)
    payload = statement(files, predicate)
    envelope = Envelope(payload, key.sign(MANIFEST_TYPE, payload), key.fingerprint)
    (folder / MANIFEST).write_bytes(envelope.content())


def test_a_forger_with_a_key_of_his_own_is_none_of_those_given(done: Done, copied: Path) -> None:
    (copied / "guide.stl").write_bytes(b"another guide")
    signed_anew(copied, new_key(), lambda _files, _predicate: None)
    found = faults(copied, done.public_pem)
    assert "which is none of those given" in found[0]


def rename_case(_files: dict[str, str], predicate: dict[str, Any]) -> None:
    predicate["case_id"] = "Z020R"


def name_entry(_files: dict[str, str], predicate: dict[str, Any]) -> None:
    predicate["approval"]["entry"] = "0" * 64


def leave(_files: dict[str, str], _predicate: dict[str, Any]) -> None:
    pass


def change_guide(folder: Path) -> None:
    (folder / "guide.stl").write_bytes(b"another guide")


def drop_guide(folder: Path) -> None:
    (folder / "guide.stl").unlink()


def edit_approval(**changes: Any) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        said = json.loads((folder / "approval.json").read_text())
        (folder / "approval.json").write_text(json.dumps(said | changes))

    return edit


def edit_record(folder: Path) -> None:
    said = json.loads((folder / "approval.json").read_text())
    record = json.loads(said["record"]) | {"side": "right"}
    (folder / "approval.json").write_text(json.dumps(said | {"record": json.dumps(record)}))


@pytest.mark.parametrize(
    ("edit", "change", "said"),
    [
        (change_guide, leave, "guide.stl is another than the file that was approved"),
        (drop_guide, leave, "guide.stl is another than the file that was approved"),
        (leave, rename_case, "approval.json does not bear out the approval: another case_id"),
        (leave, name_entry, "approval.json does not bear out the approval: another entry"),
        (edit_record, leave, "approval.json does not bear out the approval: another signature"),
        (edit_approval(signature="AAAA"), leave, "approval.json does not bear out the approval: another signature"),
        (edit_approval(public_pem=new_key().public_pem), leave, "does not bear out the approval: another key"),
        (edit_approval(public_pem="no key"), leave, "approval.json holds no approval"),
        (edit_approval(record=7), leave, "approval.json holds no approval"),
        (lambda folder: (folder / "approval.json").write_text("[]"), leave, "approval.json holds no approval"),
    ],
)  # fmt: skip
def test_who_releases_cannot_say_what_the_surgeon_did_not(
    copied: Path, edit: Callable[..., None], change: Callable[..., None], said: str
) -> None:
    """An insider with a key that is trusted signs a manifest of his own."""
    insider = new_key()
    if edit is not leave:
        edit(copied)
    signed_anew(copied, insider, change)
    assert any(said in each for each in faults(copied, insider.public_pem))


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[" * 100_000, b'{"payload": "?", "signatures": []}', b"\xff", b'{"payload": 1, "signatures": [{}]}'],
)
def test_a_manifest_that_is_none_is_named(done: Done, copied: Path, content: bytes) -> None:
    (copied / MANIFEST).write_bytes(content)
    (found,) = faults(copied, done.public_pem)
    assert found.startswith("manifest.json was changed: it is no envelope")


def test_a_statement_of_another_kind_is_none(copied: Path) -> None:
    key, fields = new_key(), {"_type": "x", "subject": [], "predicateType": "y", "predicate": {}}
    payload = json.dumps(fields).encode()
    for content, said in ((payload, "of another kind"), (b"{}", "no statement on files")):
        envelope = Envelope(content, key.sign(MANIFEST_TYPE, content), key.fingerprint)
        (copied / MANIFEST).write_bytes(envelope.content())
        assert said in faults(copied, key.public_pem)[0]


def test_what_cannot_be_asked_is_refused(done: Done, tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="expected the folder of a release, found none"):
        verify_folder(tmp_path / "none", [done.public_pem])
    with pytest.raises(ResultError, match="expected the public key of who released it, found none"):
        verify_folder(done.folder, [])
    (tmp_path / "key").write_text("no key")
    for name in ("key", "none"):
        with pytest.raises(ResultError, match=r"expected an Ed25519 public key \(PEM\)"):
            read_key(tmp_path / name)


def test_a_key_is_read_as_it_is_printed(done: Done, tmp_path: Path) -> None:
    (tmp_path / "ann.pem").write_text(f"ann, Ann Kaya: engineer\nkey 1234\n{done.public_pem}", encoding="utf-8")
    verify_folder(done.folder, [read_key(tmp_path / "ann.pem")])


def test_it_works_where_nothing_else_is(copied: Path, done: Done) -> None:
    (copied.parent / "key.pem").write_text(done.public_pem)
    heavy = ("sqlalchemy", "pydantic", "numpy", "SimpleITK", "typst", "vtk")
    code = (
        "import sys; from pathlib import Path; from guidegen.release.verify import read_key, verify_folder; "
        "found = verify_folder(Path('copied'), [read_key(Path('key.pem'))]); "
        f"print(found.files, [name for name in {heavy} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=copied.parent, capture_output=True, text=True, check=True)
    assert run.stdout.split(maxsplit=1)[1].strip() == "[]"
