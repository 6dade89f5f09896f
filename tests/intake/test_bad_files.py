"""Every class of bad input is refused by the right error, which says what is wrong, and nothing is written.

`benchmarks/bad_inputs.py` measures the same cases through the command line, with the ones that take seconds.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from bad_files import BAD, HEAVY, OWN, PLAN, READ, Bad
from good_files import GOOD, write_good

from guidegen import pipeline
from guidegen.case import load_case
from guidegen.intake.inputs import read_inputs

COMMAND = Path(sys.executable).with_name("guidegen")

# Mirrored hips, a bomb and a hostile name: what the program itself must refuse.
BY_COMMAND = (
    ("11 left and right swapped", "voxels flipped"),
    ("25 mirrored surfaces", "wound outwards again"),
    ("25 mirrored surfaces", "on its image"),
    ("20 bombs", ".nii.gz of 3 GB behind its voxels"),
)


def of(*steps: str) -> list[Bad]:
    return [bad for bad in BAD if bad.step in steps]


def name_of(bad: Bad) -> str:
    return f"{bad.kind}: {bad.name}"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    write_good(folder)
    return folder


@pytest.mark.parametrize("name", GOOD)
def test_what_bad_cases_are_made_from_is_good(name: str, good: Path) -> None:
    read_inputs(load_case(good / name / "case.toml"))


def test_the_classes_and_how_many_there_are() -> None:
    per_class = Counter(bad.kind for bad in BAD)
    assert [kind.split()[0] for kind in per_class] == [str(number) for number in range(1, 34)]
    assert min(per_class.values()) >= 3
    assert len(BAD) >= 150
    assert len({name_of(bad) for bad in BAD}) == len(BAD)


@pytest.mark.parametrize("bad", of(READ), ids=name_of)
def test_refused_by_reading(bad: Bad, good: Path, tmp_path: Path) -> None:
    case = bad.write(tmp_path / "case", good)
    with pytest.raises(bad.error, match=bad.match) as refusal:
        read_inputs(load_case(case))
    assert type(refusal.value) is bad.error


@pytest.mark.parametrize("bad", of(OWN), ids=name_of)
def test_refused_in_a_process_of_its_own(bad: Bad, good: Path, tmp_path: Path) -> None:
    case = bad.write(tmp_path / "case", good)
    with pytest.raises(bad.error, match=bad.match):
        pipeline.plan_case(case, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("bad", of(PLAN), ids=name_of)
def test_refused_by_the_shape_of_the_bone(
    bad: Bad, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "read_contained", read_inputs)
    case = bad.write(tmp_path / "case", good)
    with pytest.raises(bad.error, match=bad.match):
        pipeline.plan_case(case, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("bad", [bad for bad in BAD if (bad.kind, bad.name) in BY_COMMAND], ids=name_of)
def test_refused_by_the_program(bad: Bad, good: Path, tmp_path: Path) -> None:
    case = bad.write(tmp_path / "case", good)
    done = subprocess.run(
        [COMMAND, "plan", case, "--output", tmp_path / "out"], capture_output=True, text=True, check=False, timeout=60
    )
    said = " ".join(done.stderr.split())
    assert done.returncode == 2
    assert re.search(bad.match, said)
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_the_heavy_ones_are_bombs() -> None:
    assert {bad.kind for bad in of(HEAVY)} == {"20 bombs"}
