"""Every picture of a result: the guide on its bone, the ground it rests on, and the plan that it was built on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guidegen.assessed import Assessed
from guidegen.plan.planning import Plan
from guidegen.seat.cells import Cells
from guidegen.seat.footprint import Footprint
from guidegen.seat.zones import Zones
from guidegen.show.pictures import draw_pictures
from guidegen.show.plan_pictures import plan_pictures
from guidegen.show.zones_view import zones_picture


def result_pictures(
    assessed: Assessed, plan: Plan, guide: Mapping[str, Any], seat: tuple[Zones, Cells, Footprint]
) -> dict[str, bytes]:
    """PNG by file name: those of `draw_pictures`, which takes `guide`, seat.png, and those of `plan_pictures`.

    `seat`: the ground that the seat was searched on, and its footprint.
    """
    patient_id = guide["patient_id"]
    ground = zones_picture(patient_id, assessed.bone.surface, assessed.anatomy, *seat)
    return draw_pictures(**guide) | {"seat.png": ground} | plan_pictures(assessed, plan, patient_id)
