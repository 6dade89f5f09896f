"""The dossier on the guide: its size beside the others, how it sits, its sleeves, wires and marks, how it is made."""

from __future__ import annotations

from typing import Any

from guidegen.show.dossier.reader import (
    FINDINGS,
    Block,
    Cell,
    Reader,
    Row,
    beside,
    pictures,
    pointer,
    section,
    table,
    text,
)
from guidegen.show.dossier.soft_tissue import skin_blocks

PRINT = ("print length", "print width", "print height")  # findings that say how large the guide lies in the printer


def guide_section(read: Reader, drawn: frozenset[str]) -> dict[str, Any]:
    """Everything that the surgeon approves of the guide itself."""
    return section(
        "guide",
        read.say("guide"),
        [
            pictures(read, ("seat.png", "contact.png"), drawn, columns=2),
            table(_pin_rows(read), read.say("wires"), _pin_head(read), align="lrrrrrrrll"),
            *fan_blocks(read),
            table(
                _size_rows(read),
                read.say("sizes"),
                _size_head(read),
                align="l" + "r" * len(_sizes(read)),
                widths=[1] * (1 + len(_sizes(read))),
            ),
            text([read.say("sizes_note")]),
            beside(
                [table(_body_rows(read), read.say("seat_and_body"))],
                [_sleeves(read)],
            ),
            *skin_blocks(read),
            beside(
                [table(_making_rows(read), read.say("making"), widths=[1, 2]), *_print_size(read)],
                [pictures(read, ("print.png",), drawn)],
                share=0.55,
            ),
            table(_mark_rows(read), read.say("marks"), widths=[1, 3]),
            _gauges(read),
        ],
    )


def _sizes(read: Reader) -> list[str]:
    """The sizes there are, the smallest first."""
    return [size for size in ("S", "M", "L") if read.has(f"guide/sizes/{size}")]


def _size_head(read: Reader) -> Row:
    chosen = read.at("guide/size")
    return ["", *(f"{size}, {read.say('chosen')}" if size == chosen else size for size in _sizes(read))]


def _size_rows(read: Reader) -> list[Row]:
    """What each footprint holds by, and what it costs."""

    def row(word: str, name: str, decimals: int, unit: str) -> Row:
        return [read.say(word), *(read.figure(f"guide/sizes/{size}/{name}", decimals, unit) for size in _sizes(read))]

    return [
        row("incision", "incision_mm", 0, "mm"),
        row("stripped", "stripped_area_cm2", 1, "cm²"),
        row("contact_length", "contact_length_mm", 0, "mm"),
        row("contact_area", "contact_area_mm2", 0, "mm²"),
        row("fit_mean", "fit_tip_mm/mean", 2, "mm"),
        row("fit_p95", "fit_tip_mm/p95", 2, "mm"),
        row("dock_mean", "dock_tip_mm/mean", 2, "mm"),
        row("dock_p95", "dock_tip_mm/p95", 2, "mm"),
        [read.say("held"), *(read.share(f"guide/sizes/{size}/held_share") for size in _sizes(read))],
        [read.say("weakest"), *(read.quote(f"guide/sizes/{size}/weakest_motion") for size in _sizes(read))],
    ]


def _body_rows(read: Reader) -> list[Row]:
    rows: list[Row] = [
        [read.say("size"), read.quote("guide/size")],
        [read.say("contact_built"), read.figure("guide/contact_area_mm2", 0, "mm²")],
        [read.say("clearance"), read.figure("guide/clearance_mm", 2)],
        [read.say("print_clearance"), read.figure("guide/print_clearance_mm", 2)],
        [read.say("periosteum"), read.figure("guide/periosteum_mm", 2)],
        [read.say("thickness"), read.figure("guide/thickness_mm")],
    ]
    if read.has("guide/calliper"):
        rows.append([read.say("calliper"), read.figure("guide/calliper/distance_mm", 2)])
    if read.at("keep_out"):
        kept: Cell = {"parts": [read.quote(f"keep_out/{n}") for n in read.count("keep_out")], "join": ", "}
        rows.append([read.say("kept_out"), kept])
    return rows


def _sleeves(read: Reader) -> Block | None:
    """What leads the drills, where there is a sleeve for each."""
    count = len(read.at("guide/sleeves"))
    return (
        table(_sleeve_rows(read), read.say("sleeves"), _sleeve_head(read), align="l" + "r" * count) if count else None
    )


def _sleeve_head(read: Reader) -> Row | None:
    count = len(read.at("guide/sleeves"))
    return ["", *(read.say("tunnel_n", number=number + 1) for number in range(count))] if count > 1 else None


def _sleeve_rows(read: Reader) -> list[Row]:
    count = read.count("guide/sleeves")

    def row(word: str, name: str, decimals: int = 1) -> Row:
        return [read.say(word), *(read.figure(f"guide/sleeves/{n}/{name}", decimals) for n in count)]

    rows: list[Row] = [
        [read.say("kind"), *(read.quote(f"guide/sleeves/{n}/kind") for n in count)],
        row("drill_diameter", "drill_diameter_mm"),
        row("hole_printed", "inner_diameter_mm", 2),
        row("outer_diameter", "outer_diameter_mm"),
        row("guided_length", "guided_length_mm"),
        row("offset", "offset_mm"),
    ]
    if all(read.has(f"guide/sleeves/{n}/metal") for n in count):
        rows += [
            row("metal_bore", "metal/inner_diameter_mm", 2),
            row("metal_outer", "metal/outer_diameter_mm", 2),
            row("metal_length", "metal/length_mm"),
        ]
    if all(read.has(f"guide/sleeves/{n}/reducer") for n in count):
        rows += [
            row("reducer_bore", "reducer/inner_diameter_mm", 2),
            row("reducer_outer", "reducer/outer_diameter_mm", 2),
            row("reducer_length", "reducer/length_mm"),
            row("wire_reading", "wire_reading_mm"),
        ]
    return rows


def fan_blocks(read: Reader) -> list[Block]:
    """The inserts of a fan, each with its tunnel and what is read on it; none for sleeves."""
    if not read.has("guide/socket"):
        return []
    keys = ("for_tunnel", "written_on", "read_at_stop", "drill_diameter", "insert_bore", "guided_length", "offset")
    rows: list[Row] = []
    for number in read.count("guide/inserts"):
        place = f"guide/inserts/{number}"
        lines: Cell = {
            "parts": [_engraved(read, f"{place}/label/lines/{n}") for n in read.count(f"{place}/label/lines")],
            "join": " / ",
        }
        rows.append(
            [
                read.say("insert_n", number=number + 1),
                read.say("tunnel_n", number=read.at(f"{place}/tunnel") + 1),
                lines,
                read.figure(f"{place}/reading_mm"),
                read.figure(f"{place}/drill_diameter_mm"),
                read.figure(f"{place}/bore_mm", 2),
                read.figure(f"{place}/guided_length_mm"),
                read.figure(f"{place}/offset_mm"),
            ]
        )
    head = ["", *(read.say(key) for key in keys)]
    return [table(rows, read.say("fan"), head, align="lllrrrrr"), text([read.say("fan_note")])]


def _pin_head(read: Reader) -> Row:
    keys = (
        "wire_diameter", "hole", "wire_length", "wire_depth", "wire_at_boss", "wire_out", "guided_length", "cortices",
        "far_exit",
    )  # fmt: skip
    return ["", *(read.say(key) for key in keys)]


def _pin_rows(read: Reader) -> list[Row]:
    rows = []
    for number in read.count("guide/pins"):
        place = f"guide/pins/{number}"
        far: Cell = read.figure(f"{place}/far_exit_mm") if read.has(f"{place}/far_exit_mm") else read.say("stays_in")
        length: Cell = read.figure(f"{place}/wire_length_mm", 0) if read.has(f"{place}/wire_length_mm") else "–"
        rows.append(
            [
                read.say("wire_n", number=number + 1),
                read.figure(f"{place}/wire_diameter_mm"),
                read.figure(f"{place}/hole_diameter_mm"),
                length,
                read.figure(f"{place}/depth_mm"),
                *_at_boss(read, place),
                read.figure(f"{place}/guided_length_mm"),
                read.figure(f"{place}/cortices", 0, ""),
                far,
            ]
        )
    return rows


def _at_boss(read: Reader, place: str) -> list[Cell]:
    """What of a wire is below the top of its boss at full depth, and what stands out of it."""
    places = [f"{place}/wire_length_mm", f"{place}/reading_mm"]
    if not all(map(read.has, places)):
        return ["–", "–"]
    out_mm = read.at(places[0]) - read.at(places[1])
    return [read.figure(places[1]), read.derived(out_mm, 1, "mm", "wire beyond its boss", *places)]


def _making_rows(read: Reader) -> list[Row]:
    return [
        [
            read.say("printer"),
            {"parts": [read.quote("printing/process"), read.quote("printing/printer")], "join": ", "},
        ],
        [read.say("material"), read.quote("printing/material")],
        [read.say("layer"), read.figure("printing/layer_mm", 2)],
        [read.say("least_wall_printed"), read.figure("printing/least_wall_mm")],
        [read.say("sterilisation"), read.quote("printing/sterilisation/text")],
        [read.say("print_pose"), read.say("print_pose_words")],
    ]


def _print_size(read: Reader) -> list[Block]:
    """How large the guide lies in the printer, as measured on the print file."""
    found = [
        (n, each) for n, each in enumerate(read.findings) if each["name"] in PRINT and each["measured"] is not None
    ]
    rows: list[Row] = [
        [
            {"text": read.say.told(each["name"]), "from": pointer(FINDINGS, f"{n}/name")},
            {"text": read.say.number(each["measured"], 1, each["unit"]), "from": pointer(FINDINGS, f"{n}/measured")},
            read.limit(n, 0, each["unit"]),
        ]
        for n, each in found
    ]
    return [table(rows, read.say("print_size"), ["", "", read.say("limit")], align="lrr")] if rows else []


def _gauges(read: Reader) -> Block:
    """What whoever inspects the printed guide measures, each with its tolerance and the pins that go in and do not."""
    place = "guide/gauges"
    rows: list[Row] = [
        [
            read.quote(f"{place}/{n}/name"),
            read.figure(f"{place}/{n}/nominal_mm", 2),
            {"parts": ["±", read.figure(f"{place}/{n}/tolerance_mm", 2)]},
            *(
                read.figure(f"{place}/{n}/{pin}", 2) if read.has(f"{place}/{n}/{pin}") else "–"
                for pin in ("go_mm", "no_go_mm")
            ),
        ]
        for n in read.count(place)
    ]
    head = ["", *(read.say(key) for key in ("nominal", "tolerance", "go_pin", "no_go_pin"))]
    return table(rows, read.say("inspection"), head, align="lrrrr")


def _mark_rows(read: Reader) -> list[Row]:
    """What stands on the guide, and what shows that it sits."""
    rows: list[Row] = []
    for number in read.count("guide/labels"):
        place = f"guide/labels/{number}/lines"
        lines: Cell = {"parts": [_engraved(read, f"{place}/{line}") for line in read.count(place)], "join": " / "}
        rows.append([read.say("label_n", number=number + 1), lines])
    for kind in ("window", "probe"):
        places = [n for n in read.count("guide/windows") if read.at(f"guide/windows/{n}/kind") == kind]
        if places:
            width = read.figure(f"guide/windows/{places[0]}/diameter_mm")
            rows.append([read.say(f"{kind}s"), {"parts": [f"{len(places)} ×", width, "–", read.say(f"{kind}s_use")]}])
    if read.has("guide/pointer"):
        rows.append([read.say("pointer"), read.say("pointer_use")])
    if read.has("guide/axis_mark"):
        rows.append([read.say("axis_mark"), read.say("axis_mark_use")])
    return rows


def _engraved(read: Reader, place: str) -> Cell:
    """A line as it stands on the guide, in no other language."""
    return {"text": read.at(place), "from": pointer("plan.json", place)}
