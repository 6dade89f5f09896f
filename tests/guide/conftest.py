"""One made-up hip with its tunnel and its guide, for every test that needs a real one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from finished import once
from planned_hip import Planned

from guidegen.bone.anatomy import find_anatomy
from guidegen.bone.surface import label_surface
from guidegen.guide.guide import Guide
from guidegen.keep_out import NOTHING, KeepOut
from guidegen.lesion.lesion import measure_lesion
from guidegen.packed import packed, unpacked
from guidegen.phantom import label_volume, make_hip
from guidegen.plan.hip import Hip
from guidegen.plan.rules import Rules
from guidegen.plan.sleeve_sizes import SleeveSizes
from guidegen.plan.strategies import ground_of, through_centroid
from guidegen.plan.templates import GuideTemplate, Kit, Printer, load_template

SPACING_MM = (1.2, 1.2, 1.5)

Build = Callable[..., Guide]


@pytest.fixture(scope="session")
def planned() -> Planned:
    """A made-up left hip with its tunnel. Its shape knows one size, since every other is searched for a seat too."""
    hip = make_hip("left")
    femur, dead = (label_volume(hip, SPACING_MM, labels={name: 1}) for name in ("femur", "lesion"))
    bone = label_surface(replace(femur, voxels=femur.voxels > 0))
    anatomy = find_anatomy(bone.surface, "left")
    lesion = measure_lesion(replace(dead, voxels=dead.voxels > 0), None, bone.surface, anatomy)
    kit, template, printer = (
        load_template(kind, name)[0] for kind, name in ((Kit, "core-8"), (GuideTemplate, "lateral"), (Printer, "sla"))
    )
    template = template.model_copy(update={"sizes": {"M": template.sizes["M"]}})
    sizes = SleeveSizes.of(kit, template, printer)
    hip = Hip(
        bone=bone.surface, anatomy=anatomy, lesion=lesion, kit=kit, rules=Rules(), sleeve_bore_mm=sizes.hole_mm,
        guided_length_mm=template.sleeve.guided_for(kit) + sizes.flange_height_mm,
    )  # fmt: skip
    return Planned(bone, anatomy, through_centroid(ground_of(hip)).tunnels[0], kit, template, printer)


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The guide of size M for a hip, each made once under its name for all workers."""

    def make(name: str, planned: Planned, keep_out: KeepOut = NOTHING) -> Guide:
        def write(folder: Path) -> None:
            folder.mkdir()
            (folder / "guide.npz").write_bytes(packed(planned.guide(keep_out=keep_out)))

        return unpacked(Guide, (once(tmp_path_factory, name, write) / "guide.npz").read_bytes())

    return make


@pytest.fixture(scope="session")
def guide(build: Build, planned: Planned) -> Guide:
    """The guide of size M for the made-up hip."""
    return build("guide", planned)
