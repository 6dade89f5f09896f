"""The whole story on the command line: submitted, approved, released, verified, printed, used; and every refusal."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from release_cases import changed_plan, make_result
from review_cases import LOT, OTHER_LOT, PLAN_HASH, WARNING, measured
from review_terminal import Call, Left, command_line

from guidegen.release.commands import BUSY
from guidegen.review.reviews import Reviews

PASSWORD = "a good long phrase"
PEOPLE = {"ann": ("Ann Kaya", "engineer"), "bora": ("Bora Demir", "surgeon")}
IMAGED = (datetime.now(UTC) - timedelta(days=10)).date()


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """The command line in this process, with what is typed into it; the fake files are measured as such."""
    real = Reviews.open
    monkeypatch.setattr(
        Reviews, "open", lambda *places, **named: real(*places, **{"measure": measured, **named}), raising=True
    )

    return command_line(capsys, monkeypatch, tmp_path)


@pytest.fixture
def result(call: Call) -> Path:
    """A result to review, and the people who do it."""
    for user, (name, role) in PEOPLE.items():
        made = call("user", "add", user, "--name", name, "--role", role, "--password-stdin", typed=f"{PASSWORD}\n")
        assert made.code == 0
        Path(f"{user}.pem").write_text(call("user", "key", user).out)
    return made_result()


def made_result(**parts: Any) -> Path:
    identity = {"file": "ct/1.dcm", "modality": "CT", "acquisition_date": IMAGED.isoformat()}
    return make_result(Path("output"), changed_plan(**{"inputs": {"identities": [identity]}, **parts}))


def done_by(call: Call, user: str, *arguments: object, typed: str = "") -> Left:
    """A command by a user who types the password last."""
    return call(*arguments, "--user", user, "--password-stdin", typed=f"{typed}{PASSWORD}\n")


def submitted(call: Call, result: Path) -> str:
    """The hash that the submission says."""
    left = done_by(call, "ann", "submit", result)
    assert (left.code, left.err) == (0, "")
    found = re.search(r"^submission ([0-9a-f]{64})$", left.out, re.MULTILINE)
    assert found
    return found[1]


def answers(waiting: str, **changes: str) -> str:
    lines = {
        "submission": f'"{waiting}"', "patient_id": '"Z019L"', "side": '"left"', "looked_at": "true",
        "prescription": "true", "warnings": f'["{WARNING}"]', **changes,
    }  # fmt: skip
    return "\n".join(f"{name} = {value}" for name, value in lines.items() if value)


def approved(call: Call, result: Path) -> None:
    Path("answers.toml").write_text(answers(submitted(call, result)))
    assert done_by(call, "bora", "approve", result, "--answers", "answers.toml").code == 0


def released(call: Call, result: Path) -> Left:
    approved(call, result)
    left = done_by(call, "ann", "release", result, "--to", "out")
    assert (left.code, left.err) == (0, f"{BUSY} ")
    return left


def event(call: Call, result: Path, what: str, user: str = "ann", lot: str = LOT, **options: object) -> Left:
    given = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
    return done_by(call, user, "event", result, what, "--lot", lot, *given)


def sheet(lot: str = LOT, **answers: object) -> Path:
    """A copy of the inspection sheet of the release, filled in; as it should be where nothing else is said."""
    form = json.loads(Path("out/inspection.json").read_text())
    form["lot"] = lot
    for line in form["lines"]:
        for answer in [name for name, value in line.items() if value is None]:
            right = line[answer.replace("measured", "nominal")] if answer.startswith("measured") else True
            line[answer] = answers.get(line["name"].replace(" ", "_"), right)
    Path("filled.json").write_text(json.dumps(form))
    return Path("filled.json")


PRINTED = {"file": "out/guide.3mf", "printer": "Fuse 1", "material": "PA12", "material_lot": "M7"}


def test_from_submission_to_use(call: Call, result: Path) -> None:
    left = released(call, result)
    assert "released 21 files to" in left.out
    assert "not sliced: no slicer profile is shipped for SLS" in left.out
    seen = call("verify", "out", "--key", "ann.pem", "--key", "bora.pem")
    assert seen.code == 0
    assert "20 files, all as they were released\nZ019L, LEFT hip, r001" in seen.out
    assert "approved by Bora Demir, a key given here" in seen.out
    assert f"lot {LOT} of Z019L-left/r001 is printed" in event(call, result, "printed", **PRINTED).out
    assert "is inspected and passed" in event(call, result, "inspected", measures=sheet()).out
    assert "is sterilised" in event(call, result, "sterilised", cycle="steam, 134 °C, 4 min", load="118").out
    assert "is used" in event(call, result, "used", "bora", patient_id="Z019L", side="left").out
    assert "7 signatures, all as they were written" in call("audit", "verify").out
    with Reviews.open("output", create=False) as reviews:
        reviews.verify()
        assert [entry.action for entry in reviews.entries()][-7:] == [
            "submitted", "approved", "released", "printed", "inspected", "sterilised", "used",
        ]  # fmt: skip


def test_one_changed_byte_and_everything_refuses(call: Call, result: Path) -> None:
    released(call, result)
    Path("out/guide.stl").write_bytes(b"guide!")
    seen = call("verify", "out", "--key", "ann.pem")
    assert (seen.code, seen.out) == (4, "")
    assert "- guide.stl was changed: other bytes" in seen.err
    assert done_by(call, "ann", "release", result, "--to", "out").code == 2
    path = result / "guide.stl"
    path.chmod(0o644)
    path.write_bytes(b"guide!")
    again = done_by(call, "ann", "release", result, "--to", "again")
    assert again.code == 4
    assert "- guide.stl was changed since it was approved" in again.err
    assert not Path("again").exists()
    late = event(call, result, "printed", **(PRINTED | {"file": "out/guide.stl"}))
    assert (late.code, "which was not released; discard the print" in late.err) == (4, True)


def test_the_questions_are_asked_one_after_the_other(call: Call, result: Path) -> None:
    submitted(call, result)
    left = done_by(call, "bora", "approve", result, typed="y\ny\ny\nZ019L\nsol\n")
    assert (left.code, left.err) == (0, "")
    for said in (f"Warning: {WARNING}", "output/Z019L-left/r001/dossier.pdf", "preview/guide.png", "core-8",
                 "60.0, 20.0, -100.0", f"WARNING: {WARNING}", "4 other checks passed; guidegen check"):  # fmt: skip
        assert said in left.out, said
    rows = [line.split("  ") for line in left.out.splitlines()]
    figures = {row[0].strip(): row[-1].strip() or row[-2].strip() for row in rows if len(row) > 1}
    theatre = {"read on the drill": "140.0 mm", "diameter of the drill": "8.0 mm", "length": "100.0 mm",
               "wall to the outer cortex": "5.0 mm", "depth in bone": "25 mm"}  # fmt: skip
    assert {name: figures[name] for name in theatre} == theatre
    assert left.out.index("read on the drill") < left.out.index("other checks passed")
    with Reviews.open("output", create=False) as reviews:
        record = reviews.approval_of(result).record
    assert set(record.shown.pictures) == {"dossier.pdf", "preview/guide.png"}
    assert record.shown.strings["Prescription: tunnel 1, target, LPS mm"] == "0.0, 20.0, -20.0"
    assert record.shown.strings["Tunnel: read on the drill"] == "140.0 mm"
    assert record.shown.strings["other checks"] == "4 passed"
    assert record.prescription.tunnels[0].target_mm == (0.0, 20.0, -20.0)
    assert record.warnings[0].text == WARNING


@pytest.mark.usefixtures("result")
def test_the_user_is_asked_for_too(call: Call) -> None:
    left = call("submit", "output/Z019L-left/r001", "--password-stdin", typed=f"ann\n{PASSWORD}\n")
    assert (left.code, "submitted Z019L-left/r001" in left.out) == (0, True)


@pytest.mark.usefixtures("result")
def test_a_waiver_and_a_missing_date_are_asked_for(call: Call) -> None:
    waiver = {"rule": "wall_min_mm", "author": "Ann Kaya", "reason": "The neck is thin everywhere."}
    plan = {"chosen": {"kit": "core-8", "warnings": []}, "waivers_proposed": [waiver]}
    inputs = {"identities": [{"file": "ct/1.dcm", "modality": "CT", "acquisition_date": None}]}
    folder = made_result(plan=plan, inputs=inputs)
    submitted(call, folder)
    typed = f"y\nI have seen it on the CT.\ny\ny\n{IMAGED}\nZ019L\nleft\n"
    assert done_by(call, "bora", "approve", folder, typed=typed).code == 0
    with Reviews.open("output", create=False) as reviews:
        record = reviews.approval_of(folder).record
    assert (record.imaging.day, record.imaging.source) == (IMAGED, "signer")
    assert (record.waivers[0].accepted, record.waivers[0].surgeon_reason) == (True, "I have seen it on the CT.")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("n\ny\ny\nZ019L\nleft\n", "this warning was not acknowledged"),
        ("y\nn\ny\nZ019L\nleft\n", "the dossier and the pictures were not looked at"),
        ("y\ny\nn\nZ019L\nleft\n", "entry, target, kit and size are not prescribed"),
        ("y\ny\ny\nZ019R\nleft\n", "expected patient Z019L and side left to be typed back"),
        ("y\ny\ny\nZ019L\nright\n", "expected patient Z019L and side left to be typed back"),
    ],
)
def test_one_answer_that_is_no_approves_nothing(call: Call, result: Path, typed: str, said: str) -> None:
    submitted(call, result)
    left = done_by(call, "bora", "approve", result, typed=typed)
    assert (left.code, said in left.err) == (4, True)
    assert done_by(call, "ann", "release", result, "--to", "out").code == 4


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"submission": f'"{"0" * 64}"'}, 4, "found another one looked at"),
        ({"warnings": "[]"}, 4, "this warning was not acknowledged"),
        ({"looked_at": "false"}, 4, "were not looked at"),
        ({"side": ""}, 2, "expected the answers of an approval in answers.toml"),
        ({"side": '"right"'}, 4, "expected patient Z019L and side left to be typed back"),
        ({"extra": "1"}, 2, "expected the answers of an approval in answers.toml"),
        ({"waivers": '[{rule = "x", accepted = true, reason = "y"}]'}, 4, "proposed waivers alone, found one to x"),
    ],
)  # fmt: skip
def test_answers_in_a_file_are_held_to_the_same(
    call: Call, result: Path, changes: dict[str, str], code: int, said: str
) -> None:
    Path("answers.toml").write_text(answers(submitted(call, result), **changes))
    left = done_by(call, "bora", "approve", result, "--answers", "answers.toml")
    assert (left.code, said in left.err) == (code, True), left.err


def test_who_may_not_is_refused(call: Call, result: Path) -> None:
    assert done_by(call, "bora", "submit", result).code == 2
    Path("answers.toml").write_text(answers(submitted(call, result)))
    assert done_by(call, "ann", "approve", result, "--answers", "answers.toml").code == 2
    wrong = call("approve", result, "--user", "bora", "--answers", "answers.toml", "--password-stdin", typed="wrong\n")
    assert (wrong.code, "the password that belongs to it" in wrong.err) == (2, True)


def test_rejected_and_voided(call: Call, result: Path) -> None:
    early = done_by(call, "bora", "reject", result, "--reason", "Too low.")
    assert (early.code, "expected a submitted result" in early.err) == (4, True)
    submitted(call, result)
    assert done_by(call, "bora", "reject", result, "--reason", "Too low.").out == "rejected Z019L-left/r001\n"
    approved(call, result)
    assert done_by(call, "ann", "void", result, "--reason", "Operated on elsewhere.").out == "void Z019L-left/r001\n"
    left = done_by(call, "ann", "release", result, "--to", "out")
    assert (left.code, "is not approved: it is void" in left.err) == (4, True)
    assert not Path("out").exists()


def test_events_that_cannot_be_are_refused(call: Call, result: Path) -> None:
    released(call, result)
    Path("other.3mf").write_bytes(b"another guide")
    other = event(call, result, "printed", **(PRINTED | {"file": "other.3mf"}))
    assert (other.code, "found other.3mf, which was not released; discard the print" in other.err) == (4, True)
    assert event(call, result, "printed", **(PRINTED | {"file": "none.3mf"})).code == 2
    assert event(call, result, "printed", lot="no lot", **PRINTED).code == 2
    unlabelled = event(call, result, "printed", lot=PLAN_HASH, **PRINTED)
    assert (unlabelled.code, f"put the next label on the print: {LOT}, {OTHER_LOT}," in unlabelled.err) == (4, True)
    assert event(call, result, "sterilised", cycle="steam", load="1").code == 4
    assert event(call, result, "printed", **PRINTED).code == 0
    assert event(call, result, "printed", **PRINTED).code == 4
    for failed in (
        {"pin_1_hole": False},
        {"no_crack,_no_warp": False},
        {"calliper_faces": 20.5},
        {"sleeve-1_bore": 8.0},
    ):
        assert "is inspected and failed" in event(call, result, "inspected", measures=sheet(**failed)).out
    assert event(call, result, "sterilised", cycle="steam", load="1").code == 4
    assert "is discarded" in event(call, result, "discarded", reason="The hole is too wide.").out


def line_of(form: dict[str, Any], name: str) -> dict[str, Any]:
    return next(line for line in form["lines"] if line["name"].startswith(name))


def drop_line(form: dict[str, Any]) -> None:
    form["lines"].pop()


def widen(form: dict[str, Any]) -> None:
    line_of(form, "calliper faces")["over_mm"] = 3.0


def leave_open(form: dict[str, Any]) -> None:
    for name, answer in (("calliper", "measured_mm"), ("pin 1", "no_go_stays_out"), ("weight", "measured_g")):
        line_of(form, name)[answer] = None


def take_a_length_for_a_pin(form: dict[str, Any]) -> None:
    line_of(form, "pin 1")["go_goes_in"] = 2.1
    line_of(form, "calliper faces")["measured_mm"] = True


def of_another(form: dict[str, Any]) -> None:
    form["plan_hash"] = "00000000"


def of_another_lot(form: dict[str, Any]) -> None:
    form["lot"] = OTHER_LOT


def below_nothing(form: dict[str, Any]) -> None:
    line_of(form, "calliper faces")["measured_mm"] = -1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (drop_line, "expected the inspection sheet of Z019L-left/r001 as it was released, found another in filled"),
        (widen, "as it was released, found another in filled.json; copy the inspection.json of its release"),
        (leave_open, "none for 'calliper faces', 'weight of 23.33 cm³ at 0.93 g/cm³', 'pin 1 hole'; "),
        (take_a_length_for_a_pin, "found none for 'calliper faces', 'pin 1 hole'; inspect it"),
        (of_another, "expected the inspection sheet of Z019L-left/r001 as it was released"),
        (of_another_lot, f"expected the sheet of lot {LOT}, found that of '{OTHER_LOT}'"),
        (below_nothing, "found none for 'calliper faces'; inspect it"),
        (dict.clear, "expected a filled-in inspection.json in filled.json, found: KeyError"),
    ],
)  # fmt: skip
def test_a_sheet_that_was_altered_is_no_inspection(
    call: Call, result: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    released(call, result)
    event(call, result, "printed", **PRINTED)
    form = json.loads(sheet().read_text())
    change(form)
    Path("filled.json").write_text(json.dumps(form))
    left = event(call, result, "inspected", measures="filled.json")
    assert (left.code, said in left.err) == (2, True), left.err
    assert event(call, result, "inspected", measures="none.json").code == 2


def test_a_sheet_may_be_written_by_another_program(call: Call, result: Path) -> None:
    """Other order and indent, 20 for 20.0: the same sheet."""
    released(call, result)
    assert "which is not printed" in event(call, result, "inspected", measures=sheet()).err
    event(call, result, "printed", **PRINTED)
    text = json.dumps(dict(reversed(json.loads(sheet().read_text()).items())), indent=4)
    Path("filled.json").write_text(text.replace('"nominal_mm": 20.0', '"nominal_mm": 20'))
    assert "is inspected and passed" in event(call, result, "inspected", measures="filled.json").out


def test_verifying_needs_a_key(call: Call, result: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released(call, result)
    without = call("verify", "out")
    assert (without.code, "Missing option '--key'" in without.err) == (2, True)
    assert call("verify", "out", "--key", "none.pem").code == 2
    assert call("verify", "none", "--key", "ann.pem").code == 2
    other = call("verify", "out", "--key", "bora.pem")
    assert (other.code, "which is none of those given" in other.err) == (4, True)
    monkeypatch.setenv("GUIDEGEN_KEY", "ann.pem")
    assert call("verify", "out").code == 0


def test_verifying_starts_without_the_libraries_of_the_review() -> None:
    heavy = ("sqlalchemy", "alembic", "pydantic", "numpy", "SimpleITK", "typst")
    code = (
        f"import sys, guidegen.cli, guidegen.release.verify; print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_password_is_said_or_taken_from_the_command_line(call: Call, result: Path) -> None:
    left = released(call, result)
    assert PASSWORD not in left.out + left.err
    for command in ("submit", "approve", "release"):
        refused = call(command, result, "--user", "ann", "--password", PASSWORD)
        assert (refused.code, "No such option" in refused.err) == (2, True)
