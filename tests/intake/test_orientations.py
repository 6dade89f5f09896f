"""However one hip is stored, it is the same bone with the same lesion, the same landmarks and the same plan.

Two things are compared, and neither is asked of the other:

- One grid of voxels, stored in all 48 orders and directions of its axes, in four formats: masks are equal voxel by
  voxel, their places, and the landmarks found on them, to 0.01 mm, whole plans to 0.05 mm. This holds for grids along
  the patient's axes as for 20 grids oblique to them.
- One hip, sampled on grids in other directions, which are other voxels: its landmarks can only be as good as the
  sampling. They are held against the truth of the phantom, as those of a straight grid are.

Landmarks and plans from all of them are computed by `benchmarks/orientations.py`; here are a few.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from series_files import stored_ways
from stored_cases import FORMATS, OBLIQUE, hip, oblique_hip, tiny, turns, write_stored

from guidegen import pipeline
from guidegen.bone.anatomy import Anatomy
from guidegen.case import load_case
from guidegen.intake.inputs import read_inputs
from guidegen.phantom import make_hip
from guidegen.volumes import Volume

SAME_MM, SAME_PLAN_MM = 0.01, 0.05
LANDMARKS = [field.name for field in fields(Anatomy) if field.name.endswith("_mm")]


def masks(case: Path) -> tuple[Volume, Volume, Volume]:
    inputs = read_inputs(load_case(case))
    assert isinstance(inputs.femur, Volume)
    assert isinstance(inputs.lesion, Volume)
    assert inputs.pelvis is not None
    return inputs.femur, inputs.pelvis, inputs.lesion


def assert_same(found: Volume, truth: Volume) -> None:
    assert np.array_equal(found.voxels, truth.voxels)
    ends = np.array([np.zeros(3), truth.voxels.shape, [truth.voxels.shape[0], 0, 0], [0, truth.voxels.shape[1], 0]])
    np.testing.assert_allclose(found.to_lps(ends), truth.to_lps(ends), atol=SAME_MM, rtol=0.0)


@pytest.mark.parametrize("ending", FORMATS)
def test_all_48_ways_to_store_a_case(ending: str, tmp_path: Path) -> None:
    truth = masks(write_stored(tiny(), tmp_path / "truth", ".nrrd"))
    assert [int(mask.voxels.sum()) for mask in truth] == [
        int(np.isin(tiny().voxels, of).sum()) for of in ([1, 3], 2, 3)
    ]
    ways = list(stored_ways(tiny()))
    assert len(ways) == 48
    for number, stored in enumerate(ways):
        for found, true in zip(masks(write_stored(stored, tmp_path / str(number), ending)), truth, strict=True):
            assert_same(found, true)


@pytest.mark.parametrize("ending", FORMATS)
def test_20_oblique_grids_each_stored_in_another_way(ending: str, tmp_path: Path) -> None:
    """The same voxels under a turned header lie where the turn brings them."""
    assert len(turns()) == OBLIQUE
    for number, turn in enumerate(turns()):
        labels = tiny(turn)
        stored = list(stored_ways(labels))[(7 * number + 5) % 48]
        femur, _, lesion = masks(write_stored(stored, tmp_path / str(number), ending))
        for found, values in ((femur, (1, 3)), (lesion, (3,))):
            true = labels.to_lps(np.argwhere(np.isin(labels.voxels, values)))
            places = found.to_lps(np.argwhere(found.voxels))
            assert len(places) == len(true)
            apart = np.linalg.norm(places[:, None] - true[None], axis=2)
            assert apart.min(axis=0).max() <= SAME_MM
            assert apart.min(axis=1).max() <= SAME_MM


@cache
def planned(case: Path) -> pipeline.Planned:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "read_contained", read_inputs)
        return pipeline.plan_case(case, case.parent / "out")


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> pipeline.Planned:
    return planned(write_stored(hip(), tmp_path_factory.mktemp("straight") / "case", ".nrrd"))


@pytest.mark.parametrize(("ending", "way"), [(".nii.gz", 13), (".nrrd", 22), (".mha", 35), (".dcm", 46)])
def test_the_same_landmarks_and_the_same_plan(
    ending: str, way: int, straight: pipeline.Planned, tmp_path: Path
) -> None:
    found = planned(write_stored(list(stored_ways(hip()))[way], tmp_path / "case", ending))
    for name in LANDMARKS:
        here, there = getattr(found.assessed.anatomy, name), getattr(straight.assessed.anatomy, name)
        np.testing.assert_allclose(here, there, atol=SAME_MM, rtol=0.0, err_msg=name)
    (here_planned,), (there_planned,) = found.tunnels, straight.tunnels
    for name in ("entry_mm", "target_mm", "wall_min_mm", "subchondral_mm"):
        here, there = getattr(here_planned, name), getattr(there_planned, name)
        np.testing.assert_allclose(here, there, atol=SAME_PLAN_MM, rtol=0.0, err_msg=name)


def test_a_hip_sampled_on_an_oblique_grid(tmp_path: Path) -> None:
    """Its landmarks are those of the phantom, as near as sampling at 1.5 mm allows."""
    truth = make_hip("left").truth
    anatomy = planned(write_stored(oblique_hip(turns()[3]), tmp_path / "case", ".mha")).assessed.anatomy
    assert np.linalg.norm(anatomy.head_center_mm - truth.head_center_mm) < 0.3
    assert abs(anatomy.head_radius_mm - truth.head_radius_mm) < 0.3
    assert abs(anatomy.neck_shaft_angle_deg - truth.neck_shaft_angle_deg) < 2.0
    assert np.linalg.norm(anatomy.lesser_trochanter_mm - truth.lesser_trochanter_mm) < 5.0
