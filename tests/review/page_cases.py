"""A revision with shapes that can be looked at: a made-up upper femur of spheres and rods, and a plate beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from fastapi.testclient import TestClient
from review_cases import PEOPLE, World, copy_database, make_revision, open_world, plan

from guidegen.check.finding import Finding, at_least, at_most
from guidegen.results import RUN_FILE, hashes
from guidegen.review.web.app import make_app
from guidegen.review.web.cases import CaseFiles
from guidegen.review.web.guard import Guard
from guidegen.review.web.recomputing import Recomputing
from guidegen.review.web.shapes import ShapeStore
from guidegen.review.web.site import Site
from guidegen.stl import stl_bytes
from guidegen.surfaces import Surface

HOST = "127.0.0.1:8421"
ORIGIN = f"http://{HOST}"
HEAD, TROCHANTER, KNEE = np.array([60.0, 0.0, 80.0]), np.array([100.0, 5.0, 70.0]), np.array([95.0, 5.0, -60.0])
ENTRY, TARGET = np.array([107.0, 4.0, 40.0]), np.array([58.0, 0.5, 82.0])


def surface_of(mesh: trimesh.Trimesh) -> Surface:
    """A mesh of trimesh as a surface."""
    return Surface(np.asarray(mesh.vertices), np.asarray(mesh.faces))


def rod(start: Any, end: Any, radius: float) -> trimesh.Trimesh:
    """A closed cylinder."""
    return trimesh.creation.cylinder(radius, segment=[start, end], sections=24)


def shapes() -> dict[str, Surface]:
    """Femur, lesion and guide, each a closed surface (of parts that overlap)."""
    ball = trimesh.creation.icosphere(3, 23.0).apply_translation(HEAD)
    bone = trimesh.util.concatenate([ball, rod(HEAD, TROCHANTER, 12.0), rod(TROCHANTER, KNEE, 14.0)])
    lesion = trimesh.creation.icosphere(2, 9.0).apply_translation(TARGET)
    guide = trimesh.creation.box((4.0, 30.0, 50.0)).apply_translation((113.5, 5.0, 40.0))
    return {"femur.stl": surface_of(bone), "lesion.stl": surface_of(lesion), "guide.stl": surface_of(guide)}


def page_plan(**changes: Any) -> dict[str, Any]:
    """plan.json with all that the page needs, and some of what it shows."""
    length_mm = float(np.linalg.norm(TARGET - ENTRY))
    tunnel = {
        "entry_mm": ENTRY.tolist(), "target_mm": TARGET.tolist(), "diameter_mm": 8.0, "length_mm": length_mm,
        "end_outline_mm": [[0.0, 0.0], [0.0, 2.0], [1.0, 4.0]], "wall_min_mm": 5.017914, "depth_reading_mm": 128.25,
        "subchondral_axis_mm": 5.625214, "tool_to_joint_mm": 3.815517, "lesion_reached_fraction": 0.078141,
        "error_budget": {
            "stop_earlier_mm": 1.234567,
            "seat": "the built guide's own", "to_lesion_p95_mm": 3.224445, "within_3_mm_of_joint": 0.25088,
            "breaches_cortex": 0.0,
        },
        "error_budget_assumed": {"to_lesion_p95_mm": 3.811112, "within_3_mm_of_joint": 0.287654},
    }  # fmt: skip
    pin = {
        "point_mm": [109.5, 5.0, 25.0], "direction": [-1.0, 0.0, 0.0], "top_mm": [118.0, 5.0, 25.0], "depth_mm": 25.0,
        "wire_diameter_mm": 2.0, "hole_diameter_mm": 2.2,
    }  # fmt: skip
    size = {"contact_area_mm2": 2495.115883, "incision_mm": 54.0, "held_share": 0.875}
    content = plan(**changes)
    content["plan"]["chosen"] |= {"strategy": "centroid", "volumes": {"residual_mm3": 15266.92948}}
    content["plan"]["explanation"] = "The tunnel through the lesion's centroid is 8 mm wide."
    content["plan"]["alternatives"] = [
        {"kit": "core-8", "strategy": "coverage", "tunnels": [tunnel | {"wall_min_mm": 5.170233}],
         "volumes": {"residual_mm3": 15221.849482}, "warnings": []},
    ]  # fmt: skip
    return content | {
        "anatomy": {
            "head_center_mm": HEAD.tolist(), "head_radius_mm": 23.0, "greater_trochanter_mm": [105.0, 10.0, 82.0],
            "lesser_trochanter_mm": [88.0, 20.0, 25.0], "vastus_ridge_mm": [112.0, 3.0, 55.0],
            "shaft_point_mm": KNEE.tolist(), "shaft_axis": [0.0, 0.0, 1.0], "neck_shaft_angle_deg": 129.881032,
        },
        "lesion": {"centroid_mm": TARGET.tolist(), "volume_mm3": 16561.019436, "head_fraction": 0.31,
                   "registration": None},
        "tunnels": [tunnel],
        "guide": {"size": "M", "clearance_mm": 0.3, "thickness_mm": 4.0, "pins": [pin], "sleeves": [], "warnings": [],
                  "sizes": dict.fromkeys("SML", size), "plan_hash": "8f2096d2"},
        "printing": {"printer": "sla", "material": "resin", "sterilisation": {"text": "steam, 121 °C, 15 min"}},
        "notes": ["The lesion came in the bone's own frame; nothing was registered."],
    }  # fmt: skip


def page_revision(world: World, name: str = "r001", **changes: Any) -> Path:
    """A draft that the page can show; its plan is planned from `changes`, as `review_cases.plan`."""
    files = {path: stl_bytes(surface) for path, surface in shapes().items()}
    findings: tuple[Finding, ...] = (
        at_least("tunnel 1 wall to the cortex", 5.017914, 3.0, "mm", "A thin wall breaks."),
        at_least("contact area", 2646.58275, 300.0, "mm²", "A small seat fits in more than one place."),
        at_most("guide bodies", 1.0, 1.0, "", "A second piece is lost in the wound."),
    )
    folder = make_revision(world.output, name, page_plan(**changes), findings, files)
    _order(folder)
    world.made[name] = folder
    return folder


def _order(folder: Path) -> None:
    """run.json with what the page's form of a change begins with."""
    run = json.loads((folder / "run.json").read_text())
    run |= {"inputs_sha256": {"case.toml": "0" * 64}}
    (folder / "run.json").write_text(json.dumps(run))


def rewritten(folder: Path, findings: Any = None, plan: Mapping[str, Any] | None = None, **order: Any) -> Path:
    """A revision as if its run had found or planned otherwise, or another order had been given."""
    for name, content in (("findings.json", findings), ("plan.json", plan)):
        if content is not None:
            (folder / name).write_text(json.dumps(content))
    run = json.loads((folder / RUN_FILE).read_text())
    run["parameters"]["order"] |= order
    (folder / RUN_FILE).write_text(json.dumps(run | {"outputs_sha256": hashes(folder)}))
    return folder


@dataclass
class Visit:
    """Somebody's browser without a browser: cookies are kept, forms are sent as its pages hold them."""

    client: TestClient
    token: str = ""

    def get(self, address: str, **headers: str) -> Any:
        """A page, as typed into the address."""
        return self.client.get(address, headers=headers)

    def post(self, address: str, fields: Mapping[str, Any] | None = None, **headers: str) -> Any:
        """A form of one of the site's own pages."""
        given = {"origin": ORIGIN, "sec-fetch-site": "same-origin", **headers}
        return self.client.post(address, data={"token": self.token, **(fields or {})}, headers=given)


@dataclass
class Pages:
    """The site of a world, and those who visit it."""

    world: World
    site: Site
    app: Guard
    known: dict[str, str] = field(default_factory=dict)  # the cookie of whoever has signed in already

    def visit(self) -> Visit:
        """A browser that nobody has signed in with."""
        return Visit(TestClient(self.app, base_url=ORIGIN, follow_redirects=False))

    def signed_in(self, user: str) -> Visit:
        """A browser in which somebody has signed in."""
        assert user in PEOPLE
        visit = self.visit()
        if user in self.known:
            visit.client.cookies.set("guidegen", self.known[user])
            if visit.get("/").status_code == 200:
                visit.token = self.token(user)
                return visit
            visit = self.visit()
        visit.token = token_in(visit.get("/login").text)
        answer = visit.post("/login", {"user": user, "password": self.world.who(user).password})
        assert answer.status_code == 303, answer.text
        self.known[user] = visit.client.cookies["guidegen"]
        visit.token = self.token(user)
        return visit

    def token(self, user: str) -> str:
        """What the forms of somebody who has signed in carry."""
        if user not in self.known:
            self.signed_in(user)
        return self.site.token_of(self.known[user])


def open_pages(world: World, cases: tuple[Path, ...] = ()) -> Pages:
    """The site of a world."""
    site = Site(
        world.reviews, CaseFiles((world.output, *cases)), Recomputing(world.output), ShapeStore(), clock=world.clock
    )
    return Pages(world, site, make_app(site, frozenset({HOST})))


@contextmanager
def waiting_pages(output: Path, populated: Path) -> Iterator[Pages]:
    """The site of a new world, whose one revision waits for review."""
    copy_database(populated, output)
    world = open_world(output)
    page_revision(world)
    world.submit()
    yield open_pages(world)
    world.reviews.close()


def token_in(text: str) -> str:
    """The token that the forms of a page carry."""
    return field_in(text, "token")


def field_in(text: str, name: str) -> str:
    """The value of a hidden field."""
    _, _, after = text.partition(f'name="{name}" value="')
    assert after, f"no field {name} in {text[:2000]}"
    return after.partition('"')[0]
