"""The dossier on how far off the drill may end, what may come of it, and what else could be done."""

from __future__ import annotations

from typing import Any

from guidegen.show.dossier.reader import Block, Cell, Reader, Row, beside, pictures, section, table, text
from guidegen.show.dossier.tunnels import each, reached, tunnel_head


def doubt_section(read: Reader, drawn: frozenset[str]) -> dict[str, Any]:
    """The error budget of every tunnel, what it is made of, and the strategies side by side."""
    count = len(read.at("tunnels"))
    widest = max(range(count), key=lambda number: read.at(f"tunnels/{number}/error_budget/to_lesion_p95_mm"))
    place = f"tunnels/{widest}/error_budget/contributions"
    moves = read.say("what_moves_tip") if count == 1 else read.say("what_moves_tip_of", number=widest + 1)
    head = ["", read.say("alone_rms"), read.say("share")]
    budget = table(_budget_rows(read), read.say("error_budget"), tunnel_head(read), align="l" + "r" * count)
    parts = table(_contribution_rows(read, place), moves, head, align="lrr")
    sources = table(_sources(read, place), read.say("figures_come_from"), widths=[1, 4])
    headline = text([read.say("headline")]) if read.has("guide") else None
    if count == 1:
        made_of = [beside([budget], [parts], share=0.54), headline, sources]
    else:  # a column for each tunnel takes the page's width
        made_of = [budget, headline, beside([parts], [sources], share=0.36)]
    return section("doubt", read.say("doubt"), [*made_of, *strategy_blocks(read, drawn)])


def strategy_blocks(read: Reader, drawn: frozenset[str]) -> list[Block | None]:
    """The strategies side by side, those without a tunnel with their reason, and what safety costs."""
    rows = _strategy_rows(read)
    return [
        table(rows, read.say("strategies"), _strategy_head(read), align="llrrrrrr") if rows else None,
        text([read.say("strategies_note"), *_as_built(read)], None) if rows else None,
        text(_ruled_out(read), None, marked=True) if read.at("plan/ruled_out") else None,
        pictures(read, ("trade_off.png", "strategies.png"), drawn, columns=2),
    ]


def _as_built(read: Reader) -> list[Cell]:
    """The chosen plan's tip and joint once more with the guide's own seat, of several tunnels the worst."""
    if not read.has("guide"):
        return []
    tip, joint = (
        max((f"tunnels/{n}/error_budget/{name}" for n in read.count("tunnels")), key=read.at)
        for name in ("to_lesion_p95_mm", "within_3_mm_of_joint")
    )
    return [
        {
            "parts": [
                read.say("chosen_as_built"),
                {"parts": [read.say("tip_p95"), read.figure(tip)]},
                "·",
                {"parts": [read.say("near_joint"), read.share(joint, 1)]},
            ]
        }
    ]


def _budget_rows(read: Reader) -> list[Row]:
    def chance(name: str, decimals: int) -> list[Cell]:
        return [read.share(f"tunnels/{n}/error_budget/{name}", decimals) for n in read.count("tunnels")]

    rows: list[Row] = [
        [read.say("seat_in_budget"), *(read.quote(f"tunnels/{n}/error_budget/seat") for n in read.count("tunnels"))],
        [read.say("seat_shift_rms"), *each(read, "error_budget/seat_shift_rms_mm", 2)],
        [read.say("seat_turn_rms"), *each(read, "error_budget/seat_turn_rms_deg", 2, "°")],
        [read.say("entry_off_p95"), *each(read, "error_budget/entry_p95_mm")],
        [read.say("angle_off_p95"), *each(read, "error_budget/angle_p95_deg", 1, "°")],
        [read.say("tip_mean"), *each(read, "error_budget/tip_mean_mm")],
        [read.say("tip_off_p95"), *each(read, "error_budget/tip_p95_mm")],
        [read.say("tip_p95"), *each(read, "error_budget/to_lesion_p95_mm")],
        [read.say("tip_p95_assumed"), *each(read, "error_budget_assumed/to_lesion_p95_mm")],
        [read.say("dominant"), *(read.quote(f"tunnels/{n}/error_budget/dominant") for n in read.count("tunnels"))],
        [read.say("reaches_lesion"), *chance("reaches_lesion", 1)],
        [read.say("near_joint"), *chance("within_3_mm_of_joint", 1)],
        [read.say("breaches"), *chance("breaches_cortex", 2)],
    ]
    if any(read.has(f"tunnels/{n}/error_budget/stop_earlier_mm") for n in read.count("tunnels")):
        rows.append([read.say("stop_earlier"), *each(read, "error_budget/stop_earlier_mm")])
    return rows


def _contribution_rows(read: Reader, place: str) -> list[Row]:
    return [
        [
            read.quote(f"{place}/{number}/name"),
            read.figure(f"{place}/{number}/tip_rms_mm", 2),
            read.share(f"{place}/{number}/share"),
        ]
        for number in read.count(place)
    ]


def _sources(read: Reader, place: str) -> list[Row]:
    return [[read.quote(f"{place}/{n}/name"), read.quote(f"{place}/{n}/source")] for n in read.count(place)]


def _strategy_head(read: Reader) -> Row:
    keys = ("kit", "tunnel_count", "reached", "left_of_lesion", "least_wall", "tip_p95_short", "near_joint_short")
    return ["", *(read.say(key) for key in keys)]


def _strategy_rows(read: Reader) -> list[Row]:
    """The chosen plan and every alternative; of several tunnels the worst."""
    rows = [_strategy_row(read, "plan/chosen", "tunnels")] if read.has("plan/chosen") else []
    for row in rows:
        row[0] = {"parts": [row[0], read.say("chosen")], "join": ", "}
    places = [f"plan/alternatives/{number}" for number in read.count("plan/alternatives")]
    return rows + [_strategy_row(read, place, f"{place}/tunnels") for place in places]


def _strategy_row(read: Reader, proposal: str, tunnels: str) -> Row:
    def worst(name: str, least: bool) -> str:
        """The place of the worst of the tunnels' values."""
        places = [f"{tunnels}/{number}/{name}" for number in read.count(tunnels)]
        return (min if least else max)(places, key=read.at)

    return [
        read.quote(f"{proposal}/strategy"),
        read.quote(f"{proposal}/kit"),
        str(len(read.at(tunnels))),
        reached(read, proposal),
        read.figure(f"{proposal}/volumes/residual_mm3", 0, "mm³"),
        read.figure(worst("wall_min_mm", True)),
        read.figure(worst("error_budget_assumed/to_lesion_p95_mm", False)),
        read.share(worst("error_budget_assumed/within_3_mm_of_joint", False), 1),
    ]


def _ruled_out(read: Reader) -> list[Cell]:
    return [
        {
            "parts": [
                read.say("no_tunnel_by"),
                read.quote(f"plan/ruled_out/{number}/strategy"),
                "–",
                read.quote(f"plan/ruled_out/{number}/message"),
            ]
        }
        for number in read.count("plan/ruled_out")
    ]
