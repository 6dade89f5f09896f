"""The dossier on the tunnels: where they begin and end, how near they come to what must stay whole, what they reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from guidegen.plan.rules import sign_of
from guidegen.show.dossier.reader import (
    Block,
    Cell,
    Reader,
    Row,
    beside,
    pictures,
    recorded_warnings,
    section,
    table,
    text,
    warning,
)
from guidegen.show.dossier.soft_tissue import way_in_row


def summary_section(read: Reader, drawn: frozenset[str], rejected: Block | None) -> dict[str, Any]:
    """The first page: what stands in the way, what to be warned of, and the plan in a few figures.

    `rejected`: that a check failed, if one did.
    """
    return section(
        "summary",
        read.say("summary"),
        [
            rejected,
            _broken(read),
            _warnings(read),
            pictures(read, ("guide.png", "tunnel.png"), drawn, columns=2),
            beside(
                [table(_key_rows(read), read.say("in_figures"), tunnel_head(read), align=_aligned(read))],
                [table(_lesion_rows(read), read.say("lesion")), table(_guide_rows(read), read.say("guide"))],
                share=0.54,
            ),
            text([read.quote("plan/explanation")], read.say("explanation")),
        ],
        fresh=False,
    )


def tunnel_section(read: Reader, drawn: frozenset[str]) -> dict[str, Any]:
    """The tunnels in all their figures, beside what each is held to, and the bone cut along them."""
    head = [*(tunnel_head(read) or ["", read.say("planned")]), read.say("limit")]
    several = len(read.at("tunnels")) > 1
    return section(
        "tunnel",
        read.say("tunnels" if several else "tunnel"),
        [
            beside(
                [table(_distance_rows(read), read.say("distances"), head, align=_aligned(read, 1))],
                [
                    table(_volume_rows(read), read.say("volumes")),
                    table(_place_rows(read), read.say("in_the_image"), tunnel_head(read), align=_aligned(read)),
                ],
                share=0.56,
            ),
            *_cut(read, drawn, several),
        ],
    )


def _cut(read: Reader, drawn: frozenset[str], several: bool) -> list[Block | None]:
    """The bone cut along the tunnel, drawn and as imaged; smaller where several tunnels need the page's room."""
    imaged = ("reformat_ct.png", "reformat_mr.png", "reformat.png")
    if several:
        return [pictures(read, ("cuts.png", *imaged), drawn, columns=2)]
    return [pictures(read, ("cuts.png",), drawn, width=0.6), pictures(read, imaged, drawn, width=0.58)]


def tunnel_head(read: Reader) -> Row | None:
    """The numbers of the tunnels over their columns, where there are several."""
    count = len(read.at("tunnels"))
    return ["", *(read.say("tunnel_n", number=number + 1) for number in range(count))] if count > 1 else None


def each(read: Reader, name: str, decimals: int = 1, unit: str = "mm") -> list[Cell]:
    """One figure of every tunnel."""
    return [read.figure(f"tunnels/{number}/{name}", decimals, unit) for number in read.count("tunnels")]


def _aligned(read: Reader, more: int = 0) -> str:
    return "l" + "r" * (len(read.at("tunnels")) + more)


def broken_rules(read: Reader) -> Iterator[tuple[str, Row]]:
    """The place of every rule that a tunnel breaks, and in words: tunnel, rule, what was measured, its limit."""
    for number in read.count("tunnels"):
        for rule in read.count(f"tunnels/{number}/broken_rules"):
            place = f"tunnels/{number}/broken_rules/{rule}"
            unit = read.at(f"{place}/unit")
            yield (
                place,
                [
                    read.say("tunnel_n", number=number + 1),
                    read.rule(f"{place}/rule"),
                    read.figure(f"{place}/measured", 2, unit),
                    {"parts": [sign_of(read.at(f"{place}/rule")), read.figure(f"{place}/limit", 1, unit)]},
                ],
            )


def _broken(read: Reader) -> Block | None:
    """Every rule that a tunnel breaks, in figures, and what is proposed about it."""
    parts: list[Cell] = [
        {"parts": [tunnel, rule, measured, read.say("limit"), limit]}
        for _, (tunnel, rule, measured, limit) in broken_rules(read)
    ]
    for number in read.count("plan/waivers_proposed"):
        place = f"plan/waivers_proposed/{number}"
        parts.append(
            {
                "parts": [
                    read.quote(f"{place}/author"),
                    read.say("proposes_to_waive"),
                    read.rule(f"{place}/rule"),
                    "–",
                    read.quote(f"{place}/reason"),
                ]
            }
        )
    return (
        warning([*parts, read.say("nothing_before_accepted")], read.say("breaks_rules"), grave=True) if parts else None
    )


def _warnings(read: Reader) -> Block | None:
    found = recorded_warnings(read)
    return warning(found, read.say("warning")) if found else None


def _key_rows(read: Reader) -> list[Row]:
    """What a surgeon asks first."""
    return [
        [read.say("depth_reading"), *each(read, "depth_reading_mm")],
        [read.say("diameter"), *each(read, "diameter_mm")],
        [read.say("length"), *each(read, "length_mm")],
        [read.say("below_ridge"), *each(read, "entry_below_vastus_ridge_mm")],
        [read.say("above_lesser"), *each(read, "entry_above_lesser_trochanter_mm")],
        [read.say("shaft_angle"), *each(read, "shaft_angle_deg", 0, "°")],
        [read.say("wall"), *each(read, "wall_min_mm")],
        [read.say("rim_to_joint"), *each(read, "subchondral_mm")],
        [read.say("tip_p95"), *each(read, "error_budget/to_lesion_p95_mm")],
    ]


def _lesion_rows(read: Reader) -> list[Row]:
    count = read.count("tunnels")
    return [
        [read.say("volume"), read.figure("lesion/volume_mm3", 0, "mm³")],
        [read.say("head_share"), read.share("lesion/head_fraction")],
        [
            read.say("reached"),
            read.share("tunnels/0/lesion_reached_fraction", 1) if len(count) == 1 else reached(read, "plan/chosen"),
        ],
    ]


def reached(read: Reader, proposal: str) -> Cell:
    """The share of the lesion that all tunnels of a proposal reach together."""
    parts = [f"{proposal}/volumes/{name}" for name in ("reached_by_tool_mm3", "reached_by_curette_mm3", "lesion_mm3")]
    tool, curette, whole = (read.at(part) for part in parts)
    return read.worked(read.say.share((tool + curette) / whole, 1), "reached share", *parts)


def _guide_rows(read: Reader) -> list[Row]:
    return [
        [read.say("size"), read.quote("guide/size")],
        [read.say("incision"), read.figure("guide/seat/incision_mm", 0)],
        way_in_row(read),
        [read.say("kit"), read.quote("plan/chosen/kit")],
        [read.say("plan_hash"), read.quote("guide/plan_hash")],
    ]


def _distance_rows(read: Reader) -> list[Row]:
    """How near the tunnels come to all that must stay whole, and what they are held to."""

    def row(word: str, name: str, limit: str | None, decimals: int = 1, unit: str = "mm") -> Row:
        bound: Cell = ""
        if limit is not None and read.has(f"limits/{limit}"):
            bound = {"parts": [sign_of(limit), read.figure(f"limits/{limit}", decimals, unit)]}
        return [read.say(word), *each(read, name, decimals, unit), bound]

    kept_out = [row("to_kept_out", "keep_out_mm", "keep_out_min_mm")] if read.has("tunnels/0/keep_out_mm") else []
    return [
        row("diameter", "diameter_mm", None),
        row("length", "length_mm", None),
        row("wall", "wall_min_mm", "wall_min_mm"),
        row("vessel_wall", "vessel_wall_mm", "vessel_wall_min_mm"),
        row("axis_to_joint", "subchondral_axis_mm", "subchondral_axis_mm"),
        row("rim_to_joint", "subchondral_mm", "subchondral_rim_mm"),
        row("tool_to_joint", "tool_to_joint_mm", "subchondral_rim_mm"),
        row("off_centroid", "centroid_distance_mm", "centroid_distance_max_mm"),
        [read.say("above_lesser"), *each(read, "entry_above_lesser_trochanter_mm"), read.say("none_below")],
        [read.say("below_ridge"), *each(read, "entry_below_vastus_ridge_mm"), read.say("none_below")],
        [read.say("shaft_angle"), *each(read, "shaft_angle_deg", 0, "°"), _angles(read)],
        row("obliquity", "obliquity_deg", "obliquity_max_deg", 0, "°"),
        [
            read.say("reached"),
            *(read.share(f"tunnels/{n}/lesion_reached_fraction", 1) for n in read.count("tunnels")),
            "",
        ],
        *kept_out,
    ]


def _angles(read: Reader) -> Cell:
    """Between which angles to the shaft a tunnel may lie."""
    places = ("limits/shaft_angle_min_deg", "limits/shaft_angle_max_deg")
    if not all(map(read.has, places)):
        return ""
    return {"parts": [read.figure(place, 0, "°") for place in places], "join": "–"}


def _volume_rows(read: Reader) -> list[Row]:
    place = "plan/chosen/volumes"
    curetted = f"{place}/reached_by_curette_mm3"  # 0 without a curette
    return [
        [read.say("lesion"), read.figure(f"{place}/lesion_mm3", 0, "mm³")],
        [read.say("by_tool"), read.figure(f"{place}/reached_by_tool_mm3", 0, "mm³")],
        *([[read.say("by_curette"), read.figure(curetted, 0, "mm³")]] if read.at(curetted) else []),
        [read.say("left_of_lesion"), read.figure(f"{place}/residual_mm3", 0, "mm³")],
        [read.say("bone_removed"), read.figure(f"{place}/bone_removed_mm3", 0, "mm³")],
        [read.say("graft"), read.figure(f"{place}/graft_ml", 1, "ml")],
    ]


def _place_rows(read: Reader) -> list[Row]:
    """Entry and target in the frame of the image, for whoever looks them up there."""
    return [
        [read.say(name), *(point(read, f"tunnels/{n}/{name}_mm") for n in read.count("tunnels"))]
        for name in ("entry", "target")
    ]


def point(read: Reader, place: str) -> Cell:
    """A point's three coordinates."""
    return {"parts": [read.figure(f"{place}/{number}", 1, "") for number in range(3)], "join": " / "}
