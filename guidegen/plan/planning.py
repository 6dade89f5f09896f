"""The plan: what was asked, the best that every strategy finds beside it, and what speaks for and against each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from guidegen.errors import NoSafePlan
from guidegen.frames import FloatArray
from guidegen.plan.error_budget import Aim, ErrorBudget, error_budget
from guidegen.plan.error_sources import ErrorSources, error_sources
from guidegen.plan.explain import explained
from guidegen.plan.hip import Hip
from guidegen.plan.instruments import InstrumentStep, depth_reading_mm, instrument_sequence
from guidegen.plan.kits import Kit
from guidegen.plan.monte_carlo import Simulated, simulate
from guidegen.plan.refusal import NoMarkedPlan, refused
from guidegen.plan.rules import Broken
from guidegen.plan.search import Certificate
from guidegen.plan.strategies import (
    Found,
    Ground,
    as_ordered,
    ends_at,
    ground_of,
    most_of_the_lesion,
    score_of,
    several,
    through_centroid,
)
from guidegen.plan.templates import Policy, Printer
from guidegen.plan.trade_off import Trade, trade_off
from guidegen.plan.tunnel import Tunnel, broken_rules
from guidegen.plan.volumes import Volumes, plan_volumes

CENTROID, COVERAGE, MULTIPLE, ORDERED = "centroid", "coverage", "multiple", "ordered"
STRATEGIES: Mapping[str, Callable[[Ground], Found]] = {
    CENTROID: through_centroid, COVERAGE: most_of_the_lesion, MULTIPLE: several,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Proposal:
    """One answer: its tunnels, the rules that each of them breaks (none but for an order), and what it amounts to.

    `budgets` and `steps` have one entry for each tunnel, and so has `simulated` for the plan that was chosen, but none
    for the others; `certificate` is None where nothing was searched.
    `warnings`: limits of the policy that are crossed, in sentences.
    """

    strategy: str
    kit: str
    tunnels: tuple[Tunnel, ...]
    broken: tuple[tuple[Broken, ...], ...]
    score: float
    certificate: Certificate | None
    volumes: Volumes
    budgets: tuple[ErrorBudget, ...]
    simulated: tuple[Simulated, ...]
    steps: tuple[tuple[InstrumentStep, ...], ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Ruled:
    """A strategy that has no tunnel: the ruling rule, its figures by name, and the sentence."""

    strategy: str
    kit: str
    rule: str
    message: str
    figures: dict[str, float]


@dataclass(frozen=True)
class Waiver:
    """A rule that the engineer proposes to waive, and why; it counts only when the surgeon accepts it."""

    rule: str
    reason: str
    author: str


@dataclass(frozen=True, eq=False)
class Plan:
    """What was asked (`chosen`; None where no tunnel keeps the rules), and the best of every strategy.

    `ruled_out`: strategies without a tunnel. `trades`: reach against safety. `waived`: proposed waivers of rules that
    `chosen` breaks. `explanation`: one paragraph of figures.
    """

    chosen: Proposal | None
    alternatives: tuple[Proposal, ...]
    ruled_out: tuple[Ruled, ...]
    trades: tuple[Trade, ...]
    waived: tuple[Waiver, ...]
    explanation: str


@dataclass(frozen=True, eq=False)
class Task:
    """What a plan is made of: the hip, the kit for one tunnel and that for several, and what is asked.

    `fan_guided_length_mm`: over which the sleeves lead the drill of the kit for several; that for one is the hip's.
    """

    hip: Hip
    kit: str
    fan_kit: Kit
    fan_kit_name: str
    fan_guided_length_mm: float
    printer: Printer
    policy: Policy
    surface_error_mm: float
    strategy: str
    entry_mm: FloatArray | None
    target_mm: FloatArray | None
    waivers: tuple[Waiver, ...] = ()
    kit_ordered: bool = False

    @cached_property
    def fan_hip(self) -> Hip:
        """The same hip with the kit for several tunnels."""
        play = self.printer.bores.drill_clearance_mm
        return replace(
            self.hip,
            kit=self.fan_kit,
            sleeve_bore_mm=self.fan_kit.drill.diameter_mm + play,
            guided_length_mm=self.fan_guided_length_mm,
            sleeve_play_mm=play,
        )

    @property
    def is_ordered(self) -> bool:
        """Whether the surgeon gave an entry or a target; a kit alone leaves both to the search."""
        return self.entry_mm is not None or self.target_mm is not None


def make_plan(task: Task) -> Plan:
    """The plan; whether anything may be built on it is for `refusal_of` to say. NoSafePlan where an order cannot even
    be measured.
    """
    ordered, own = _ordered(task) if task.is_ordered else (None, None)
    ground = ground_of(task.hip)
    fan_ground = replace(ground, hip=task.fan_hip)
    grounds = {strategy: fan_ground if strategy == MULTIPLE else ground for strategy in STRATEGIES}
    found: dict[str, Proposal] = {}
    refusals: dict[str, NoSafePlan] = {}
    for strategy, search in STRATEGIES.items():
        try:
            found[strategy] = _proposal(task, strategy, search(grounds[strategy]), grounds[strategy])
        except NoSafePlan as refusal:
            refusals[strategy] = refusal
    chosen = ordered or found.get(task.strategy)
    at = grounds[task.strategy] if own is None else own
    marked = refusals.get(task.strategy)
    if chosen is None and task.kit_ordered and isinstance(marked, NoMarkedPlan):
        score = score_of(at.hip, (marked.nearest,), for_reach=task.strategy != CENTROID)
        chosen = _proposal(task, ORDERED, Found((marked.nearest,), score, None), at)
    alternatives = tuple(each for each in found.values() if each is not chosen)
    trades = trade_off(ground)
    ruled = tuple(
        Ruled(name, task.fan_kit_name if name == MULTIPLE else task.kit, each.rule, each.message, each.figures)
        for name, each in refusals.items()
    )
    if chosen is not None:
        chosen = replace(chosen, simulated=tuple(_simulated(task, at, tunnel) for tunnel in chosen.tunnels))
    waived = _waived(chosen, task.waivers)
    return Plan(chosen, alternatives, ruled, trades, waived, explained(chosen, alternatives, trades))


def refusal_of(plan: Plan, strategy: str) -> NoSafePlan | None:
    """Why nothing may be built on a plan: no tunnel keeps the rules, or the ordered one breaks a rule that no proposed
    waiver covers; None for a plan to build on.
    """
    if plan.chosen is None:
        ruled = next(each for each in plan.ruled_out if each.strategy == strategy)
        return NoSafePlan(ruled.message, ruled.rule, ruled.figures)
    covered = {waiver.rule for waiver in plan.waived}
    for tunnel, broken in zip(plan.chosen.tunnels, plan.chosen.broken, strict=True):
        left = tuple(each for each in broken if each.rule not in covered or not each.waivable)
        if left:
            return refused(tunnel, left, "the one that was ordered, which breaks")
    return None


def as_built(plan: Plan, kit: Kit, offsets_mm: tuple[float, ...], wire_depths_mm: tuple[float, ...]) -> Plan:
    """The plan as it is with what leads each drill built so far off the cortex, from entry to stop face, and with wires
    that go so deep: readings and steps follow. NoSafePlan where a drill is too short for that.
    """
    chosen = plan.chosen
    assert chosen is not None, "a guide is built on a plan"
    built = tuple(
        replace(
            tunnel,
            sleeve_offset_mm=offset,
            depth_reading_mm=depth_reading_mm(offset, tunnel.length_mm),
            drill_spare_mm=kit.drill.length_mm - offset - tunnel.length_mm,
        )
        for tunnel, offset in zip(chosen.tunnels, offsets_mm, strict=True)
    )
    steps = tuple(
        instrument_sequence(kit, tunnel.length_mm, depth_reading_mm(offset, tunnel.length_mm), wire_depths_mm)
        for tunnel, offset in zip(built, offsets_mm, strict=True)
    )
    return replace(plan, chosen=replace(chosen, tunnels=built, steps=steps))


def _ordered(task: Task) -> tuple[Proposal, Ground]:
    """The surgeon's own entry or target: the best tunnel with it, or the one that comes nearest to being lawful."""
    if task.strategy == MULTIPLE and task.target_mm is not None:
        raise NoSafePlan(
            "expected no ordered target for several tunnels, which have one each, found one; order an entry alone, or "
            "another strategy",
            rule="target_of_several",
            figures={},
        )
    hip = task.fan_hip if task.strategy == MULTIPLE else task.hip
    ground = ground_of(hip, task.entry_mm, task.target_mm)
    if task.entry_mm is not None and task.target_mm is not None:
        found = as_ordered(ground, task.target_mm)
    else:
        search = STRATEGIES[task.strategy] if task.target_mm is None else ends_at
        try:
            found = search(ground)
        except NoMarkedPlan as refusal:
            found = Found((refusal.nearest,), score_of(hip, (refusal.nearest,), for_reach=False), None)
    if task.entry_mm is not None:
        moved = float(((ground.entries.points_mm[0] - task.entry_mm) ** 2).sum() ** 0.5)
        found = replace(found, tunnels=tuple(replace(each, entry_moved_mm=moved) for each in found.tunnels))
    return _proposal(task, ORDERED, found, ground), ground


def _proposal(task: Task, strategy: str, found: Found, ground: Ground) -> Proposal:
    hip = ground.hip
    budgets = tuple(_budget(task, ground, tunnel) for tunnel in found.tunnels)
    return Proposal(
        strategy=strategy,
        kit=task.fan_kit_name if hip is task.fan_hip else task.kit,
        tunnels=found.tunnels,
        broken=tuple(broken_rules(tunnel, hip.rules) for tunnel in found.tunnels),
        score=found.score,
        certificate=found.certificate,
        volumes=plan_volumes(hip, found.tunnels),
        budgets=budgets,
        simulated=(),
        steps=tuple(_steps(hip.kit, tunnel) for tunnel in found.tunnels),
        warnings=policy_warnings(task.policy, budgets),
    )


def _steps(kit: Kit, tunnel: Tunnel) -> tuple[InstrumentStep, ...]:
    """The instruments in their order; none for a tunnel that the drill cannot make."""
    if tunnel.depth_reading_mm is None or tunnel.depth_reading_mm > kit.drill.length_mm:
        return ()
    return instrument_sequence(kit, tunnel.length_mm, tunnel.depth_reading_mm)


def _budget(task: Task, ground: Ground, tunnel: Tunnel) -> ErrorBudget:
    aim, sources = _aim(ground.hip, tunnel), _sources(task, ground.hip, tunnel)
    points, limit = task.hip.lesion.points_mm, task.policy.joint_within_3_mm_max
    return error_budget(aim, sources, ground.way.depth_mm, points, limit)


def _simulated(task: Task, ground: Ground, tunnel: Tunnel) -> Simulated:
    aim, sources = _aim(ground.hip, tunnel), _sources(task, ground.hip, tunnel)
    return simulate(aim, sources, ground.way.depth_mm, task.hip.lesion.points_mm)


def _sources(task: Task, hip: Hip, tunnel: Tunnel) -> ErrorSources:
    registration = hip.lesion.registration
    offset = tunnel.sleeve_offset_mm if tunnel.sleeve_offset_mm is not None else max(hip.kit.sleeve_offsets_mm)
    return error_sources(
        printer_rms_mm=task.printer.rms_error_mm,
        bore_clearance_mm=hip.sleeve_play_mm,
        guided_length_mm=hip.guided_length_mm,
        sleeve_end_mm=max(0.0, offset - hip.guided_length_mm),
        bend_mm=hip.kit.drill.bend_mm,
        surface_error_mm=task.surface_error_mm,
        lesion_doubt_95_mm=None if registration is None else registration.lesion_doubt_mm,
    )


def _aim(hip: Hip, tunnel: Tunnel) -> Aim:
    return Aim(
        entry_mm=tunnel.entry_mm,
        target_mm=tunnel.target_mm,
        outline_mm=tunnel.outline_mm,
        radius_mm=tunnel.diameter_mm / 2.0,
        seat_center_mm=tunnel.entry_mm,
        head_center_mm=hip.anatomy.head_center_mm,
        head_radius_mm=hip.anatomy.head_radius_mm,
        entry_zone_mm=hip.rules.entry_zone_mm,
    )


def policy_warnings(policy: Policy, budgets: tuple[ErrorBudget, ...]) -> tuple[str, ...]:
    """The limits of the policy that a plan crosses: a sentence each, with what would keep it where that is known."""
    said = []
    for number, budget in enumerate(budgets, start=1):
        name = f"Tunnel {number}" if len(budgets) > 1 else "The tunnel"
        if budget.reaches_lesion < policy.reaches_lesion_min:
            said.append(
                f"{name} reaches the lesion with a probability of {budget.reaches_lesion:.1%}, less than the "
                f"{policy.reaches_lesion_min:.0%} asked for."
            )
        if budget.within_3_mm_of_joint > policy.joint_within_3_mm_max:
            earlier = budget.stop_earlier_mm
            cure = "" if earlier is None else f"; stopped {earlier:.1f} mm earlier it would keep it"
            said.append(
                f"{name} comes closer than 3 mm to the joint with a probability of {budget.within_3_mm_of_joint:.1%}, "
                f"more than the {policy.joint_within_3_mm_max:.0%} allowed{cure}."
            )
        if budget.to_lesion_p95_mm > policy.tip_p95_max_mm:
            said.append(
                f"{name}'s tip is within {budget.to_lesion_p95_mm:.1f} mm of its place in the lesion in 95 % of "
                f"operations, more than the {policy.tip_p95_max_mm:g} mm allowed; {budget.dominant} dominates."
            )
    return tuple(said)


def _waived(chosen: Proposal | None, waivers: tuple[Waiver, ...]) -> tuple[Waiver, ...]:
    if chosen is None:
        return ()
    broken = {each.rule for tunnel in chosen.broken for each in tunnel if each.waivable}
    return tuple(waiver for waiver in waivers if waiver.rule in broken)
