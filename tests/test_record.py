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
from test_store import ANATOMY, GUIDE_MADE, PLAN, TUNNEL, VALUES

import guidegen
from guidegen.assessed import Assessed, Planned, Sides
from guidegen.case import Bone, Case, Order, Overrides, Patient
from guidegen.case import Lesion as InMr
from guidegen.frames import unit
from guidegen.intake.inputs import Origin
from guidegen.intake.on_image import OnImage
from guidegen.intake.sides import SideSource
from guidegen.keep_out import KeepOut, Structure
from guidegen.lesion.grades import Grades, grade_lesion
from guidegen.lesion.lesion import Lesion
from guidegen.overrides import Overruled
from guidegen.plan.planning import Proposal
from guidegen.plan.rules import Rules
from guidegen.plan.templates import Printer, load_template
from guidegen.plan.tunnel import Tunnel
from guidegen.record import LIBRARIES, limits, plan_json, printing, run_json, to_json
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


def plan(**changed: Any) -> dict:
    bound = {name: changed.pop(name) for name in ("tunnel", "guide", "overrides") if name in changed}
    patient = Patient(id="T001L", side="left")
    case = Case(
        Path("case.toml"),
        patient,
        Bone(femur=1, labels="a"),
        InMr(lesion=1, labels="a"),
        Order(),
        bound.get("overrides"),
    )
    parts = {
        "case": case, "origin": ORIGIN, "bone": VALUES["bone"], "keep_out": KeepOut(), "anatomy": ANATOMY,
        "overruled": (), "sides": Sides(SIDES), "lesion": VALUES["lesion of an MR"], "grades": grades(),
    }  # fmt: skip
    tunnel = bound.get("tunnel", TUNNEL)
    made = None if tunnel is None else dataclasses.replace(PLAN, chosen=with_tunnel(tunnel))
    planned = Planned(Assessed(**(parts | changed)), made, None)
    return plan_json(planned, bound.get("guide", GUIDE_MADE), LIMITS, ("one", "two"), PRINTING)


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
    assert [pin["depth_mm"] for pin in found["pins"]] == [25.0, 25.0]
    assert found["label"]["lines"] == ["T001L", "LEFT"]
    assert (found["seat"]["length_mm"], found["seat"]["width_mm"]) == (55.0, 40.0)
    registration = VALUES["lesion of an MR"].registration
    np.testing.assert_allclose(
        content["lesion"]["registration"]["rotation"], registration.transform.rotation, atol=1e-9
    )


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
    content = plan(tunnel=None, guide=None, lesion=VALUES["lesion"])
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
        "steepest_overhang_deg": 45.0,
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
