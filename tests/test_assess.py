"""`guidegen assess`: JSON, table and pictures of a hip, and what an expert overrules in it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from guidegen import cli
from guidegen.phantom import make_hip, write_case

PICTURES = {"coronal.png", "sagittal.png", "polar.png", "axes.png", "acetabular.png"}
OVERRIDES = """
[overrides]
author = "Dr. A"
reason = "a sunken dome"
head_center_mm = [{0}, {1}, {2}]
"""


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    hip = make_hip("right", lesion_depth_mm=1.0)
    return write_case(hip, tmp_path_factory.mktemp("hip"), patient_id="P1", spacing_mm=(1.6, 1.6, 2.0), mr=False)


def assess(case: Path, output: Path, capsys: pytest.CaptureFixture[str]) -> tuple[dict, str]:
    with pytest.raises(SystemExit) as leave:
        cli.main(["assess", str(case), "--output", str(output)])
    said = capsys.readouterr()
    assert leave.value.code == 0, said.err
    folder = output / "P1-right" / "assessment"
    assert {path.name for path in folder.iterdir()} == PICTURES | {"assessment.json"}
    return json.loads((folder / "assessment.json").read_text(encoding="utf-8")), re.sub(r"\s+", " ", said.out)


def test_a_hip_is_assessed_and_an_expert_overrules_it(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, said = assess(case, tmp_path, capsys)
    assert (found["schema"], found["side"], found["overrides"]) == ("guidegen.assessment/1", "right", None)
    assert found["lesion"]["grades"]["classes"]["steinberg"]["value"] in said
    assert "head centre" in said
    assert "do not advise for or against an operation" in said
    assert not list((tmp_path / "P1-right").glob("r0*"))  # no plan, no guide
    center = np.array(found["anatomy"]["head_center_mm"])
    given = center + [0.0, 0.0, 3.0]
    case.write_text(case.read_text(encoding="utf-8") + OVERRIDES.format(*given), encoding="utf-8")
    overruled, said = assess(case, tmp_path, capsys)
    np.testing.assert_allclose(overruled["anatomy"]["head_center_mm"], given, atol=1e-6)
    (value,) = overruled["overrides"]["values"]
    np.testing.assert_allclose(value["computed"], center, atol=1e-6)
    assert value["apart"] == pytest.approx(3.0, abs=1e-6)
    assert "Overruled by Dr. A: head_center_mm by 3.0 mm. The reason given: a sunken dome" in said
    arcs = [each["lesion"]["grades"]["weight_bearing_share_fraction"]["value"] for each in (found, overruled)]
    assert arcs[0] != arcs[1]  # what follows was computed again
