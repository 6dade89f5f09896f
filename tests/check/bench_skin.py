"""The skin of the bench's hip, a plane 60 mm lateral of the bone, and what its plan states of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from seat_bodies import PLACE

from guidegen.surfaces import Surface

SKIN_X = 75.0
DEPTH = 60.0 / 0.8  # along the tunnel, which leans 37° off the lateral
PIN_DEPTH = 60.0 / float(np.cos(np.radians(8.0)))
# The tunnel leaves the skin at z = −45: 5 mm beyond the lower end of an incision from 30 to −40, on its line.
BEYOND, TOP_BEYOND = 5.0, 34.0 - DEPTH
NEEDED = 85.0 + DEPTH + 10.0


def plane(x: float = SKIN_X, outwards: bool = True, half: float = 90.0) -> Surface:
    """A square of skin where the scanner found it."""
    corners = np.array([[x, -half, -half], [x, half, -half], [x, half, half], [x, -half, half]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    return Surface(PLACE.points(corners), faces if outwards else faces[:, ::-1])


def told(plan: dict[str, Any]) -> None:
    """What the plan states, all of it right: the drill 200 mm long, the wires 150."""
    at = [float(x) for x in PLACE.points(np.array([15.0, 0.0, 0.0]) + DEPTH * np.array([0.8, 0.0, -0.6]))]
    pins = [
        {"depth_mm": PIN_DEPTH, "chuck_goes_in": False, "wire_needed_mm": pin["depth_mm"] + PIN_DEPTH + 30.0}
        for pin in plan["guide"]["pins"]
    ]
    for pin in plan["guide"]["pins"]:
        pin["wire_length_mm"] = 150.0
    ends = PLACE.points(np.array([[15.0, 0.0, 30.0], [15.0, 0.0, -40.0]])).tolist()
    plan["guide"]["soft_tissue"] = {
        "chuck_off_skin_mm": 10.0,
        "wire_grip_mm": 30.0,
        "incision": {"upper_mm": ends[0], "lower_mm": ends[1], "front": PLACE.vectors([0.0, -1.0, 0.0]).tolist()},
        "tunnels": [
            {
                "skin_mm": at, "depth_mm": DEPTH, "top_beyond_mm": TOP_BEYOND, "through": "stab incision",
                "from_end_mm": BEYOND, "in_front_mm": 0.0, "outside_mm": 17.0, "chuck_goes_in": False,
                "drill_length_mm": 200.0, "drill_needed_mm": NEEDED, "drill_needed_open_mm": 129.0,
            }
        ],
        "pins": pins,
    }  # fmt: skip
