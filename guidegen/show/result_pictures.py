"""Every picture of a result: the hip as assessed, the plan, the guide on its bone and the ground it rests on, and
what an X-ray would show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from guidegen.assessed import Assessed
from guidegen.plan.planning import Plan
from guidegen.seat.cells import Cells
from guidegen.seat.footprint import Footprint
from guidegen.seat.zones import Zones
from guidegen.show.assessment_pictures import assessment_pictures
from guidegen.show.inserts_view import inserts_picture
from guidegen.show.lettering import lettered
from guidegen.show.paper import plain_settings, png
from guidegen.show.pictures import draw_pictures
from guidegen.show.plan_pictures import plan_pictures
from guidegen.show.print_view import print_picture
from guidegen.show.radiographs import radiograph_pictures
from guidegen.show.reformats import reformat_pictures
from guidegen.show.registration_pictures import registration_pictures
from guidegen.show.scans import Scans
from guidegen.show.zones_view import zones_picture
from guidegen.surfaces import Surface


def result_pictures(
    assessed: Assessed,
    plan: Plan,
    guide: Mapping[str, Any],
    made: Mapping[str, Any],
    scans: Scans,
    seat: tuple[Zones, Cells, Footprint],
    inserts: Sequence[Surface],
    language: str,
) -> dict[str, bytes]:
    """PNG by file name; `plan` has a chosen plan.

    `guide` is what `draw_pictures` takes, `made` the guide of plan.json; `scans` the images of the case;
    `seat` the ground that the seat was searched on, and its footprint; `inserts` those of a fan, as they sit in the
    guide (LPS mm); `language` that of the lettering.
    """
    assert plan.chosen is not None, "a guide is built on a plan"
    patient_id, anatomy, bone = guide["patient_id"], assessed.anatomy, assessed.bone.surface
    with lettered(language):
        pictures = draw_pictures(**guide)
        pictures["print.png"] = print_picture(patient_id, anatomy.side, guide["guide"], made["print_down"])
        pictures["seat.png"] = zones_picture(patient_id, bone, anatomy, *seat)
        pictures |= radiograph_pictures(
            patient_id, bone, scans.ct, anatomy, guide["tunnels"], made["sleeves"], made["pins"]
        )
        if inserts:
            label = made["inserts"][0]["label"]
            ways = (np.asarray(label[name]) for name in ("outward_direction", "up_direction"))
            pictures["inserts.png"] = inserts_picture(patient_id, anatomy.side, guide["guide"], inserts, *ways)
        return pictures | _without_guide(assessed, plan, scans, guide["guide"])


def refused_pictures(assessed: Assessed, plan: Plan | None, scans: Scans, language: str) -> dict[str, bytes]:
    """PNG by file name of a case without a guide: the hip, and as far as there is a plan what it is."""
    with lettered(language):
        return _without_guide(assessed, plan, scans, None)


def _without_guide(assessed: Assessed, plan: Plan | None, scans: Scans, guide: Surface | None) -> dict[str, bytes]:
    """Everything but the guide's own pictures; `guide` is drawn into the reformats where there is one."""
    patient_id, bone, lesion, anatomy = (
        assessed.case.patient.id, assessed.bone.surface, assessed.lesion, assessed.anatomy,
    )  # fmt: skip
    pictures = assessment_pictures(bone, lesion, anatomy, assessed.grades, scans.pelvis, scans.ct, patient_id)
    if plan is not None:
        pictures |= plan_pictures(assessed, plan, patient_id)
    if plan is not None and plan.chosen is not None:
        with plain_settings():
            figures = reformat_pictures(assessed, guide, plan.chosen.tunnels, scans, patient_id)
            pictures |= {name: png(figure) for name, figure in figures.items()}
    if scans.mr_femur is not None and scans.transform is not None:
        pictures |= registration_pictures(
            scans.ct, scans.mr, bone, scans.mr_femur, scans.transform, lesion.centroid_mm, anatomy.side
        )
    return pictures
