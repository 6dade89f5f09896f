"""One hip stored in every way: how far masks, landmarks and plans come apart.

    python benchmarks/orientations.py

What is compared is said in tests/intake/test_orientations.py. A grid along the patient's axes, and 20 oblique to them,
are each stored in four formats: the first in all 48 orders and directions of its axes, the others in one of them drawn
by chance. Leaves with 1 where the same grid does not give the same landmarks to 0.01 mm and the same plan to 0.05 mm.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "intake"))

from series_files import stored_ways
from stored_cases import FORMATS, hip, oblique_hip, turns, write_stored

from guidegen import pipeline
from guidegen.bone.anatomy import Anatomy, find_anatomy
from guidegen.bone.surface import label_surface
from guidegen.case import load_case
from guidegen.intake.inputs import Inputs, read_inputs
from guidegen.phantom import make_hip
from guidegen.volumes import Volume

SAME_MM, SAME_PLAN_MM = 0.01, 0.05
LANDMARKS = (
    *("head_center_mm", "neck_isthmus_center_mm", "shaft_point_mm"),
    *("lesser_trochanter_mm", "greater_trochanter_mm", "vastus_ridge_mm"),
)
PLANNED = ("entry_mm", "target_mm", "wall_min_mm", "subchondral_mm")
PLANS = ((".nii.gz", 3), (".nii.gz", 20), (".nrrd", 29), (".mha", 38), (".dcm", 11), (".dcm", 47))


@contextmanager
def stored(labels: Volume, way: int, ending: str) -> Iterator[Path]:
    """The case file of the labels stored in one of the 48 ways."""
    with tempfile.TemporaryDirectory() as name:
        yield write_stored(list(stored_ways(labels))[way], Path(name) / "case", ending)


def anatomy_of(inputs: Inputs) -> Anatomy:
    assert isinstance(inputs.femur, Volume)
    return find_anatomy(label_surface(inputs.femur).surface, "left")


def read(labels: Volume, way: int, ending: str) -> Inputs:
    with stored(labels, way, ending) as case:
        return read_inputs(load_case(case))


def apart_mm(one: object, other: object, names: tuple[str, ...]) -> float:
    """The furthest that these points or lengths are apart."""
    return max(float(np.linalg.norm(np.subtract(getattr(one, name), getattr(other, name)))) for name in names)


def same_mask(one: Inputs, other: Inputs) -> bool:
    """Whether femur and lesion are the same voxels."""
    pairs = ((one.femur, other.femur), (one.lesion, other.lesion))
    return all(isinstance(a, Volume) and isinstance(b, Volume) and np.array_equal(a.voxels, b.voxels) for a, b in pairs)


def straight() -> bool:
    first = read(hip(), 0, ".nrrd")
    truth, sound = anatomy_of(first), True
    print("a grid along the patient's axes, stored in 48 ways:")
    for ending in FORMATS:
        found = [read(hip(), way, ending) for way in range(48)]
        masks = sum(same_mask(first, each) for each in found)
        worst_mm = max(apart_mm(anatomy_of(each), truth, LANDMARKS) for each in found)
        sound &= masks == 48 and worst_mm <= SAME_MM
        print(f"  {ending:<8} {masks} of 48 masks the same; landmarks {worst_mm:.2g} mm apart at most", flush=True)
    return sound


def oblique() -> bool:
    phantom, worst = make_hip("left").truth, dict.fromkeys(FORMATS, 0.0)
    off_mm: dict[str, list[float]] = {name: [] for name in LANDMARKS}
    for number, turn in enumerate(turns()):
        labels = oblique_hip(turn)
        first = anatomy_of(read(labels, 0, ".nrrd"))
        for shift, ending in enumerate(FORMATS):
            found = anatomy_of(read(labels, (7 * number + 13 * shift + 5) % 48, ending))
            worst[ending] = max(worst[ending], apart_mm(found, first, LANDMARKS))
        for name in LANDMARKS:
            off_mm[name].append(apart_mm(first, phantom, (name,)))
    print(f"{len(turns())} oblique grids of 1.5 mm, each stored in another way:")
    for ending, worst_mm in worst.items():
        print(f"  {ending:<8} landmarks {worst_mm:.2g} mm apart at most")
    straight_grid = anatomy_of(read(oblique_hip(np.eye(3)), 0, ".nrrd"))
    print(f"  {'off the truth, mm':<28}{'median':>8}{'worst':>8}{'of a straight grid':>20}")
    for name, values in off_mm.items():
        straight = apart_mm(straight_grid, phantom, (name,))
        print(f"  {name:<28}{np.median(values):>8.2f}{max(values):>8.2f}{straight:>20.2f}")
    return max(worst.values()) <= SAME_MM


def plans() -> bool:
    def planned(way: int, ending: str) -> pipeline.Planned:
        with stored(hip(), way, ending) as case:
            return pipeline.plan_case(case, case.parent / "out")

    first, sound = planned(0, ".nrrd"), True
    print("whole plans:")
    for ending, way in PLANS:
        found_mm = apart_mm(planned(way, ending).tunnels[0], first.tunnels[0], PLANNED)
        sound &= found_mm <= SAME_PLAN_MM
        print(f"  {ending:<8} way {way:<3} {found_mm:.2g} mm apart", flush=True)
    return sound


def main() -> int:
    sound = straight()
    sound &= oblique()
    sound &= plans()
    print("the same" if sound else "NOT THE SAME")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
