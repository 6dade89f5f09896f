"""plan.json and run.json: the contract's fields, exact numbers, and the same bytes for the same values."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import platform
from pathlib import Path
from typing import Any

import manifold3d as m3
import numpy as np
import pytest
from test_store import ANATOMY, GUIDE_MADE, PLAN, PRINTED, TUNNEL, VALUES

import guidegen
from guidegen.assessed import Assessed, Planned, Sides
from guidegen.case import Bone, Case, Order, Overrides, Patient
from guidegen.case import Lesion as InMr
from guidegen.frames import unit
from guidegen.guide.gauges import gauges_of
from guidegen.guide.marks import Identity
from guidegen.guide.soft_tissue import PinOut, SoftTissue, TunnelOut
from guidegen.guide.wound import Wound
from guidegen.intake.inputs import Origin
from guidegen.intake.on_image import OnImage
from guidegen.intake.sides import SideSource
from guidegen.keep_out import KeepOut, Structure
from guidegen.lesion.grades import Grades, grade_lesion
from guidegen.lesion.lesion import Lesion
from guidegen.overrides import Overruled
from guidegen.plan.fit import Fit
from guidegen.plan.planning import Proposal
from guidegen.plan.rules import Rules
from guidegen.plan.templates import Printer, load_template
from guidegen.plan.tunnel import Tunnel
from guidegen.record import LIBRARIES, limits, plan_hash, plan_json, printing, run_json, to_json
from guidegen.surfaces import Surface

ORIGIN = Origin(
    ({"file": "ct", "modality": "CT", "study_date": "2026-05-04"},),
    (),
    (OnImage("CT", 0.7, 0.2, 0.1, "5 mm away"),),
    (),
)
SIDES = (SideSource("the order", "left"), SideSource("the shape of the femur", "left"))
LIMITS = limits(Rules(), 30.0, 2.0, 300.0, True)
SLA = load_template(Printer, "sla")[0]
WOUND = Wound(np.array([0.0, 0.0, 35.0]), np.array([0.0, 0.0, -35.0]), 50.0, np.array([0.0, -1.0, 0.0]))
OUT = TunnelOut(
    skin_mm=np.array([60.0, 0.0, -40.0]), depth_mm=61.5, top_beyond_mm=-21.5, through="stab incision",
    nearer_end="lower", from_end_mm=5.0, in_front_mm=-2.0, outside_mm=17.0, chuck_goes_in=False, drill_length_mm=160.0,
    drill_needed_mm=166.5, drill_needed_open_mm=145.0,
)  # fmt: skip
OVER = SoftTissue(
    VALUES["bone"].surface, None, WOUND, 40.5, (OUT,), (None, PinOut(np.ones(3), 47.0, False, 150.0, 102.0))
)
BUILT = (GUIDE_MADE, Identity("T001L", "r003", "1a2b3c4d"), Fit(0.26, 0.1), OVER)
PRINTING = printing("sla", SLA, SLA.sterilisation[0])


@functools.cache
def grades() -> Grades:
    """The grades of a small ball of dead bone under the top of a ball of bone."""
    ball = m3.Manifold.sphere(24.0, 64).to_mesh64()
    bone = Surface(np.asarray(ball.vert_properties)[:, :3], np.asarray(ball.tri_verts).astype(np.int64))
    grid = np.stack(np.meshgrid(*[np.arange(-24.0, 24.5)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    points = grid[(np.linalg.norm(grid, axis=1) < 23.5) & (np.linalg.norm(grid - [0.0, 0.0, 16.0], axis=1) < 9.0)]
    lesion = Lesion(float(len(points)), points.mean(axis=0), 0.03, points, bone, None)
    axes = {"neck_axis": unit(np.array([-0.6, 0.0, 0.8])), "shaft_axis": np.array([0.0, 0.0, 1.0])}
    head = dataclasses.replace(ANATOMY, head_center_mm=np.zeros(3), head_radius_mm=24.0, **axes)
    return grade_lesion(lesion, bone, head, None)


def with_tunnel(tunnel: Tunnel) -> Proposal:
    """The made-up proposal with another tunnel."""
    assert PLAN.chosen is not None
    return dataclasses.replace(PLAN.chosen, tunnels=(tunnel,))


def planned(**changed: Any) -> Planned:
    """A made-up hip with its plan, with some parts changed; `tunnel`: None for no plan."""
    overrides, tunnel = changed.pop("overrides", None), changed.pop("tunnel", TUNNEL)
    patient = Patient(id=changed.pop("patient_id", "T001L"), side="left")
    case = Case(Path("case.toml"), patient, Bone(femur=1, labels="a"), InMr(lesion=1, labels="a"), Order(), overrides)
    parts = {
        "case": case, "origin": ORIGIN, "bone": VALUES["bone"], "keep_out": KeepOut(), "anatomy": ANATOMY,
        "overruled": (), "sides": Sides(SIDES), "lesion": VALUES["lesion of an MR"], "grades": grades(),
    }  # fmt: skip
    made = None if tunnel is None else dataclasses.replace(PLAN, chosen=with_tunnel(tunnel))
    return Planned(Assessed(**(parts | changed)), made, None)


def plan(built: Any = BUILT, **changed: Any) -> dict:
    return plan_json(planned(**changed), built, LIMITS, ("one", "two"), PRINTING, SLA)


def test_the_head_says_what_how_and_in_which_frame() -> None:
    content = plan()
    head = {key: content[key] for key in ("schema", "case_id", "side", "frame", "unit", "version", "notes")}
    assert head == {
        "schema": "guidegen.plan/1", "case_id": "T001L", "side": "left", "frame": "LPS", "unit": "mm",
        "version": guidegen.__version__, "notes": ["one", "two"],
    }  # fmt: skip


def test_numbers_are_those_of_the_values() -> None:
    content = plan()
    np.testing.assert_allclose(content["anatomy"]["head_center_mm"], ANATOMY.head_center_mm, atol=1e-6)
    (tunnel,), found = content["tunnels"], content["guide"]
    np.testing.assert_allclose(tunnel["entry_mm"], TUNNEL.entry_mm, atol=1e-6)
    assert tunnel["length_mm"] == pytest.approx(TUNNEL.length_mm, abs=1e-6)
    np.testing.assert_allclose(found["removal_direction"], GUIDE_MADE.seat.removal_direction, atol=1e-9)
    assert [pin["depth_mm"] for pin in found["pins"]] == [25.0, 41.5]
    assert found["labels"][0]["lines"] == ["T001L", "LEFT"]
    registration = VALUES["lesion of an MR"].registration
    np.testing.assert_allclose(
        content["lesion"]["registration"]["rotation"], registration.transform.rotation, atol=1e-9
    )


def test_what_an_inspector_measures_stands_in_the_plan() -> None:
    found = plan()["guide"]
    gauges = {each["name"]: each for each in found["gauges"]}
    assert set(gauges) == {each.name for each in gauges_of(found, SLA)}
    sleeve = gauges["sleeve 1 hole"]
    assert sleeve["go_mm"] == pytest.approx(found["sleeves"][0]["inner_diameter_mm"] - sleeve["tolerance_mm"])
    assert gauges["calliper faces"]["nominal_mm"] == 20.0
    assert (gauges["calliper faces"]["go_mm"], gauges["calliper faces"]["no_go_mm"]) == (None, None)


def test_the_guide_says_whose_it_is_how_it_fits_and_how_it_is_printed() -> None:
    found = plan()["guide"]
    assert (found["size"], found["revision"], found["plan_hash"]) == ("M", "r003", "1a2b3c4d")
    assert (found["clearance_mm"], found["print_clearance_mm"], found["periosteum_mm"]) == (0.36, 0.26, 0.1)
    assert VALUES["bone"].error_mm < found["surface_error_mm"] == 0.3  # what was measured, where the voxels say less
    np.testing.assert_allclose(found["print_down"], GUIDE_MADE.print_down, atol=1e-8)
    assert found["genus"] == 5


def test_the_parts_of_the_guide_are_told_as_they_are() -> None:
    found = plan()["guide"]
    (sleeve,) = found["sleeves"]
    assert (sleeve["kind"], sleeve["inner_diameter_mm"], sleeve["bore_mm"], sleeve["offset_mm"]) == (
        "metal", 10.2, 8.1, 40.0,
    )  # fmt: skip
    assert sleeve["metal"] == {
        "drill_diameter_mm": 8.0, "inner_diameter_mm": 8.1, "outer_diameter_mm": 10.1, "length_mm": 36.5,
        "flange_diameter_mm": 14.1, "flange_height_mm": 2.0,
    }  # fmt: skip
    assert found["wire_stop_collar"] is None
    assert found["stop_collar"] == {
        "drill_diameter_mm": 8.0, "bore_mm": 8.1, "outer_diameter_mm": 21.5, "height_mm": 10.0, "is_split": True,
    }  # fmt: skip
    assert [(pin["cortices"], pin["far_exit_mm"]) for pin in found["pins"]] == [(1, None), (2, 1.0)]
    assert [(hole["kind"], hole["diameter_mm"]) for hole in found["windows"]] == [("window", 6.0), ("probe", 2.0)]
    assert found["pointer"]["landmark"] == "vastus ridge"
    np.testing.assert_allclose(found["pointer"]["tip_mm"], GUIDE_MADE.pointer.point_mm, atol=1e-6)
    np.testing.assert_allclose(found["pointer"]["direction"], GUIDE_MADE.pointer.direction, atol=1e-8)
    np.testing.assert_allclose(found["axis_mark"]["end_mm"], GUIDE_MADE.axis_mark_mm[1], atol=1e-6)
    assert found["calliper"]["distance_mm"] == 20.0
    assert [arrow["text"] for arrow in found["arrows"]] == ["ANT"]


def test_what_a_guide_does_not_have_is_null() -> None:
    bare = dataclasses.replace(GUIDE_MADE, sleeves=(PRINTED,), pointer=None, calliper=None)
    found = plan(built=(bare, *BUILT[1:]))["guide"]
    assert (found["pointer"], found["calliper"], found["sleeves"][0]["metal"]) == (None, None, None)


def test_the_soft_tissue_over_the_guide_is_told_with_what_it_asks_for() -> None:
    found = plan()["guide"]
    over = found["soft_tissue"]
    assert (over["skin_hu"], over["over_guide_mm"], over["incision"]["opened_mm"]) == (-300, 40.5, 50.0)
    (tunnel,) = over["tunnels"]
    assert (tunnel["depth_mm"], tunnel["through"], tunnel["from_end_mm"]) == (61.5, "stab incision", 5.0)
    assert (tunnel["drill_needed_mm"], tunnel["drill_spare_mm"]) == (166.5, -6.5)
    assert over["pins"][0] is None
    assert (over["pins"][1]["wire_needed_mm"], over["pins"][1]["wire_spare_mm"]) == (102.0, 48.0)
    assert found["warnings"] == [*GUIDE_MADE.warnings, *OVER.warnings]
    assert len(OVER.warnings) == 1
    unknown = plan(built=(*BUILT[:3], dataclasses.replace(OVER, skin=None, missing="so", tunnels=(None,))))
    assert unknown["guide"]["soft_tissue"] is None


def test_every_size_that_has_a_seat_is_told_and_the_built_one_is_the_seat() -> None:
    found = plan()["guide"]
    assert list(found["sizes"]) == ["M", "S"]
    assert found["seat"] == found["sizes"]["M"]
    assert (found["sizes"]["M"]["held_share"], found["sizes"]["S"]["held_share"]) == (0.8125, 0.5)
    assert found["seat"]["fit_tip_mm"] == {"mean": 0.7, "p95": 1.4}
    assert found["zones"]["gluteal_tuberosity_deg"] == -57.0
    assert found["zones"]["furthest_back_deg"] == -40.0  # in front of the tuberosity and its margin


def test_what_is_kept_out_is_named_and_how_far_the_tunnel_is_from_it() -> None:
    content = plan()
    assert content["keep_out"] == []
    assert content["tunnels"][0]["keep_out_mm"] is None
    assert content["tunnels"][0]["entry_moved_mm"] == 0.0
    keep_out = KeepOut((Structure("old tunnel", VALUES["bone"].surface),))
    beside = dataclasses.replace(TUNNEL, keep_out_mm=3.5, entry_moved_mm=1.25)
    content = plan(keep_out=keep_out, tunnel=beside)
    assert content["keep_out"] == ["old tunnel"]
    assert (content["tunnels"][0]["keep_out_mm"], content["tunnels"][0]["entry_moved_mm"]) == (3.5, 1.25)


def test_where_the_inputs_come_from() -> None:
    inputs = plan()["inputs"]
    assert inputs["side_sources"] == [
        {"source": "the order", "says": "left"},
        {"source": "the shape of the femur", "says": "left"},
    ]
    assert inputs["identities"] == [{"file": "ct", "modality": "CT", "study_date": "2026-05-04"}]
    assert inputs["on_image"] == [
        {"kind": "CT", "explained": 0.7, "least": 0.2, "explained_elsewhere": 0.1, "elsewhere": "5 mm away"}
    ]


def test_the_grades_stand_with_the_lesion() -> None:
    found = plan()["lesion"]["grades"]
    assert found["classes"]["steinberg"]["value"] == "A"
    assert found["classes"]["jic"]["value"] is None
    assert "pelvis is not in view" in found["classes"]["jic"]["reason"]


def test_what_was_overruled_stands_beside_what_was_computed() -> None:
    assert plan()["overrides"] is None
    given = Overrides(author="A", reason="B", head_center_mm=[1.0, 2.0, 3.0], not_kept_away=("avoid",))
    record = (Overruled("head_center_mm", (1.0, 2.0, 9.0), (1.0, 2.0, 3.0), 6.0, "mm"),)
    found = plan(overrides=given, overruled=record)["overrides"]
    assert (found["author"], found["reason"], found["not_kept_away"]) == ("A", "B", ["avoid"])
    assert found["registration"] is False
    (each,) = found["values"]
    assert (each["name"], each["apart"], each["unit"]) == ("head_center_mm", 6.0, "mm")


def test_every_landmark_of_the_contract_has_its_own_place() -> None:
    fields = {
        "head_center_mm", "head_radius_mm", "neck_isthmus_center_mm", "neck_axis", "shaft_point_mm", "shaft_axis",
        "lesser_trochanter_mm", "greater_trochanter_mm", "vastus_ridge_mm", "neck_shaft_angle_deg",
    }  # fmt: skip
    found = plan()["anatomy"]
    assert fields <= set(found)
    for name in fields:
        np.testing.assert_allclose(found[name], getattr(ANATOMY, name), atol=1e-6)
    assert len({str(found[name]) for name in fields}) == len(fields)


def test_what_was_not_reached_is_empty_or_null() -> None:
    content = plan(built=None, tunnel=None, lesion=VALUES["lesion"])
    assert (content["tunnels"], content["guide"], content["lesion"]["registration"]) == ([], None, None)


def test_only_a_tunnel_through_the_centroid_is_held_to_it() -> None:
    assert LIMITS["centroid_distance_max_mm"] == Rules().centroid_distance_max_mm
    assert limits(Rules(), 30.0, 2.0, 300.0, False)["centroid_distance_max_mm"] is None
    given = {"guided_length_mm": 30.0, "wall_p1_mm": 2.0, "contact_area_mm2": 300.0, "wall_min_mm": 3.0}
    assert given.items() <= LIMITS.items()


def test_how_it_is_printed_and_sterilised_is_that_of_the_printer_s_file() -> None:
    assert plan()["printing"] == {
        "printer": "sla", "process": "SLA", "material": "surgical-guide resin (Formlabs Surgical Guide)",
        "build_mm": [145.0, 145.0, 185.0], "layer_mm": 0.1, "least_wall_mm": 2.0, "least_feature_mm": 0.4,
        "least_drain_mm": SLA.build.least_drain_mm, "steepest_overhang_deg": 45.0, "slicer_profile": SLA.slicer_profile,
        "sterilisation": {"name": "steam-121-15", "text": "steam, 121 °C, 15 min"},
    }  # fmt: skip
    titanium = load_template(Printer, "ti")[0]
    found = printing("ti", titanium, titanium.sterilisation[1])
    assert (found["printer"], found["process"], found["material"]) == ("ti", "LPBF", "Ti-6Al-4V")
    assert (found["layer_mm"], found["least_wall_mm"]) == (0.03, 1.2)
    assert found["sterilisation"]["name"] == "steam-134-18"


def test_json_is_the_same_whatever_the_order_and_reads_back() -> None:
    content = plan()
    text = to_json(content)
    assert text == to_json(dict(reversed(content.items())))
    assert json.loads(text) == content
    assert text.endswith(b"}\n")


def test_ids_and_notes_of_any_letters_stay_readable() -> None:
    assert "Größe ≥ 3 mm³".encode() in to_json({"notes": ["Größe ≥ 3 mm³"]})


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_number_that_is_none_is_never_written(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"wall_min_mm": number})


def test_a_number_next_to_zero_is_written_as_zero() -> None:
    near = dataclasses.replace(ANATOMY, head_center_mm=np.array([-1e-9, 1e-9, -0.0]))
    assert str(plan(anatomy=near)["anatomy"]["head_center_mm"]) == "[0.0, 0.0, 0.0]"


def test_the_error_of_the_bone_is_written_where_it_is_known() -> None:
    bone = VALUES["bone"]
    found = plan()["bone"]
    assert found["volume_mm3"] == pytest.approx(bone.surface.volume_mm3, abs=1e-6)
    assert found["faces"] == len(bone.surface.faces)
    assert found["label_fit"]["rms_mm"] == bone.fit.rms_mm
    assert found["label_fit"]["pieces"] == 2
    assert plan(bone=VALUES["bone that came as a surface"])["bone"]["label_fit"] is None


def test_the_record_of_a_run_names_all_that_made_it() -> None:
    content = run_json("f" * 64, "b" * 64, {"ct.nii.gz": "1"}, {"size": "M"}, {"guide.stl": "2"})
    assert content["schema"] == "guidegen.run/1"
    assert (content["fingerprint"], content["build"]) == ("f" * 64, "b" * 64)
    assert content["inputs_sha256"] == {"ct.nii.gz": "1"}
    assert content["outputs_sha256"] == {"guide.stl": "2"}
    assert content["parameters"] == {"size": "M"}
    assert content["python"] == platform.python_version()
    assert set(content["libraries"]) == set(LIBRARIES)
    assert all(content["libraries"].values())
    assert not any(word in str(content).lower() for word in ("time", "date", "host", "user"))


# --- the hash that stands on the guide ---


READ, ASKED = {"ct.nii.gz": "1"}, {"order": {"size": "M", "kit": "core-8"}, "templates_sha256": {"kit": "2"}}


def hash_of(read: Any = READ, asked: Any = ASKED, **changed: Any) -> str:
    return plan_hash(planned(**changed), read, asked)


def test_the_plan_hash_is_that_of_what_the_guide_is_made_for_and_by(monkeypatch: pytest.MonkeyPatch) -> None:
    found = hash_of()
    assert found == hash_of()
    assert len(found) == 64
    others = (
        {"read": {"ct.nii.gz": "3"}},
        {"read": {"mr.nii.gz": "1"}},
        {"asked": ASKED | {"order": {"size": "S", "kit": "core-8"}}},
        {"asked": ASKED | {"templates_sha256": {"kit": "3"}}},
        {"patient_id": "T001R"},
        {"anatomy": dataclasses.replace(ANATOMY, side="right")},
        {"anatomy": dataclasses.replace(ANATOMY, head_radius_mm=ANATOMY.head_radius_mm + 0.1)},
        {"lesion": VALUES["lesion"]},
        {"tunnel": dataclasses.replace(TUNNEL, entry_mm=TUNNEL.entry_mm + [0.001, 0.0, 0.0])},
        {"tunnel": dataclasses.replace(TUNNEL, target_mm=TUNNEL.target_mm + [0.0, 0.001, 0.0])},
        {"tunnel": dataclasses.replace(TUNNEL, diameter_mm=9.0)},
        {"tunnel": None},
    )
    assert len({found, *(hash_of(**changed) for changed in others)}) == len(others) + 1
    monkeypatch.setattr(guidegen, "__version__", "0.1.1")
    assert hash_of() != found


def test_what_is_found_while_the_guide_is_laid_out_does_not_change_its_hash() -> None:
    """Such as where the sleeve ended up: the hash stands on the guide before that is known, and it follows from it."""
    moved = dataclasses.replace(TUNNEL, sleeve_offset_mm=50.0, depth_reading_mm=145.5, cost=9.0)
    assert hash_of(tunnel=moved) == hash_of()
    assert hash_of(origin=Origin((), (), (), ())) == hash_of()


def test_a_thousandth_of_a_micrometre_is_no_other_plan() -> None:
    """Numbers are hashed as plan.json states them, so that a reader of the file finds the same."""
    near = dataclasses.replace(TUNNEL, entry_mm=TUNNEL.entry_mm + 1e-9)
    assert hash_of(tunnel=near) == hash_of()
