"""Kept stage results: they come back as they were, or are computed anew; nothing damaged is trusted."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

import guidegen
from guidegen.bone.anatomy import Anatomy
from guidegen.bone.surface import Bone, LabelFit
from guidegen.frames import LPS, RigidTransform, rotation_about
from guidegen.guide.fan_parts import FanInsert, FanSocket
from guidegen.guide.guide import Faces, Guide, Hole, Pin, Sleeve
from guidegen.guide.label import Arrow, Label
from guidegen.guide.metal import MetalSleeve, StopCollar
from guidegen.guide.sights import Sight
from guidegen.lesion.lesion import Lesion
from guidegen.lesion.registration import MR, Registration
from guidegen.plan.error_budget import Contribution, ErrorBudget
from guidegen.plan.instruments import InstrumentStep
from guidegen.plan.monte_carlo import Simulated
from guidegen.plan.planning import Plan, Proposal, Ruled, Waiver
from guidegen.plan.rules import Broken
from guidegen.plan.search import Certificate
from guidegen.plan.templates import GuideTemplate, load_template
from guidegen.plan.trade_off import Trade
from guidegen.plan.tunnel import Tunnel
from guidegen.plan.volumes import Piece, Volumes
from guidegen.seat.best_fit import Spread
from guidegen.seat.cells import Cells
from guidegen.seat.footprint import Footprint
from guidegen.seat.seat import GUIDE, Seat
from guidegen.seat.zones import Zones
from guidegen.store import StageStore, build, content_key, write_atomically
from guidegen.surfaces import Surface
from guidegen.threemf import PRINTER

RANDOM = np.random.default_rng(0)
KEY = "0" * 64


def point() -> np.ndarray:
    return RANDOM.normal(0.0, 300.0, 3)


def pose(source: str, target: str) -> RigidTransform:
    return RigidTransform(rotation_about(point(), 33.3), point(), source, target)


def pyramid() -> Surface:
    return Surface(RANDOM.normal(0.0, 300.0, (4, 3)), np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]]))


ANATOMY = Anatomy(
    "left", point(), 24.1, point(), point(), point(), point(), point(), point(), point(), 127.3, 0.1, True
)
REGISTRATION = Registration(pose(MR, LPS), 0.31, 0.72, 0.98, 0.02)
TUNNEL = Tunnel(
    entry_mm=point(), target_mm=point(), diameter_mm=8.0, outline_mm=np.array([[0.0, 0.0], [0.0, 4.0]]),
    wall_min_mm=5.1, vessel_wall_mm=6.2, subchondral_mm=4.2, subchondral_axis_mm=5.9, tool_to_joint_mm=4.2,
    lesion_reached_fraction=0.44,
    lesion_missed_mm=0.0, centroid_distance_mm=1e-9, shaft_angle_deg=131.0, obliquity_deg=47.5,
    off_middle=-0.1, above_lesser_mm=12.0, below_ridge_mm=17.0, sleeve_offset_mm=45.0, depth_reading_mm=140.5,
    drill_spare_mm=59.5, cost=0.25,
)  # fmt: skip
BUDGET = ErrorBudget(
    tip_mean_mm=1.1, tip_p95_mm=2.4, tip_lateral_mean_mm=0.9, tip_lateral_p95_mm=2.1, entry_mean_mm=0.6,
    entry_p95_mm=1.2, angle_mean_deg=0.5, angle_p95_deg=1.1, to_lesion_p95_mm=2.9,
    reaches_lesion=0.997, breaches_cortex=0.0, within_3_mm_of_joint=0.004,
    contributions=(Contribution("the seat", 0.9, 0.7, "assumed"), Contribution("the print", 0.3, 0.3, "measured")),
    dominant="the seat", stop_earlier_mm=None, seat="the built guide's own", seat_shift_rms_mm=0.4,
    seat_turn_rms_deg=0.6,
)  # fmt: skip
PROPOSAL = Proposal(
    strategy="centroid",
    kit="core-8",
    tunnels=(TUNNEL,),
    broken=((Broken("wall_min_mm", 2.75, 3.0, "mm", True),),),
    score=99.5,
    certificate=Certificate(580, 1, 580, 72, 1.0, 1.0, 99.5, 0.03, 0.2, 0.47),
    volumes=Volumes(7238.25, 4100.0, 1500.0, 0.0, 5738.25, 4.1, (Piece(7238.25, 1500.0, 0.0),)),
    budgets=(BUDGET,),
    assumed_budgets=(BUDGET,),
    simulated=(Simulated(100_000, 1.1, 2.4, 0.9, 2.1, 0.6, 1.2, 0.5, 1.1, 2.9, 0.998, 0.0, 0.0041),),
    steps=((InstrumentStep(1, "trephine", "the sleeve", "its stop, set at 140.5 mm", "on"),),),
    warnings=("The tunnel is long.",),
)
PLAN = Plan(
    chosen=PROPOSAL,
    alternatives=(dataclasses.replace(PROPOSAL, strategy="coverage", broken=((),), certificate=None, simulated=()),),
    ruled_out=(Ruled("multiple", "multiple-3.2", "wall_min_mm", "none fits", {"wall_min_mm": 1.5}),),
    trades=(Trade(0.5, 0.6, TUNNEL),),
    waived=(Waiver("wall_min_mm", "thick cortex", "an engineer"),),
    explanation="One tunnel.",
)
LEVELS, TURNS = np.arange(4.0, -4.1, -2.0), np.arange(-10.0, 10.1, 5.0)
GRID = (len(LEVELS), len(TURNS))
ZONES = Zones(
    point(), point(), point(), point(), point(), RANDOM.normal(size=(5, 3)), -57.0,
    load_template(GuideTemplate, "lateral")[0].zones,
)  # fmt: skip
CELLS = Cells(
    LEVELS, TURNS, *(RANDOM.normal(size=(*GRID, 3)) for _ in range(3)), RANDOM.random(GRID),
    RANDOM.integers(0, 8, GRID),
)  # fmt: skip
SEAT = Seat(
    "M", pose(LPS, GUIDE), Footprint(LEVELS, TURNS, RANDOM.random(GRID) > 0.5, ZONES), 1800.5, Spread(0.7, 1.4),
    Spread(1.3, 2.6), 0.8125, RANDOM.random((3, 6)), RANDOM.random((6, 6)),
)  # fmt: skip
METAL = MetalSleeve(8.0, 8.1, 10.1, 36.5, 14.1, 2.0)
LABEL = Label(("T001L", "LEFT"), 4.0, 0.6, False, point(), point(), point(), point(), 24.0, 11.6, 5.9)
PRINTED = Sleeve(0, "printed", 8.2, 14.2, 18.2, 8.2, 8.0, 32.0, point(), point(), 40.0, 30.0, 60.0, None, None, None)
PIN = Pin(point(), point(), 2.2, 7.4, 2.0, 25.0, 150.0, None, 8.0, point(), 33.7)
GUIDE_MADE = Guide(
    surface=pyramid(),
    seat=SEAT,
    cells=CELLS,
    zones=ZONES,
    rim_mm=3.0,
    print_down=point(),
    others=(dataclasses.replace(SEAT, size="S", held_share=0.5),),
    clearance_mm=0.36,
    thickness_mm=4.0,
    contact_area_mm2=1813.25,
    genus=5,
    sleeves=(dataclasses.replace(PRINTED, kind="metal", inner_diameter_mm=10.2, bore_mm=8.1, metal=METAL),),
    socket=None,
    inserts=(),
    stop=StopCollar.on(8.0, 0.1, is_split=True),
    wire_stop=None,
    wire_left_mm=None,
    pins=(PIN, dataclasses.replace(PIN, point_mm=point(), wire_depth_mm=41.5, far_exit_mm=1.0)),
    holes=(Hole("window", point(), point(), 6.0), Hole("probe", point(), point(), 2.0)),
    labels=(LABEL,),
    arrows=(Arrow("ANT", point(), point()),),
    pointer=Sight(point(), point()),
    has_pointer=True,
    axis_mark_mm=RANDOM.normal(size=(2, 3)),
    calliper=Faces(point(), point(), point(), 20.0),
)
VALUES = {
    "bone": Bone(pyramid(), LabelFit(0.03, 0.18, 0.44, 0.04, 2, 12.5, 0.0)),
    "bone that came as a surface": Bone(pyramid(), None),
    "anatomy": ANATOMY,
    "lesion": Lesion(7238.25, point(), 0.125, RANDOM.random((50, 3)), pyramid(), None),
    "lesion of an MR": Lesion(7238.25, point(), 0.125, RANDOM.random((50, 3)), pyramid(), REGISTRATION),
    "tunnel": TUNNEL,
    "plan": PLAN,
    "plan with nothing chosen": dataclasses.replace(PLAN, chosen=None, waived=()),
    "guide": GUIDE_MADE,
    "guide of a fan": dataclasses.replace(
        GUIDE_MADE,
        sleeves=(),
        socket=FanSocket(point(), point(), 8.0, 30.0, 5.5, 7.5, 0.15, 1.5),
        inserts=(
            FanInsert(0, pyramid(), pose(LPS, PRINTER), 3.4, 3.2, 32.0, point(), 12.0, 40.0, 130.5, 30.0, 60.0, LABEL),
        ),
        wire_left_mm=3.2,
    ),
    "guide of little": dataclasses.replace(
        GUIDE_MADE, sleeves=(PRINTED,), pins=(), holes=(), others=(), arrows=(), pointer=None, calliper=None
    ),
}


def assert_same(found: Any, value: Any) -> None:
    """Equal to the last bit, and of the same types all through."""
    assert type(found) is type(value)
    if isinstance(value, np.ndarray):
        assert found.dtype == value.dtype
        assert found.shape == value.shape
        assert found.tobytes() == value.tobytes()
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            assert_same(getattr(found, field.name), getattr(value, field.name))
    elif isinstance(value, tuple):
        assert len(found) == len(value)
        for one, other in zip(found, value, strict=True):
            assert_same(one, other)
    elif isinstance(value, BaseModel):
        assert found.model_dump() == value.model_dump()
    else:
        assert found == value


def never() -> Any:
    raise AssertionError("computed although it was kept")


def kept(folder: Path, value: Any, key: str = KEY) -> Path:
    """The file that the value was kept in."""
    store = StageStore(folder)
    assert store.reuse(type(value), key, lambda: value) is value
    store.keep()
    return folder / f"{key}.npz"


# --- round trips ---


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_every_stage_value_comes_back_as_it_was(tmp_path: Path, value: Any) -> None:
    kept(tmp_path, value)
    assert_same(StageStore(tmp_path).reuse(type(value), KEY, never), value)


def test_the_same_value_is_the_same_bytes(tmp_path: Path) -> None:
    first, second = kept(tmp_path / "a", GUIDE_MADE), kept(tmp_path / "b", GUIDE_MADE)
    assert first.read_bytes() == second.read_bytes()


def test_nothing_that_could_run_is_stored_or_loaded(tmp_path: Path) -> None:
    path = kept(tmp_path, TUNNEL)
    body = path.read_bytes()[32:]
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        assert all(arrays[name].dtype.kind in "fiub" for name in arrays.files)


# --- damage ---


def damaged(content: bytes) -> Iterator[tuple[str, bytes]]:
    for size in (0, 10, 32, 33, len(content) // 2, len(content) - 1):
        yield f"cut to {size} bytes", content[:size]
    for place in (0, 31, 32, 40, len(content) // 3, len(content) // 2, len(content) - 1):
        yield f"bit flipped at {place}", content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]
    yield "grown", content + b"\0"
    yield "another file", b"PK\x03\x04" + bytes(100)
    other = b"no archive at all"
    yield "another file that says so itself", hashlib.sha256(other).digest() + other


@pytest.mark.parametrize("value", [TUNNEL, VALUES["bone"]], ids=["tunnel", "bone"])
def test_a_damaged_file_is_computed_anew_and_replaced(tmp_path: Path, value: Any) -> None:
    path = kept(tmp_path, value)
    whole = path.read_bytes()
    for what, content in damaged(whole):
        path.write_bytes(content)
        store, asked = StageStore(tmp_path), []
        found = store.reuse(type(value), KEY, lambda: asked.append(what) or value)  # noqa: B023
        assert asked == [what]
        assert found is value
        store.keep()
        assert path.read_bytes() == whole, what


def test_the_file_of_another_stage_is_not_taken_for_this_one(tmp_path: Path) -> None:
    kept(tmp_path, TUNNEL)
    assert StageStore(tmp_path).reuse(Anatomy, KEY, lambda: ANATOMY) is ANATOMY


# --- when it is written ---


def test_nothing_is_written_before_it_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "output" / ".stages"
    store = StageStore(folder)
    store.reuse(Tunnel, KEY, lambda: TUNNEL)
    assert not (tmp_path / "output").exists()
    store.keep()
    assert [path.name for path in folder.iterdir()] == [f"{KEY}.npz"]
    (folder / f"{KEY}.npz").unlink()
    store.keep()  # what was kept is not kept again
    assert list(folder.iterdir()) == []


def test_a_stage_that_fails_leaves_nothing(tmp_path: Path) -> None:
    store = StageStore(tmp_path / "stages")
    with pytest.raises(ValueError, match="no such bone"):
        store.reuse(Tunnel, KEY, lambda: int("no such bone"))
    store.keep()
    assert not (tmp_path / "stages").exists()


# --- keys ---


def test_a_key_is_made_of_all_its_parts() -> None:
    parts = ["plan", {"a": 1, "b": [1.5, None]}]
    assert content_key(*parts) == content_key("plan", {"b": [1.5, None], "a": 1})
    others = [["guide", parts[1]], ["plan", {"a": 2, "b": [1.5, None]}], ["plan", {"a": 1, "b": [1.5, 0]}], ["plan"]]
    assert len({content_key(*parts), *(content_key(*other) for other in others)}) == 5


def test_a_key_of_numbers_that_are_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        content_key("plan", float("nan"))


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A stand-in for the program's own source."""
    (tmp_path / "bone").mkdir()
    (tmp_path / "__init__.py").write_text("one")
    (tmp_path / "bone" / "head.py").write_text("two")
    monkeypatch.setattr(guidegen, "__file__", str(tmp_path / "__init__.py"))
    build.cache_clear()
    yield tmp_path
    build.cache_clear()


def test_a_changed_program_trusts_no_older_stage(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [content_key("bone")]

    def add_key() -> None:
        build.cache_clear()
        keys.append(content_key("bone"))

    (source / "bone" / "head.py").write_text("two ")
    add_key()
    (source / "bone" / "head.py").rename(source / "bone" / "neck.py")
    add_key()
    (source / "new.py").write_text("")
    add_key()
    monkeypatch.setattr(guidegen, "__version__", "99")
    add_key()
    assert len(set(keys)) == 5


def test_what_is_no_source_does_not_change_the_build(source: Path) -> None:
    before = build()
    (source / "notes.txt").write_text("nothing")
    build.cache_clear()
    assert build() == before


# --- atomic writing ---


def test_writing_replaces_the_content_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"old", b"new content"):
        write_atomically(path, content)
        assert path.read_bytes() == content
    assert [left.name for left in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(*((os, "fsync") if failing == "fsync" else (Path, "replace")), fail)
    with pytest.raises(OSError, match="no space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [left.name for left in tmp_path.iterdir()] == ["file"]
