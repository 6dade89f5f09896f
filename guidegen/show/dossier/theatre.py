"""The dossier for the theatre: the steps, where to find the entries, the X-rays to expect, and what to do without it.

Heights are measured along the shaft, which hand and ruler can follow; how far in front of or behind the shaft's axis an
entry lies is square to it and to the way from the shaft to the head.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from guidegen.bone.trochanters import ShaftFrame
from guidegen.frames import FloatArray, unit
from guidegen.rounded import shown
from guidegen.show.dossier.reader import Block, Cell, Reader, Row, pictures, section, table, text, warning
from guidegen.show.dossier.tunnels import tunnel_head

MARKS = ("greater_trochanter_mm", "vastus_ridge_mm", "lesser_trochanter_mm")
FRAME = ("anatomy/head_center_mm", "anatomy/shaft_point_mm", "anatomy/shaft_axis")


def theatre_section(read: Reader, drawn: frozenset[str]) -> dict[str, Any]:
    """What is done, in its order, and what shows that it goes right."""
    entries = [read.say(key) for key in ("to_greater", "to_ridge", "to_lesser", "to_shaft_axis")]
    return section(
        "theatre",
        read.say("theatre"),
        [
            text(_before(read), read.say("before_drilling")),
            pictures(read, ("inserts.png",), drawn, width=0.5),
            *_drilling(read),
            warning(_stop_if(read), read.say("stop_if")),
            table(_entry_rows(read), read.say("entries"), ["", *entries], align="lrrrr"),
            text([read.say("entries_note")]),
        ],
    )


def _before(read: Reader) -> list[Cell]:
    """What comes before the drill, numbered; what is loose in the guide is named where there is such a part."""
    steps: list[Cell] = [read.say("step_expose"), read.say("step_seat")]
    if read.has("guide/pointer"):
        steps.append(_pointer(read, "step_pointer"))
    steps.append({"parts": [read.say("step_pin"), *_wires(read)]})
    if any(read.has(f"guide/sleeves/{n}/metal") for n in read.count("guide/sleeves")):
        steps.append(read.say("step_metal"))
    if read.has("guide/socket"):
        steps.append(read.say("step_insert"))
    steps.append(read.say("step_check"))
    return [{"parts": [read.say("step_n", number=number), step]} for number, step in enumerate(steps, start=1)]


def _wires(read: Reader) -> list[Cell]:
    """What is read on each wire at the top of its boss, and what of it then stands out."""
    found: list[Cell] = []
    for number in read.count("guide/pins"):
        place = f"guide/pins/{number}"
        if read.has(f"{place}/reading_mm"):
            found += [{"parts": [read.say("wire_n", number=number + 1), read.figure(f"{place}/reading_mm")]}]
    return [{"parts": found, "join": ", "}] if found else []


def _stop_if(read: Reader) -> list[Cell]:
    pointer = [_pointer(read, "stop_pointer")] if read.has("guide/pointer") else []
    return [read.say("stop_rocks"), *pointer, read.say("stop_xray")]


def _pointer(read: Reader, key: str) -> Cell:
    """A sentence on the notch, with the doubt of the landmark that is felt through it."""
    before, after = read.say(key, doubt="{doubt}").split("{doubt}")
    place = "anatomy/uncertainty_95/vastus_ridge_mm"
    doubt: Cell = read.figure(place) if read.has(place) else read.say("landmark_doubt")
    return {"parts": [before, doubt, after], "join": ""}


def radiographs_section(read: Reader, drawn: frozenset[str]) -> dict[str, Any] | None:
    """The radiographs that the planned position would give, and the angles to read on them."""
    shown = pictures(read, ("xray_front.png", "xray_side.png"), drawn, width=0.77)
    if shown is None:
        return None
    return section(
        "radiographs",
        read.say("radiographs"),
        [
            shown,
            table(
                _angle_rows(read),
                read.say("angles_on_xray"),
                tunnel_head(read),
                align="l" + "r" * len(read.at("tunnels")),
            ),
            text([read.say("radiographs_note")]),
        ],
    )


def fallback_section(read: Reader) -> dict[str, Any]:
    """How the tunnel is found by hand, if the guide does not seat."""
    count = len(read.at("tunnels"))
    return section(
        "fallback",
        read.say("fallback"),
        [
            warning([read.say("fallback_first")]),
            table(_free_hand_rows(read), None, tunnel_head(read), align="l" + "r" * count),
            text([read.say("fallback_note")]),
        ],
        fresh=False,
    )


def _drilling(read: Reader) -> list[Block]:
    """The instruments in their order: of several tunnels one after the other, and once the guide is off what is left to
    do in all of them.
    """
    count = read.count("tunnels")
    if len(count) == 1:
        return _steps(read, 0, read.say("instruments"), ("on", "off"))
    blocks = []
    for number in count:
        blocks += _steps(read, number, read.say("tunnel_n", number=number + 1), ("on",))
    after = [[read.say("tunnel_n", number=n + 1), *row[1:]] for n in count for row in _step_rows(read, n, ("off",))]
    return [*blocks, table(after, read.say("guide_off"), _step_head(read), align="lllll", widths=[0.8, 3, 3, 4, 1])]


def _steps(read: Reader, number: int, name: str, guide: tuple[str, ...]) -> list[Block]:
    """What is read for a tunnel, and its steps with the guide on, off or both."""
    place = f"tunnels/{number}"
    depth: Cell = {
        "parts": [
            {"parts": [read.say("read_on_drill"), read.figure(f"{place}/depth_reading_mm")], "strong": True},
            {"parts": [read.say("sleeve_off_cortex"), read.figure(f"{place}/sleeve_offset_mm")]},
            {"parts": [read.say("length_in_bone"), read.figure(f"{place}/length_mm")]},
        ],
        "join": "   ",
    }
    rows = _step_rows(read, number, guide)
    return [
        text([depth], name, sticky=True),
        table(rows, None, _step_head(read), align="lllll", widths=[0.3, 3, 3, 4, 1]),
    ]


def _step_head(read: Reader) -> Row:
    return ["", *(read.say(key) for key in ("tool", "through", "stopped_by", "guide_is"))]


def _step_rows(read: Reader, number: int, guide: tuple[str, ...]) -> list[Row]:
    place = f"tunnels/{number}/instruments"
    return [
        [
            read.figure(f"{place}/{step}/number", 0, ""),
            *(read.quote(f"{place}/{step}/{what}") for what in ("tool", "through", "stopped_by", "guide")),
        ]
        for step in read.count(place)
        if read.at(f"{place}/{step}/guide") in guide
    ]


def _entry_rows(read: Reader) -> list[Row]:
    """Where tunnels and wires enter the bone, each from every landmark."""
    tunnels = [_entry(read, read.say("tunnel_n", number=n + 1), f"tunnels/{n}/entry_mm") for n in read.count("tunnels")]
    return tunnels + [
        _entry(read, read.say("wire_n", number=n + 1), f"guide/pins/{n}/point_mm") for n in read.count("guide/pins")
    ]


def _entry(read: Reader, name: str, place: str) -> Row:
    frame, point = frame_of(read), np.asarray(read.at(place))
    heights = [_height(read, frame, place, mark) for mark in MARKS]
    behind_mm = float((point - frame.origin_mm) @ frame.posterior(read.at("side")))
    front = _way(read, behind_mm, "behind", "in_front", "in_line", "behind the shaft", FRAME[0], *FRAME[1:], place)
    return [name, *heights, front]


def _height(read: Reader, frame: ShaftFrame, place: str, mark: str) -> Cell:
    point, landmark = np.asarray(read.at(place)), np.asarray(read.at(f"anatomy/{mark}"))
    above_mm = float((point - landmark) @ frame.up)
    return _way(read, above_mm, "above", "below", "level", "above along the shaft", f"anatomy/{mark}", FRAME[2], place)


def _way(read: Reader, distance_mm: float, positive: str, negative: str, none: str, how: str, *places: str) -> Cell:
    """A distance along a direction in words, such as "62 mm below"; `none` where it rounds to 0."""
    way_mm = int(shown(abs(distance_mm), 0))
    if not way_mm:
        return read.worked(read.say(none), how, *places)
    distance = read.say.number(way_mm, 0, "mm")
    return read.worked(f"{distance} {read.say(positive if distance_mm > 0 else negative)}", how, *places)


def frame_of(read: Reader) -> ShaftFrame:
    """The shaft's frame of the anatomy in plan.json."""
    head, point, axis = (np.asarray(read.at(place), dtype=np.float64) for place in FRAME)
    return ShaftFrame.of(head, point, axis)


def tunnel_axis(read: Reader, number: int) -> FloatArray:
    """The unit vector (3,) from a tunnel's entry to its target."""
    return unit(np.subtract(read.at(f"tunnels/{number}/target_mm"), read.at(f"tunnels/{number}/entry_mm")))


def _angle_rows(read: Reader) -> list[Row]:
    """The angle to the shaft as each view shows it, which is not the angle in space."""
    frame = frame_of(read)
    count = read.count("tunnels")
    front, side = frame.posterior(read.at("side")), frame.medial
    return [
        [read.say("angle_front"), *(_seen_angle(read, n, front, "angle seen from the front") for n in count)],
        [read.say("angle_side"), *(_seen_angle(read, n, side, "angle seen from the side") for n in count)],
        [read.say("angle_in_space"), *(read.figure(f"tunnels/{n}/shaft_angle_deg", 0, "°") for n in count)],
    ]


def _seen_angle(read: Reader, number: int, along: FloatArray, how: str) -> Cell:
    """Between a tunnel's axis and the shaft's way down, seen along a unit vector (3,)."""
    axis, up = tunnel_axis(read, number), frame_of(read).up
    seen = axis - (axis @ along) * along
    angle_deg = 180.0 - float(np.degrees(np.arctan2(np.linalg.norm(np.cross(seen, up)), seen @ up)))
    places = [*FRAME, f"tunnels/{number}/entry_mm", f"tunnels/{number}/target_mm"]
    return read.derived(angle_deg, 0, "°", how, *places)


def _free_hand_rows(read: Reader) -> list[Row]:
    count = read.count("tunnels")
    frame, side = frame_of(read), read.at("side")

    def heights(mark: str) -> list[Cell]:
        return [_height(read, frame, f"tunnels/{n}/entry_mm", mark) for n in count]

    def aim(along: FloatArray, how: str, positive: str, negative: str) -> list[Cell]:
        """Where the tip lies beside the head's centre."""
        cells = []
        for n in count:
            away_mm = float(np.subtract(read.at(f"tunnels/{n}/target_mm"), read.at(FRAME[0])) @ along)
            cells.append(_way(read, away_mm, positive, negative, "level", how, *FRAME, f"tunnels/{n}/target_mm"))
        return cells

    return [
        [read.say("entry_to_greater"), *heights(MARKS[0])],
        [read.say("entry_to_ridge"), *heights(MARKS[1])],
        [read.say("entry_to_lesser"), *heights(MARKS[2])],
        [read.say("entry_to_axis"), *(_entry(read, "", f"tunnels/{n}/entry_mm")[-1] for n in count)],
        [read.say("shaft_angle"), *(read.figure(f"tunnels/{n}/shaft_angle_deg", 0, "°") for n in count)],
        [read.say("aim_height"), *aim(frame.up, "tip above the head's centre", "above", "below")],
        [read.say("aim_medial"), *aim(frame.medial, "tip medial of the head's centre", "medial", "lateral")],
        [read.say("aim_front"), *aim(frame.posterior(side), "tip behind the head's centre", "behind", "in_front")],
        [read.say("depth_by_hand"), *(read.figure(f"tunnels/{n}/length_mm") for n in count)],
        [read.say("diameter"), *(read.figure(f"tunnels/{n}/diameter_mm") for n in count)],
    ]
