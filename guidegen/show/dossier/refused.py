"""The dossier of a case without a guide: which rule ruled it out, by how much, and what else was tried."""

from __future__ import annotations

from typing import Any

from guidegen.check.finding import is_count
from guidegen.plan.rules import sign_of
from guidegen.show.dossier.doubt import strategy_blocks
from guidegen.show.dossier.reader import Block, Cell, Reader, Row, pictures, section, table, text, warning
from guidegen.show.dossier.tunnels import broken_rules

# What a refusal measures, under which word and with which limit it is told; what is not here keeps its own name.
FIGURES: dict[str, tuple[str, str | None]] = {
    "wall_min_mm": ("wall", "wall_min_mm"),
    "vessel_wall_mm": ("vessel_wall", "vessel_wall_min_mm"),
    "subchondral_axis_mm": ("axis_to_joint", "subchondral_axis_mm"),
    "subchondral_mm": ("rim_to_joint", "subchondral_rim_mm"),
    "tool_to_joint_mm": ("tool_to_joint", "subchondral_rim_mm"),
    "keep_out_mm": ("to_kept_out", "keep_out_min_mm"),
    "lesion_missed_mm": ("lesion_missed", None),
    "shaft_angle_deg": ("shaft_angle", None),
    "obliquity_deg": ("obliquity", "obliquity_max_deg"),
    "above_lesser_mm": ("above_lesser", None),
    "below_ridge_mm": ("below_ridge", None),
    "off_middle": ("off_middle", "entry_off_middle_max"),
}
BROKEN = ("rule", "measured", "limit", "may_be_waived")
FIRST_PICTURES = ("cuts.png",)  # of the first page, and of no other
UNITS = {"mm": "mm", "deg": "°", "mm2": "mm²"}  # by the end of a figure's name


def refused_section(read: Reader, drawn: frozenset[str]) -> dict[str, Any]:
    """The first page: that there is no guide, and why: by the tunnel that was ordered, or by what the search found."""
    broken = _broken_rows(read)
    said = [] if broken else [read.quote("refusal/message")]
    rule: Cell = {"parts": [read.say("ruling_rule"), read.rule("refusal/rule")], "strong": True}
    measured = table(_figure_rows(read), read.say("refused_figures"), _heads(read, "measured", "limit"), align="lrr")
    lesion: list[Row] = [
        [read.say("volume"), read.figure("lesion/volume_mm3", 0, "mm³")],
        [read.say("head_share"), read.share("lesion/head_fraction")],
    ]
    return section(
        "refused",
        read.say("no_guide"),
        [
            warning([rule, *said, read.say("refused_means")], read.say("refused_banner"), grave=True),
            table(broken, read.say("broken_rules"), _heads(read, *BROKEN), align="llrrl", widths=[2, 6, 2, 2, 2])
            if broken
            else measured
            if read.at("refusal/figures")
            else None,
            table(lesion, read.say("lesion")),
            pictures(read, FIRST_PICTURES, drawn),
        ],
        fresh=False,
    )


def tried_section(read: Reader, drawn: frozenset[str]) -> dict[str, Any] | None:
    """What else was tried, where the order itself has no tunnel to show."""
    if not read.has("plan"):
        return None
    explanation = text([read.quote("plan/explanation")], None)
    return section("tried", read.say("tried"), [explanation, *strategy_blocks(read, drawn)])


def _heads(read: Reader, *keys: str) -> Row:
    return ["", *(read.say(key) for key in keys)]


def _broken_rows(read: Reader) -> list[Row]:
    """Every rule that a tunnel as it was ordered breaks."""
    return [[*cells, read.say("yes" if read.at(f"{place}/waivable") else "no")] for place, cells in broken_rules(read)]


def _figure_rows(read: Reader) -> list[Row]:
    """All that the refusal measured, each beside its limit where it has one."""
    rows: list[Row] = []
    for name in read.at("refusal/figures"):
        word, limit = FIGURES.get(name, (None, None))
        unit = UNITS.get(name.rpartition("_")[2], "")
        bound: Cell = ""
        if limit is not None and read.has(f"limits/{limit}"):
            bound = {"parts": [sign_of(limit), read.figure(f"limits/{limit}", 1, unit)]}
        told = name.replace("_", " ") if word is None else read.say(word)
        decimals = 0 if is_count(unit, read.at(f"refusal/figures/{name}")) else 1
        rows.append([told, read.figure(f"refusal/figures/{name}", decimals, unit), bound])
    return rows


def rejected_block(read: Reader) -> Block | None:
    """That the written guide failed a check, and which: before all else on the first page."""
    failed = [number for number, finding in enumerate(read.findings) if not finding["passed"]]
    if not failed:
        return None
    return warning(
        [*(read.failed(number) for number in failed[:MOST_NAMED]), read.say("rejected_means")],
        read.say("rejected_banner", failed=len(failed), count=len(read.findings)),
        grave=True,
    )


MOST_NAMED = 8  # of the failed checks on the first page; all stand among the checks
