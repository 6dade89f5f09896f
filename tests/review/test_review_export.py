"""The chain as files, and the program that checks them without guidegen."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from review_cases import World
from sqlalchemy import text

from guidegen.errors import ChainError, OutputError
from guidegen.review import check_chain, export
from guidegen.review.chain import NOTHING, Entry, faults
from guidegen.review.export import write_export


@pytest.fixture
def exported(world: World, tmp_path: Path) -> Path:
    """A chain with everything in it: eleven entries and one key that is used no more."""
    folder = world.released()
    world.reviews.people.new_key(world.who("bora"))
    world.reviews.void(folder, world.who("bora"), "the ğ in a reason\nand a line")
    write_export(tmp_path / "export", world.reviews.export_chain())
    return tmp_path / "export"


def check(folder: Path, *arguments: str, bare: bool = False) -> tuple[int, str]:
    """Run the checker that stands in the export, as a stranger; `bare`: without any library."""
    command = [sys.executable, "-I", *(["-S"] if bare else []), str(folder / "check_chain.py"), *arguments]
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", env=environment, check=False)
    return done.returncode, done.stdout + done.stderr


def head_of(folder: Path) -> str:
    return str(json.loads((folder / "chain.jsonl").read_text().splitlines()[-1])["hash"])


def test_the_checker_is_short_and_needs_nothing_but_python() -> None:
    source = Path(check_chain.__file__).read_text()
    assert len(source.splitlines()) <= 100
    modules = {node.module or "" for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    modules |= {
        name.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for name in node.names
    }
    assert {module.partition(".")[0] for module in modules} - sys.stdlib_module_names == {"cryptography"}


def test_a_whole_chain_passes(world: World, exported: Path) -> None:
    entries = world.reviews.entries()
    code, said = check(exported)
    assert (code, said) == (0, f"{len(entries)} entries, 4 signatures checked, head {entries[-1].hash}\n")
    assert check(exported, "--head", entries[4].hash)[0] == 0
    assert len(list((exported / "keys").iterdir())) == 7


def test_without_the_library_it_says_what_it_did_not_check(exported: Path) -> None:
    code, said = check(exported, bare=True)
    assert code == 0
    assert "signatures NOT checked: the library cryptography is not there" in said


Lines = list[str]


def edit(change: Callable[[dict[str, object]], None]) -> Callable[[Lines], None]:
    """Changes one entry, the tenth: the release."""

    def alter(lines: Lines) -> None:
        entry = json.loads(lines[9])
        change(entry)
        lines[9] = json.dumps(entry)

    return alter


ALTERATIONS: dict[str, Callable[[Lines], None]] = {
    "an edit": edit(lambda entry: entry.update(actor="eve")),
    "a content": edit(lambda entry: entry.update(content=str(entry["content"]).replace("memory", "Memory"))),
    "a removal": lambda lines: lines.__delitem__(9),
    "a move": lambda lines: lines.__setitem__(slice(8, 10), [lines[9], lines[8]]),
    "a doubling": lambda lines: lines.insert(9, lines[9]),
    "the beginning": lambda lines: lines.__delitem__(0),
    "everything": lambda lines: lines.clear(),
}


@pytest.mark.parametrize("bare", [True, False], ids=["bare", "with the library"])
@pytest.mark.parametrize("alter", ALTERATIONS.values(), ids=ALTERATIONS)
def test_every_alteration_is_found(exported: Path, alter: Callable[[Lines], None], bare: bool) -> None:
    path = exported / "chain.jsonl"
    lines = path.read_text().splitlines()
    alter(lines)
    path.write_text("".join(f"{line}\n" for line in lines))
    code, said = check(exported, bare=bare)
    assert code == 4, said


def test_a_cut_end_is_found_with_a_head(exported: Path) -> None:
    head = head_of(exported)
    lines = (exported / "chain.jsonl").read_text().splitlines(keepends=True)
    (exported / "chain.jsonl").write_text("".join(lines[:-1]))
    assert check(exported)[0] == 0
    code, said = check(exported, "--head", head)
    assert code == 4
    assert "the chain was cut off or made anew" in said


def remade(folder: Path, change: Callable[[list[dict[str, object]]], None]) -> None:
    """Change entries and compute every hash anew."""
    path, before, lines = folder / "chain.jsonl", NOTHING, []
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    change(entries)
    for number, fields in enumerate(entries, start=1):
        entry = Entry(**{**fields, "seq": number, "prev_hash": before, "hash": ""})
        before = entry.true_hash
        lines.append(json.dumps({**fields, "seq": number, "prev_hash": entry.prev_hash, "hash": before}) + "\n")
    path.write_text("".join(lines))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda entries: entries[8].update(actor="dila"), "entry 9 does not bear the signature of dila"),
        (lambda entries: entries[8].update(subject="Z019L-left/r002"), "entry 9 holds the record of another revision"),
        (lambda entries: entries[8].update(action="rejected"), "entry 9 holds the record of another entry"),
        (lambda entries: entries.__delitem__(7), "holds the record of another entry"),
        (lambda entries: entries.insert(9, entries[8]), "holds the record of another entry"),
    ],
    ids=["another signer", "another revision", "another act", "a removal", "a replay"],
)
def test_with_the_signatures_even_hashes_made_anew_are_found(
    exported: Path, change: Callable[[list[dict[str, object]]], None], said: str
) -> None:
    remade(exported, change)
    assert check(exported, bare=True)[0] == 0
    code, found = check(exported)
    assert code == 4
    assert said in found


def test_a_key_that_is_missing_or_another_is_found(exported: Path) -> None:
    key = min((exported / "keys").iterdir())
    key.write_text(key.read_text().replace("A", "B"))
    code, said = check(exported)
    assert code == 4
    assert "has a key that is not in keys/" in said


def test_the_checker_and_the_review_agree_on_a_forgery(exported: Path) -> None:
    lines = [json.loads(line) for line in (exported / "chain.jsonl").read_text().splitlines()]
    lines[3]["time"] = "2020-01-01T00:00:00.000000Z"
    assert check_chain.hash_faults(lines, None)
    assert faults([Entry(**line) for line in lines])


# --- writing ---


def test_an_export_goes_into_a_new_folder(world: World, exported: Path) -> None:
    with pytest.raises(OutputError, match="expected a folder that is not there yet"):
        write_export(exported, world.reviews.export_chain())


@pytest.mark.parametrize("step", ["mkdir", "write_bytes", "rename", "fsync"])
def test_an_export_is_whole_or_not_there(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    files = world.reviews.export_chain()
    for failing in range(1, 12):
        calls = [0]

        def fail(*_arguments: object, at: int = failing, calls: list[int] = calls, **_named: object) -> None:
            calls[0] += 1
            if calls[0] >= at:
                raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            if step == "fsync":
                patch.setattr(export, "make_durable", lambda _folder, fail=fail: fail())
            else:
                real = getattr(Path, step)

                def sometimes(self: Path, *arguments: object, real=real, fail=fail, **named: object) -> object:  # type: ignore[no-untyped-def]
                    fail()
                    return real(self, *arguments, **named)

                patch.setattr(Path, step, sometimes)
            try:
                write_export(tmp_path / "new", files)
            except OutputError as error:
                assert "No space left on device" in str(error)  # noqa: PT017
                assert not (tmp_path / "new").exists()
            else:
                break
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".making")] == []
    else:
        pytest.fail("never came to an end")


def test_a_broken_chain_is_not_exported(world: World) -> None:
    with world.reviews._desk.database.writing() as connection:
        connection.execute(text("DROP TRIGGER entries_are_not_changed"))
        connection.execute(text("UPDATE entries SET actor = 'eve' WHERE seq = 2"))
    with pytest.raises(ChainError, match="entry 2 was changed"):
        world.reviews.export_chain()
