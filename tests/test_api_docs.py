"""The examples in docs/api.md run as they are printed, one after the other."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from finished import Finished, read

import guidegen
import guidegen.pipeline

PAGE = Path(__file__).resolve().parents[1] / "docs" / "api.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def names(done: Finished, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the examples have named by the end of the page, run beside a case whose result is there already."""
    folder = tmp_path_factory.mktemp("api")
    shutil.copytree(done.case.parent, folder, dirs_exist_ok=True)
    shutil.copytree(done.output, folder / "output")
    found: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for number, block in enumerate(BLOCKS, start=1):
            exec(compile(block, f"{PAGE.name}, example {number}", "exec"), found)
    return found


def test_the_page_has_its_examples() -> None:
    assert len(BLOCKS) == 6
    shown = "\n".join(BLOCKS)
    for name in ("load_case", "plan_case", "run", "read_inputs", "label_surface", "find_anatomy", "measure_lesion",
                 "register_femur", "ground_of", "through_centroid", "make_guide", "check_result"):  # fmt: skip
        assert re.search(rf"\b{name}\(", shown), name


def test_what_the_package_offers_can_be_called_whatever_was_imported_before() -> None:
    for name in set(guidegen.__all__) - {"__version__"}:
        assert callable(getattr(guidegen, name)), name


def test_the_whole_case_is_the_result_that_was_there(names: Any, done: Finished) -> None:
    assert names["result"].passed
    assert names["result"].unchanged
    assert names["result"].findings == done.result.findings
    assert names["finding"].name


def test_the_plan_alone_is_that_of_the_result(names: Any, done: Finished) -> None:
    (tunnel,) = read(done.result.folder / "plan.json")["tunnels"]
    np.testing.assert_allclose(names["planned"].tunnels[0].entry_mm, tunnel["entry_mm"], atol=1e-6)
    assert "refusal" not in names


def test_the_stages_make_the_same_guide_as_a_whole_run(names: Any, done: Finished) -> None:
    plan = read(done.result.folder / "plan.json")
    np.testing.assert_allclose(names["anatomy"].head_center_mm, plan["anatomy"]["head_center_mm"], atol=1e-6)
    np.testing.assert_allclose(names["lesion"].centroid_mm, plan["lesion"]["centroid_mm"], atol=1e-6)
    np.testing.assert_allclose(names["tunnel"].target_mm, plan["tunnels"][0]["target_mm"], atol=1e-6)
    assert names["guide"].contact_area_mm2 == pytest.approx(plan["guide"]["contact_area_mm2"], abs=1e-6)
    assert names["gap_mm"].min() > 0.0
    assert "registration" not in names
