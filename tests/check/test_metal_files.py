"""The files of the metal parts: each is told from those of another part, of another guide, and from none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from guidegen.check.finding import Finding
from guidegen.check.metal import FIGURES, FOLDER, metal_findings
from guidegen.guide.metal import MetalSleeve, Reducer, StopCollar, Whose
from guidegen.guide.metal_files import metal_files

SLEEVE = MetalSleeve.around(8.0, 0.05, 1.5, 36.0, (17.0, 2.0))
PLAIN, SPLIT = (StopCollar.on(8.0, 0.1, is_split) for is_split in (False, True))
WHOSE = Whose("CASE-1", "left", "r001", "1a2b3c4d")
FILES = ("STEP", "drawing", "figures")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path, SLEEVE, SPLIT)
    return tmp_path


def put(folder: Path, sleeve: MetalSleeve, stop: StopCollar, whose: Whose = WHOSE, only: str = "") -> None:
    """Write the files of a sleeve and a collar, or those alone whose names begin so."""
    (folder / FOLDER).mkdir(exist_ok=True)
    for name, content in metal_files({"sleeve-1": sleeve, "stop-collar": stop}, whose).items():
        if name.startswith(only):
            (folder / FOLDER / name).write_bytes(content)


def found(hip: Any, folder: Path) -> dict[str, Finding]:
    def metal(plan: dict[str, Any]) -> None:
        plan["case_id"] = "CASE-1"
        plan["guide"]["sleeves"][0] |= {
            "kind": "metal",
            "metal": {
                "inner_diameter_mm": 8.05, "outer_diameter_mm": 11.05, "length_mm": 36.0, "flange_diameter_mm": 17.0,
                "flange_height_mm": 2.0,
            },
        }  # fmt: skip

    return {finding.name.removesuffix(" off plan"): finding for finding in metal_findings(hip.asked(metal), folder)}


@pytest.mark.parametrize("stop", [PLAIN, SPLIT], ids=["set screw", "split"])
def test_the_files_as_written_are_the_parts_of_the_plan(hip, folder: Path, stop: StopCollar) -> None:
    put(folder, SLEEVE, stop)
    findings = found(hip, folder)
    assert list(findings) == [f"{part} {file}" for part in ("sleeve 1 metal", "stop collar") for file in FILES]
    assert all(finding.passed and finding.measured == pytest.approx(0.0, abs=1e-5) for finding in findings.values())


def test_the_reducer_and_the_collar_of_a_guide_wire_are_measured_too(hip, tmp_path: Path) -> None:
    def with_wire(plan: dict[str, Any]) -> None:
        within = {"drill_diameter_mm": 3.2, "inner_diameter_mm": 3.3, "outer_diameter_mm": 8.1, "length_mm": 36.0}
        plan["guide"]["sleeves"][0] |= {
            "bore_mm": 8.2, "reducer": within | {"flange_height_mm": 2.0}, "wire_reading_mm": 121.0,
        }  # fmt: skip
        plan["guide"] |= {"wire_stop_collar": {"bore_mm": 3.3, "height_mm": 10.0}}
        plan["case_id"] = "CASE-1"

    parts = {
        "reducer-1": Reducer(3.2, 3.3, 8.1, 36.0, 12.1, 2.0, 8.2), "stop-collar": SPLIT,
        "wire-stop-collar": StopCollar.on(3.2, 0.1, is_split=False),
    }  # fmt: skip
    (tmp_path / FOLDER).mkdir()
    for name, content in metal_files(parts, WHOSE).items():
        (tmp_path / FOLDER / name).write_bytes(content)
    findings = metal_findings(hip.asked(with_wire), tmp_path)
    names = [f"{part} {file} off plan" for part in ("reducer 1", "stop collar", "wire stop collar") for file in FILES]
    assert [finding.name for finding in findings] == names
    assert all(finding.passed for finding in findings)


@pytest.mark.parametrize(
    ("file", "fails"),
    [("stop-collar.step", "STEP"), ("stop-collar.dxf", "drawing"), (FIGURES, "figures")],
)
@pytest.mark.parametrize("change", [{"bore_mm": 8.15}, {"height_mm": 10.05}], ids=["bore", "height"])
def test_another_collar_is_off_by_as_much_in_its_file_alone(hip, folder: Path, file, fails, change) -> None:
    put(folder, SLEEVE, replace(SPLIT, outer_diameter_mm=22.0, **change), only=file)
    failed = {name: finding for name, finding in found(hip, folder).items() if not finding.passed}
    assert list(failed) == [f"stop collar {fails}"]
    assert failed[f"stop collar {fails}"].measured == pytest.approx(0.05, abs=1e-5)


def test_the_sleeve_of_another_size_is_off_by_as_much(hip, folder: Path) -> None:
    put(folder, replace(SLEEVE, length_mm=31.0), SPLIT)
    failed = {name: finding.measured for name, finding in found(hip, folder).items() if not finding.passed}
    assert failed == {f"sleeve 1 metal {file}": pytest.approx(5.0, abs=1e-5) for file in FILES}


@pytest.mark.parametrize(
    "change", [{"case_id": "CASE-10"}, {"side": "right"}, {"revision": "r0011"}, {"plan_hash": "1a2b3c4e"}]
)
def test_a_part_of_another_guide_is_not_measured(hip, folder: Path, change: dict[str, str]) -> None:
    put(folder, SLEEVE, SPLIT, replace(WHOSE, **change))
    for finding in found(hip, folder).values():
        assert (finding.measured, finding.passed) == (None, False)
        assert "not for CASE-1 LEFT hip r001 1a2b3c4d. A part" in finding.why


def test_a_dimension_that_states_another_bore_than_is_drawn_is_found(hip, folder: Path) -> None:
    import ezdxf

    path = folder / FOLDER / "stop-collar.dxf"
    drawing = ezdxf.readfile(path)
    for dimension in drawing.modelspace().query("DIMENSION"):
        if dimension.get_measurement() == pytest.approx(8.1):
            dimension.dxf.defpoint2 = dimension.dxf.defpoint2 - ezdxf.math.Vec3(0.0, 0.4)
    drawing.saveas(path)
    finding = found(hip, folder)["stop collar drawing"]
    assert (finding.measured, finding.passed) == (pytest.approx(0.4, abs=1e-5), False)


@pytest.mark.parametrize("content", [None, b"", b"ISO-10303-21; sleeve", b"{}", b"0\nSECTION\n"])
def test_what_cannot_be_read_is_not_measured_and_says_nothing_itself(
    hip, folder: Path, content: bytes | None, capfd: pytest.CaptureFixture[str]
) -> None:
    for path in (folder / FOLDER).iterdir():
        path.unlink()
        if content is not None:
            path.write_bytes(content)
    for finding in found(hip, folder).values():
        assert (finding.measured, finding.passed) == (None, False)
        assert finding.why.startswith("Not measured: there ")
    assert capfd.readouterr() == ("", "")


def test_figures_that_are_none_are_not_measured(hip, folder: Path) -> None:
    path = folder / FOLDER / FIGURES
    figures = json.loads(path.read_text())
    del figures["parts"]["stop-collar"]
    path.write_text(json.dumps(figures))
    assert [name for name, finding in found(hip, folder).items() if not finding.passed] == ["stop collar figures"]
