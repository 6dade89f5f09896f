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
from guidegen.plan.instruments import Fittings, InstrumentStep, instrument_sequence
from guidegen.plan.kits import Kit
from guidegen.plan.monte_carlo import Simulated, simulate
from guidegen.plan.refusal import NoMarkedPlan, refused
from guidegen.plan.rules import Broken
from guidegen.plan.search import Certificate
from guidegen.plan.seating import Seating, assumed_seating
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
from guidegen.plan.volumes import RESIDUAL_FLAG_MM3, Volumes, plan_volumes
from guidegen.rounded import shown, shown_beside, shown_percent

CENTROID, COVERAGE, MULTIPLE, ORDERED = "centroid", "coverage", "multiple", "ordered"
STRATEGIES: Mapping[str, Callable[[Ground], Found]] = {
    CENTROID: through_centroid, COVERAGE: most_of_the_lesion, MULTIPLE: several,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Proposal:
    """One answer: its tunnels, the rules that each of them breaks (none but for an order), and what it amounts to.

    `budgets` and `steps` have one entry for each tunnel, and so has `simulated` for the plan that was chosen, but none
    for the others; `certificate` is None where nothing was searched. `budgets` are of the seat that was built, or of
    the one assumed before; `assumed_budgets` of the latter, on which plans are compared. `warnings`: limits of the
    policy that `budgets` cross, in sentences.
    """

    strategy: str
    kit: str
    tunnels: tuple[Tunnel, ...]
    broken: tuple[tuple[Broken, ...], ...]
    score: float
    certificate: Certificate | None
    volumes: Volumes
    budgets: tuple[ErrorBudget, ...]
    assumed_budgets: tuple[ErrorBudget, ...]
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
    `lesion_warnings`: what the surgeon must know of the lesion, whatever the plan.
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
    lesion_warnings: tuple[str, ...] = ()

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
            fittings=Fittings("insert"),
        )

    @property
    def is_ordered(self) -> bool:
        """Whether the surgeon gave an entry or a target; a kit alone leaves both to the search."""
        return self.entry_mm is not None or self.target_mm is not None

    @cached_property
    def grounds(self) -> Mapping[str, Ground]:
        """What every strategy searches on."""
        ground = ground_of(self.hip)
        fan_ground = replace(ground, hip=self.fan_hip)
        return {strategy: fan_ground if strategy == MULTIPLE else ground for strategy in STRATEGIES}

    @cached_property
    def asked_ground(self) -> Ground:
        """That of what is asked: from the ordered entry and to the ordered target, or of the strategy."""
        if not self.is_ordered:
            return self.grounds[self.strategy]
        hip = self.fan_hip if self.strategy == MULTIPLE else self.hip
        return ground_of(hip, self.entry_mm, self.target_mm)


@dataclass(frozen=True, eq=False)
class Missed:
    """A strategy that found no tunnel, and the one that comes nearest to keeping every rule, where one was measured."""

    ruled: Ruled
    nearest: Tunnel | None


@dataclass(frozen=True, eq=False)
class Survey:
    """What every strategy finds, whatever entry, target or size was ordered: an order that changes only these finds
    its alternatives as they are.
    """

    found: tuple[Proposal, ...]
    missed: tuple[Missed, ...]
    trades: tuple[Trade, ...]


def survey(task: Task) -> Survey:
    """The best of every strategy, and what more safety costs in reach."""
    found, missed = [], []
    for strategy, search in STRATEGIES.items():
        ground = task.grounds[strategy]
        try:
            found.append(_proposal(task, strategy, search(ground), ground))
        except NoSafePlan as refusal:
            kit = task.fan_kit_name if strategy == MULTIPLE else task.kit
            ruled = Ruled(strategy, kit, refusal.rule, refusal.message, refusal.figures)
            missed.append(Missed(ruled, refusal.nearest if isinstance(refusal, NoMarkedPlan) else None))
    return Survey(tuple(found), tuple(missed), trade_off(task.grounds[CENTROID]))


def make_plan(task: Task, surveyed: Survey) -> Plan:
    """The plan; whether anything may be built on it is for `refusal_of` to say. NoSafePlan where an order cannot even
    be measured.
    """
    ordered = _ordered(task) if task.is_ordered else None
    chosen = ordered or next((each for each in surveyed.found if each.strategy == task.strategy), None)
    at = task.asked_ground
    nearest = next((each.nearest for each in surveyed.missed if each.ruled.strategy == task.strategy), None)
    if chosen is None and task.kit_ordered and nearest is not None:
        score = score_of(at.hip, (nearest,), for_reach=task.strategy != CENTROID)
        chosen = _proposal(task, ORDERED, Found((nearest,), score, None), at)
    alternatives = tuple(each for each in surveyed.found if each is not chosen)
    if chosen is not None:
        chosen = replace(
            chosen, simulated=tuple(simulated_of(task, at, each, _assumed(each)) for each in chosen.tunnels)
        )
    waived = _waived(chosen, task.waivers)
    explanation = explained(chosen, alternatives, surveyed.trades)
    ruled_out = tuple(each.ruled for each in surveyed.missed)
    return Plan(chosen, alternatives, ruled_out, surveyed.trades, waived, explanation)


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


def _ordered(task: Task) -> Proposal:
    """The surgeon's own entry or target: the best tunnel with it, or the one that comes nearest to being lawful."""
    if task.strategy == MULTIPLE and task.target_mm is not None:
        raise NoSafePlan(
            "expected no ordered target for several tunnels, which have one each, found one; order an entry alone, or "
            "another strategy",
            rule="target_of_several",
            figures={},
        )
    ground = task.asked_ground
    if task.entry_mm is not None and task.target_mm is not None:
        found = as_ordered(ground, task.target_mm)
    else:
        search = STRATEGIES[task.strategy] if task.target_mm is None else ends_at
        try:
            found = search(ground)
        except NoMarkedPlan as refusal:
            found = Found((refusal.nearest,), score_of(ground.hip, (refusal.nearest,), for_reach=False), None)
    if task.entry_mm is not None:
        moved = float(((ground.entries.points_mm[0] - task.entry_mm) ** 2).sum() ** 0.5)
        found = replace(found, tunnels=tuple(replace(each, entry_moved_mm=moved) for each in found.tunnels))
    return _proposal(task, ORDERED, found, ground)


def _proposal(task: Task, strategy: str, found: Found, ground: Ground) -> Proposal:
    hip = ground.hip
    budgets = tuple(budget_of(task, ground, tunnel, _assumed(tunnel)) for tunnel in found.tunnels)
    volumes = plan_volumes(hip, found.tunnels)
    return Proposal(
        strategy=strategy,
        kit=task.fan_kit_name if hip is task.fan_hip else task.kit,
        tunnels=found.tunnels,
        broken=tuple(broken_rules(tunnel, hip.rules) for tunnel in found.tunnels),
        score=found.score,
        certificate=found.certificate,
        volumes=volumes,
        budgets=budgets,
        assumed_budgets=budgets,
        simulated=(),
        steps=tuple(_steps(hip, tunnel, number) for number, tunnel in enumerate(found.tunnels, start=1)),
        warnings=warnings_of(task, budgets, volumes),
    )


def _steps(hip: Hip, tunnel: Tunnel, number: int) -> tuple[InstrumentStep, ...]:
    """The instruments in their order; none for a tunnel that the drill cannot make."""
    if tunnel.depth_reading_mm is None or tunnel.depth_reading_mm > hip.kit.drill.length_mm:
        return ()
    return instrument_sequence(hip.kit, tunnel.length_mm, tunnel.depth_reading_mm, hip.fittings, number)


def budget_of(task: Task, ground: Ground, tunnel: Tunnel, seat: Seating) -> ErrorBudget:
    """The error budget of a tunnel that is drilled through a guide with this seat."""
    points, limit = task.hip.lesion.points_mm, task.policy.joint_within_3_mm_max
    sources = _sources(task, ground.hip, tunnel, seat)
    return error_budget(_aim(ground.hip, tunnel), sources, ground.way.depth_mm, points, limit)


def simulated_of(task: Task, ground: Ground, tunnel: Tunnel, seat: Seating) -> Simulated:
    """The same by drilling many times."""
    sources = _sources(task, ground.hip, tunnel, seat)
    return simulate(_aim(ground.hip, tunnel), sources, ground.way.depth_mm, task.hip.lesion.points_mm)


def _assumed(tunnel: Tunnel) -> Seating:
    """The seat assumed of a guide that does not yet exist, about the tunnel's entry."""
    return assumed_seating(tunnel.entry_mm)


def _sources(task: Task, hip: Hip, tunnel: Tunnel, seat: Seating) -> ErrorSources:
    registration = hip.lesion.registration
    offset = tunnel.sleeve_offset_mm if tunnel.sleeve_offset_mm is not None else max(hip.kit.sleeve_offsets_mm)
    return error_sources(
        seat,
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
        head_center_mm=hip.anatomy.head_center_mm,
        head_radius_mm=hip.anatomy.head_radius_mm,
        entry_zone_mm=hip.rules.entry_zone_mm,
    )


def warnings_of(task: Task, budgets: tuple[ErrorBudget, ...], volumes: Volumes) -> tuple[str, ...]:
    """What the surgeon must acknowledge of a plan: what it leaves, what is not known of the lesion, and the policy."""
    said = [*task.lesion_warnings, *policy_warnings(task.policy, budgets)]
    if volumes.much_is_left:
        left = (
            f"The plan reaches {shown_percent(volumes.reached_fraction, 1)} of the lesion and leaves "
            f"{shown(volumes.residual_mm3, 0)} mm³; with less than {RESIDUAL_FLAG_MM3:g} mm³ left, no hip of a series "
            "of 28 failed (Arch Orthop Trauma Surg 2015;135:1357)."
        )
        said.insert(0, left)
    return tuple(said)


def policy_warnings(policy: Policy, budgets: tuple[ErrorBudget, ...]) -> tuple[str, ...]:
    """The limits of the policy that a plan crosses: a sentence each, with what would keep it where that is known."""
    said = []
    for number, budget in enumerate(budgets, start=1):
        name = f"Tunnel {number}" if len(budgets) > 1 else "The tunnel"
        if budget.reaches_lesion < policy.reaches_lesion_min:
            said.append(
                f"{name} reaches the lesion with a probability of "
                f"{_percent_beside(budget.reaches_lesion, policy.reaches_lesion_min)}, less than the "
                f"{shown_percent(policy.reaches_lesion_min, 0)} asked for."
            )
        if budget.within_3_mm_of_joint > policy.joint_within_3_mm_max:
            earlier = budget.stop_earlier_mm
            cure = "" if earlier is None else f"; stopped {shown(earlier, 1)} mm earlier it would keep it"
            said.append(
                f"{name} comes closer than 3 mm to the joint with a probability of "
                f"{_percent_beside(budget.within_3_mm_of_joint, policy.joint_within_3_mm_max)}, more than the "
                f"{shown_percent(policy.joint_within_3_mm_max, 0)} allowed{cure}."
            )
        if budget.to_lesion_p95_mm > policy.tip_p95_max_mm:
            tip = shown_beside(budget.to_lesion_p95_mm, policy.tip_p95_max_mm, 1)
            said.append(
                f"{name}'s tip is within {tip} mm of its place in the lesion in 95 % of "
                f"operations, more than the {policy.tip_p95_max_mm:g} mm allowed; {budget.dominant} dominates."
            )
    return tuple(said)


def _percent_beside(fraction: float, limit: float) -> str:
    return f"{shown_beside(100.0 * fraction, 100.0 * limit, 1)}%"


def _waived(chosen: Proposal | None, waivers: tuple[Waiver, ...]) -> tuple[Waiver, ...]:
    if chosen is None:
        return ()
    broken = {each.rule for tunnel in chosen.broken for each in tunnel if each.waivable}
    return tuple(waiver for waiver in waivers if waiver.rule in broken)
