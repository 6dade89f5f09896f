"""What a reader of the numbers must know besides them, in sentences: for plan.json, the dossier and the terminal."""

from __future__ import annotations

from guidegen.assessed import Assessed, Planned
from guidegen.bone.side import lone_side_note
from guidegen.errors import NoSafePlan
from guidegen.guide.guide import Guide
from guidegen.guide.soft_tissue import SoftTissue
from guidegen.plan.planning import Proposal, Waiver
from guidegen.plan.rules import Rules
from guidegen.rounded import shown, shown_beside

ENTRY_NOTED_MM = 0.05  # an ordered entry nearer to the surface than this lies on it


def assessment_notes(assessed: Assessed) -> tuple[str, ...]:
    """The notes on the hip as read; those on the grades stand with the grades."""
    notes = [*assessed.origin.notes]
    lone_side = lone_side_note(assessed.sides.sources)
    if lone_side is not None:
        notes.append(lone_side)
    if assessed.anatomy.shaft_is_short:
        notes.append(
            "The scan shows little shaft: its axis was found from the lateral cortex and the usual offset of the head, "
            "which may lean by several degrees."
        )
    fit = assessed.bone.fit
    if fit is not None and (fit.pieces > 1 or fit.cavities_filled_mm3 > 0):
        notes.append(
            f"The bone's label had {fit.pieces} pieces ({shown(fit.dropped_mm3, 0)} mm³ outside the largest were "
            f"dropped) and closed cavities of {shown(fit.cavities_filled_mm3, 0)} mm³, which were filled."
        )
    if fit is None:
        notes.append("The bone came as a surface: the error of its segmentation is not known and not in the clearance.")
    lesion = assessed.lesion
    if lesion.pieces > 1:
        notes.append(f"The lesion has {lesion.pieces} pieces; volume and centroid are those of all of them together.")
    if not lesion.centroid_inside:
        notes.append("The lesion's centroid lies outside the lesion: look where the tunnel ends before you approve it.")
    if lesion.registration is None:
        notes.append("The lesion came in the bone's own frame; nothing was registered.")
    version_missing = assessed.anatomy.neck_version_missing
    if version_missing is not None:
        notes.append(f"There is no neck version: {version_missing}.")
    overrides = assessed.case.overrides
    if overrides is not None:
        notes.append(
            f"Overruled by {overrides.author}: {', '.join(_overruled(assessed))}. The reason given: {overrides.reason}"
        )
    return tuple(notes)


def _overruled(assessed: Assessed) -> list[str]:
    """What an expert gave in place of what was computed, in words."""
    overrides = assessed.case.overrides
    assert overrides is not None, "asked for only where there is something"
    changed = [f"{each.name} by {shown(each.apart, 1)} {each.unit}" for each in assessed.overruled]
    pose = ["the registration"] if overrides.registration is not None else []
    return [*changed, *pose, *(f"{name} need not be kept away from" for name in overrides.not_kept_away)]


def plan_notes(planned: Planned) -> tuple[str, ...]:
    """The notes on everything up to the plan."""
    notes = [*assessment_notes(planned.assessed)]
    plan, rules = planned.plan, Rules()
    if plan is None:
        return tuple(notes)
    notes.append(plan.explanation)
    chosen = plan.chosen
    if chosen is None:
        return tuple(notes)
    notes += [
        f"The wall of {shown(tunnel.wall_min_mm, 1)} mm keeps its limit of {rules.wall_min_mm:g} mm, but by less than "
        f"the doubt of {rules.surface_doubt_mm:g} mm in the segmented surface."
        for tunnel in chosen.tunnels
        if rules.wall_min_mm <= tunnel.wall_min_mm < rules.wall_min_mm + rules.surface_doubt_mm
    ]
    moved_mm = chosen.tunnels[0].entry_moved_mm
    if moved_mm >= ENTRY_NOTED_MM:
        notes.append(
            f"The ordered entry lay {shown(moved_mm, 1)} mm off the bone's surface; the tunnel begins at the nearest "
            "point on it."
        )
    left = [number for number, piece in enumerate(chosen.volumes.pieces, start=1) if not piece.served]
    if left:
        names = ", ".join(f"{n} ({shown(chosen.volumes.pieces[n - 1].volume_mm3, 0)} mm³)" for n in left)
        notes.append(f"Of the lesion's pieces, counted from the largest, nothing of these is reached: {names}.")
    notes += [_waiver_note(waiver, chosen) for waiver in plan.waived]
    used = {waiver.rule for waiver in plan.waived}
    notes += [
        f"The waiver proposed for {asked.rule} changes nothing: the plan does not break this rule, or by more than may "
        "be waived. A waiver does not widen a search: it needs an ordered entry, target or kit."
        for asked in planned.assessed.case.waivers
        if asked.rule not in used
    ]
    return (*notes, *chosen.warnings)


def _waiver_note(waiver: Waiver, chosen: Proposal) -> str:
    broken = next(each for tunnel in chosen.broken for each in tunnel if each.rule == waiver.rule)
    measured = shown_beside(broken.measured, broken.limit, 1)
    return (
        f"{waiver.author} proposes to waive {broken.rule} ({measured} {broken.unit}, limit "
        f"{broken.limit:g}): {waiver.reason} Nothing may be made of it before the surgeon accepts this."
    )


def guide_notes(guide: Guide | None, over: SoftTissue | None, refusal: NoSafePlan | None) -> tuple[str, ...]:
    """The notes on the guide and on the soft tissue over it, or on why there is none."""
    warnings = () if guide is None else guide.warnings
    told = (*warnings, *(() if over is None else (*over.notes, *over.warnings)))
    return told if refusal is None else (*told, f"There is no guide: {refusal.message}")
