"""A print file that holds more than its body, or says that it is another's."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guidegen.check.print_form import print_form_findings
from guidegen.results import sha256
from guidegen.surfaces import Surface
from guidegen.threemf import threemf_bytes, travels_in

MODEL = "3D/3dmodel.model"
GUIDE, TRIAL = "print file beside its body", "trial bone print file beside its body"
Change = Callable[[str], str]


def body() -> Surface:
    return Surface(np.vstack([np.zeros(3), np.eye(3)]), [[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])


@pytest.fixture
def folder(tmp_path: Path, hip) -> Path:
    """A result folder as far as its print files go."""
    plan = hip.plan()
    (tmp_path / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    plan_sha256 = sha256((tmp_path / "plan.json").read_bytes())
    for stem, what in (("guide", "drill guide"), ("trial_bone", "trial bone")):
        (tmp_path / f"{stem}.stl").write_bytes(stem.encode())
        texts = travels_in(plan, what, plan_sha256, sha256(stem.encode()))
        (tmp_path / f"{stem}.3mf").write_bytes(threemf_bytes(body(), texts))
    return tmp_path


def differing(folder: Path, plan: dict[str, Any]) -> dict[str, float | None]:
    findings = print_form_findings(folder, plan)
    assert all(finding.passed == (finding.measured == 0) for finding in findings)
    return {finding.name: finding.measured for finding in findings}


def repacked(path: Path, change: Change, **more: str) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, change(content.decode()) if name == MODEL else content)
        for name, text in more.items():
            archive.writestr(name, text)


def with_transform(numbers: str) -> Change:
    return lambda model: model.replace("<item ", f'<item transform="{numbers}" ')


def twice(model: str) -> str:
    return re.sub(r"(<item [^>]*/>)", r"\1\1", model)


def in_a_component(model: str) -> str:
    turned = '<object id="9" type="model"><components><component objectid="1"/></components></object></resources>'
    return model.replace("</resources>", turned).replace('<item objectid="1"', '<item objectid="9"')


def coloured(model: str) -> str:
    return re.sub(r'(<triangle v1="\d+" v2="\d+" v3="\d+")', r'\1 pid="1"', model, count=1)


def test_what_our_writer_writes_passes(folder, hip) -> None:
    assert differing(folder, hip.plan()) == {GUIDE: 0, TRIAL: 0}


@pytest.mark.parametrize("file", ["guide.3mf", "trial_bone.3mf"])
@pytest.mark.parametrize(
    "change",
    [
        with_transform("-1 0 0 0 1 0 0 0 1 60 0 0"),
        with_transform("1.02 0 0 0 1.02 0 0 0 1.02 0 0 0"),
        with_transform("1 0 0 0 -1 0 0 0 -1 0 60 60"),
        twice,
        lambda model: re.sub(r"<item [^>]*/>", "", model),
        in_a_component,
        coloured,
        lambda model: model.replace('unit="millimeter"', 'unit="inch"'),
        lambda model: model.replace(">left<", ">right<"),
        lambda model: model.replace(">r001<", ">r002<"),
        lambda model: model.replace(">case-1<", ">case-2<"),
        lambda model: re.sub(r">[0-9a-f]{64}<", f">{64 * '0'}<", model, count=1),
    ],
)  # fmt: skip
def test_anything_else_is_found(folder, hip, file, change) -> None:
    repacked(folder / file, change)
    found = differing(folder, hip.plan())
    assert [name for name, count in found.items() if count] == [GUIDE if file == "guide.3mf" else TRIAL]


def test_a_further_part_is_found_and_named(folder, hip) -> None:
    repacked(folder / "guide.3mf", str, **{"Metadata/Slic3r_PE.config": "; post_process = rm"})
    finding = print_form_findings(folder, hip.plan())[0]
    assert (finding.measured, finding.passed) == (1, False)
    assert finding.why.endswith("It differs in: Metadata/Slic3r_PE.config.")


@pytest.mark.parametrize("content", [None, b"no archive", b"PK\5\6" + bytes(18)])
def test_no_3mf_is_no_print_file(folder, hip, content) -> None:
    (folder / "guide.3mf").unlink()
    if content is not None:
        (folder / "guide.3mf").write_bytes(content)
    assert differing(folder, hip.plan())[GUIDE] != 0


def test_of_a_rejected_guide_only_the_trial_bone_is_printed(folder, hip) -> None:
    (folder / "guide.stl").rename(folder / "rejected.stl")
    (folder / "guide.3mf").unlink()
    assert differing(folder, hip.plan()) == {TRIAL: 0}
