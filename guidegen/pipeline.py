"""From a case file to a guide: the steps in order, each recorded. A new reader starts here.

    read → bone → anatomy → lesion → grades → plan → guide → skin → files → check → surgery → show

Every step is a plain function from frozen values to a frozen value. Results of the dear steps are
kept by the hash of all that went into them; nothing is written to the case's result folder before
everything is done, and then in one step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from guidegen import record, results
from guidegen.assessed import Assessed, Planned, Sides
from guidegen.bone.anatomy import Anatomy, find_anatomy
from guidegen.bone.side import require_sides, side_from_pelvis
from guidegen.bone.surface import Bone, label_surface
from guidegen.case import Case, load_case
from guidegen.check.battery import check_companions, check_guide, check_order, operate, read_written
from guidegen.check.files import read_findings, read_json
from guidegen.check.finding import Finding, at_most
from guidegen.errors import NoSafePlan, ResultError, VolumeError, at_stage
from guidegen.frames import frozen
from guidegen.guide.guide import Guide, fittings_of, make_guide
from guidegen.guide.marks import Identity
from guidegen.guide.order import Order
from guidegen.guide.parts import Make
from guidegen.guide.soft_tissue import soft_tissue_over
from guidegen.intake.body import Body
from guidegen.intake.inputs import Inputs, Origin, input_hashes, read_contained
from guidegen.keep_out import KeepOut, keep_out_of, whole_femur
from guidegen.lesion.grades import Grades, grade_lesion
from guidegen.lesion.image_registration import refine_on_images
from guidegen.lesion.lesion import Lesion, measure_lesion
from guidegen.lesion.notes import grade_notes, grade_warnings
from guidegen.lesion.registration import Registration, register_femur, registration_given
from guidegen.notes import assessment_notes, guide_notes, plan_notes
from guidegen.ordered import Templates, load_templates
from guidegen.overrides import given_registration, overrule_anatomy
from guidegen.plan.as_built import with_seat, with_sleeves
from guidegen.plan.fit import fit
from guidegen.plan.hip import Hip
from guidegen.plan.instruments import Fittings
from guidegen.plan.kits import Kit
from guidegen.plan.planning import (
    CENTROID,
    MULTIPLE,
    Plan,
    Survey,
    Task,
    Waiver,
    make_plan,
    refusal_of,
    survey,
)
from guidegen.plan.rules import Rules, waived_rules
from guidegen.plan.sleeve_sizes import SleeveSizes
from guidegen.print_files import insert_files, print_files, reject
from guidegen.record import Built
from guidegen.rounded import shown
from guidegen.seat.search import SMALLEST_CONTACT_MM2
from guidegen.show.dossier.words import sources_sha256
from guidegen.show.lettering import lettered
from guidegen.show.scans import Scans
from guidegen.stl import stl_bytes
from guidegen.store import StageStore, build, content_key
from guidegen.surfaces import Surface
from guidegen.threemf import travels_in
from guidegen.volumes import Volume
from guidegen.workshop import Workshop

ASSESSMENT = "assessment"  # the folder of an assessment, beside the revisions
PLAN = "plan"  # that of a plan
STAGES = ".stages"  # the folder of kept stage results, inside the output folder

Progress = Callable[[str], None]
Measured = Callable[[dict[str, Any], tuple[Finding, ...]], None]


def silent(_stage: str) -> None:
    """The progress of a run that nobody watches."""


def unheard(_plan: dict[str, Any], _findings: tuple[Finding, ...]) -> None:
    """For a run of which nobody waits to hear what was measured before its virtual surgery is done."""


@dataclass(frozen=True, eq=False)
class Result:
    """A finished run: its folder, the findings on its files, and whether the folder was there already, unchanged."""

    folder: Path
    findings: tuple[Finding, ...]
    unchanged: bool

    @property
    def passed(self) -> bool:
        """Whether there is a guide and every check on its files passed."""
        return all(finding.passed for finding in self.findings)


@dataclass
class Run:
    """One run's parameters, kept stages and clock."""

    case: Case
    store: StageStore
    size: str
    progress: Progress
    inputs_sha256: dict[str, str]
    measured: Measured = unheard
    seconds: dict[str, float] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)
    task: Task | None = None

    @cached_property
    def templates(self) -> Templates:
        """The ordered templates, and the SHA-256 of their files."""
        return load_templates(self.case.order)

    @cached_property
    def inputs(self) -> Inputs:
        """The files as read; only read when a stage that needs them is not kept."""
        with self.stage("read"):
            inputs = read_contained(self.case)
        if inputs.input_sha256 != self.inputs_sha256:
            raise VolumeError(
                "expected files that stay as they are while they are read, found one that changed; run again"
            )
        return inputs

    @property
    def kit(self) -> Kit:
        """The kit that the ordered strategy drills with."""
        return self.templates.fan_kit if self.case.order.strategy == MULTIPLE else self.templates.kit

    @property
    def files_sha256(self) -> dict[str, str]:
        """The hashes of what the case file names."""
        return {name: digest for name, digest in self.inputs_sha256.items() if name != self.case.path.name}

    @cached_property
    def mr_femur(self) -> Surface | None:
        """The femur of the MR: the MR is laid on the bone by it, and pictures show it; None where there is none."""
        femur = self.inputs.lesion_femur
        return None if femur is None else label_surface(femur).surface

    @property
    def sleeve_sizes(self) -> SleeveSizes:
        """How wide the sleeve for the ordered kit is."""
        return SleeveSizes.of(self.templates.kit, self.templates.guide, self.templates.printer)

    @property
    def parameters(self) -> dict[str, Any]:
        """All that was asked, as recorded and as hashed."""
        order = self.case.order.model_dump(mode="json") | {"size": self.size}
        return {
            "patient": self.case.patient.model_dump(mode="json"),
            "order": order,
            "templates": {
                "kit": self.kit.model_dump(mode="json"),
                "guide": self.templates.guide.model_dump(mode="json"),
                "printer": self.templates.printer.model_dump(mode="json"),
            },
            "templates_sha256": self.templates.sha256 | {"dossier": sources_sha256(self.case.order.language)},
            "rules": self.rules.record(),
            "waivers": [waiver.model_dump(mode="json") for waiver in self.case.waivers],
            "overrides": None if self.case.overrides is None else self.case.overrides.model_dump(mode="json"),
        }

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Name the stage in errors and progress, and time it."""
        self.progress(name)
        started = time.perf_counter()
        with at_stage(name):
            yield
        self.seconds[name] = round(time.perf_counter() - started, 3)


def run(
    case: Case | str | Path,
    output: str | Path = "output",
    size: str | None = None,
    progress: Progress = silent,
    measured: Measured = unheard,
    opened: Workshop | None = None,
) -> Result:
    """Plan, build, check and write a guide for a case; the same case again finds its result unchanged.

    `size` (S, M or L) goes before the case file's own. `opened` is a workshop that was opened earlier. `measured`
    hears the content of plan.json and what was found on the files of a guide as soon as only loads and virtual
    surgery are to come. Raises InputError for a case that cannot be used: nothing is written then. A case without a
    safe tunnel or guide leaves a revision that says so, without a guide.
    """
    state = _start(case, output, size, progress)
    state.measured = measured
    fingerprint = content_key("run", state.inputs_sha256, state.parameters)
    folder = Path(output) / f"{state.case.patient.id}-{state.case.patient.side}"
    results.require_place(Path(output), folder)
    if folder.is_dir():
        with results.locked(folder):
            known = results.find_revision(folder, fingerprint)
        if known is not None:
            return Result(known, read_findings(known), unchanged=True)
    with Workshop() if opened is None else nullcontext(opened) as workshop:
        planned = _plan(state)
        while True:
            revision = results.upcoming(folder)
            as_built, built, refusal = _guide(state, planned, workshop.make, revision)
            state.store.keep()
            result = _revision(state, as_built, built, refusal, fingerprint, folder, revision, workshop)
            if result is not None:
                return result


def _revision(
    state: Run,
    planned: Planned,
    built: Built | None,
    refusal: NoSafePlan | None,
    fingerprint: str,
    folder: Path,
    name: str,
    workshop: Workshop,
) -> Result | None:
    """Everything that a run leaves, as the case's next revision: whole, or not at all. None where another run took the
    `name` that stands on the guide.
    """
    with results.locked(folder):
        known = results.find_revision(folder, fingerprint)
        if known is not None:  # another run of the same case was faster
            return Result(known, read_findings(known), unchanged=True)
        if results.next_revision(folder) != name:
            return None
        with results.new_revision(folder) as scratch:
            findings = _write(state, planned, built, refusal, scratch, workshop)
            summary = record.run_json(
                fingerprint, build(), state.inputs_sha256, state.parameters, results.hashes(scratch)
            )
            (scratch / results.RUN_FILE).write_bytes(record.to_json(summary))
            (scratch / results.UNBOUND).write_bytes(record.to_json(state.seconds))
            revision = results.name_of(scratch)
    return Result(folder / revision, findings, unchanged=False)


def plan_case(case: Case | str | Path, output: str | Path = "output", progress: Progress = silent) -> Planned:
    """Everything up to the plan, without a guide and without a result folder. Raises as `run` does, and
    NoSafePlan where no guide may be built on the plan.
    """
    planned = _plan(_start(case, output, None, progress))
    if planned.refusal is not None:
        raise planned.refusal
    return planned


def assess_case(case: Case | str | Path, output: str | Path = "output", progress: Progress = silent) -> Assessed:
    """The hip as read, with its lesion graded, without a plan. Raises InputError as `run` does."""
    return _assess(_start(case, output, None, progress))


def write_assessment(
    case: Case | str | Path, output: str | Path = "output", progress: Progress = silent
) -> tuple[Assessed, Path]:
    """Assess a hip and leave assessment.json and its pictures in the folder assessment/ of the case, whole or not at
    all; an older assessment is replaced.
    """
    from guidegen.show.assessment_pictures import assessment_pictures
    from guidegen.show.registration_pictures import registration_pictures

    state = _start(case, output, None, progress)
    folder = Path(output) / f"{state.case.patient.id}-{state.case.patient.side}"
    results.require_place(Path(output), folder)
    assessed = _assess(state)
    notes = (*assessment_notes(assessed), *grade_notes(assessed.grades))
    files = {"assessment.json": record.to_json(record.assessment_json(assessed, notes))}
    with state.stage("show"), lettered(state.case.order.language):
        files |= assessment_pictures(
            assessed.bone.surface, assessed.lesion, assessed.anatomy, assessed.grades,
            state.inputs.pelvis, state.inputs.image, state.case.patient.id,
        )  # fmt: skip
        pose = assessed.lesion.registration
        if pose is not None and state.mr_femur is not None:
            files |= registration_pictures(
                state.inputs.image, state.inputs.lesion_image, assessed.bone.surface,
                state.mr_femur, pose.transform,
                assessed.lesion.centroid_mm, assessed.anatomy.side,
            )  # fmt: skip
    state.store.keep()
    with results.locked(folder):
        results.replace_folder(folder / ASSESSMENT, files)
    return assessed, folder / ASSESSMENT


def write_plan(
    case: Case | str | Path, output: str | Path = "output", progress: Progress = silent
) -> tuple[Planned, Path]:
    """Plan, and leave plan.json and its pictures in the folder plan/ of the case, whole or not at all; an older plan is
    replaced. A plan that nothing may be built on is written too: `refusal` says why.
    """
    from guidegen.show.plan_pictures import plan_pictures

    state = _start(case, output, None, progress)
    folder = Path(output) / f"{state.case.patient.id}-{state.case.patient.side}"
    results.require_place(Path(output), folder)
    planned = _plan(state)
    content = record.plan_json(
        planned, None, _limits(state, planned), plan_notes(planned), _printing(state), state.templates.printer,
        planned.refusal,
    )  # fmt: skip
    files = {"plan.json": record.to_json(content), "femur.stl": stl_bytes(planned.assessed.bone.surface)}
    if planned.plan is not None:
        with state.stage("show"), lettered(state.case.order.language):
            files |= plan_pictures(planned.assessed, planned.plan, state.case.patient.id)
    state.store.keep()
    with results.locked(folder):
        results.replace_folder(folder / PLAN, files)
    return planned, folder / PLAN


def _start(case: Case | str | Path, output: str | Path, size: str | None, progress: Progress) -> Run:
    with at_stage("read"):
        case = case if isinstance(case, Case) else load_case(case)
        hashes = input_hashes(case)
        state = Run(case, StageStore(Path(output) / STAGES), size or case.order.size, progress, hashes)
        _ = state.parameters  # a missing template is found before anything is computed
    return state


def _assess(state: Run) -> Assessed:
    """read → bone → anatomy → lesion → grades, each kept by what went into it."""
    case = state.case
    files, read_key = state.files_sha256, _read_key(state)
    overrides = None if case.overrides is None else case.overrides.model_dump(mode="json")
    bone_key = content_key("bone", files, case.bone.model_dump())
    keep_out_key = content_key("keep_out", bone_key, overrides)
    anatomy_key = content_key("anatomy", bone_key, case.patient.side)
    lesion_key = content_key("lesion", read_key, overrides)
    origin = state.store.reuse(Origin, read_key, lambda: state.inputs.origin)
    with state.stage("bone"):
        bone = state.store.reuse(Bone, bone_key, lambda: _bone(state.inputs))
        keep_out = state.store.reuse(KeepOut, keep_out_key, lambda: keep_out_of(_kept_out(state.inputs, case)))
    with state.stage("anatomy"):
        anatomy = state.store.reuse(Anatomy, anatomy_key, lambda: find_anatomy(bone.surface, case.patient.side))
        sides = state.store.reuse(Sides, content_key("sides", read_key), lambda: _sides(state, origin, anatomy))
        anatomy, overruled = (anatomy, ()) if case.overrides is None else overrule_anatomy(anatomy, case.overrides)
    with state.stage("lesion"):
        lesion = state.store.reuse(Lesion, lesion_key, lambda: _lesion(state, bone, anatomy))
    with state.stage("grades"):
        grades = state.store.reuse(
            Grades,
            content_key("grades", lesion_key),
            lambda: grade_lesion(lesion, bone.surface, anatomy, state.inputs.pelvis),
        )
    return Assessed(case, origin, bone, keep_out, anatomy, overruled, sides, lesion, grades)


def _read_key(state: Run) -> str:
    """Of all that is read."""
    case = state.case
    return content_key(
        "read", state.files_sha256, case.patient.model_dump(), case.bone.model_dump(), case.lesion.model_dump()
    )


def _plan(state: Run) -> Planned:
    """The plan for the hip as assessed, kept by what went into it."""
    assessed, order = _assess(state), state.case.order
    key = content_key("plan", state.inputs_sha256, state.parameters)
    with state.stage("plan"):
        try:
            plan = state.store.reuse(Plan, key, lambda: _planned(state, assessed))
            refusal = refusal_of(plan, order.strategy)
        except NoSafePlan as unmeasured:
            plan, refusal = None, unmeasured
        if refusal is not None:
            refusal.stage = "plan"
        return Planned(assessed, plan, refusal)


def _planned(state: Run, assessed: Assessed) -> Plan:
    """The plan; what the strategies find is kept apart, for an order that changes only its entry, target or size."""
    task, case, made_to = _task(state, assessed), state.case, state.templates
    read = (case.patient, case.bone, case.lesion, case.overrides)
    templates = (made_to.kit, made_to.fan_kit, made_to.guide, made_to.printer, made_to.policy)
    parts = [None if part is None else part.model_dump(mode="json") for part in (*read, *templates)]
    key = content_key("survey", state.files_sha256, parts, state.rules.record(), task.kit, task.fan_kit_name)
    return make_plan(task, state.store.reuse(Survey, key, lambda: survey(task)))


def _task(state: Run, assessed: Assessed) -> Task:
    """What the plan is made of: the hip as assessed, and what was ordered; one for a run, with all it has looked up."""
    if state.task is None:
        state.task = _task_of(state, assessed)
    return state.task


def _task_of(state: Run, assessed: Assessed) -> Task:
    order, templates = state.case.order, state.templates
    hip = Hip(
        bone=assessed.bone.surface,
        anatomy=assessed.anatomy,
        lesion=assessed.lesion,
        kit=templates.kit,
        rules=state.rules,
        sleeve_bore_mm=state.sleeve_sizes.hole_mm,
        guided_length_mm=templates.guide.sleeve.guided_for(templates.kit) + state.sleeve_sizes.flange_height_mm,
        sleeve_wall_mm=templates.guide.sleeve.wall_mm,
        sleeve_play_mm=state.sleeve_sizes.clearance_mm,
        fittings=Fittings(state.sleeve_sizes.kind, state.sleeve_sizes.reducer_mm),
        keep_out=assessed.keep_out,
    )
    return Task(
        hip=hip,
        kit=templates.kit_name,
        fan_kit=templates.fan_kit,
        fan_kit_name=templates.fan_kit_name,
        fan_guided_length_mm=templates.guide.sleeve.guided_for(templates.fan_kit),
        printer=templates.printer,
        policy=templates.policy,
        surface_error_mm=assessed.bone.error_mm,
        strategy=order.strategy,
        entry_mm=None if order.entry_mm is None else frozen(order.entry_mm, (3,)),
        target_mm=None if order.target_mm is None else frozen(order.target_mm, (3,)),
        kit_ordered=order.kit is not None,
        waivers=tuple(Waiver(each.rule, each.reason, each.author) for each in state.case.waivers),
        lesion_warnings=grade_warnings(assessed.grades),
    )


def _bone(inputs: Inputs) -> Bone:
    if isinstance(inputs.femur, Surface):
        return Bone(inputs.femur, None)
    return label_surface(whole_femur(inputs.femur, {each.name: each.mask for each in inputs.keep_out}))


def _kept_out(inputs: Inputs, case: Case) -> dict[str, Volume]:
    """The structures to keep away from, but for those that an expert allows to come near."""
    allowed = case.overrides.not_kept_away if case.overrides else ()
    return {each.name: each.mask for each in inputs.keep_out if each.name not in allowed}


def _sides(state: Run, origin: Origin, anatomy: Anatomy) -> Sides:
    pelvis = state.inputs.pelvis
    beside = None if pelvis is None else side_from_pelvis(pelvis, anatomy.head_center_mm, anatomy.head_radius_mm)
    sources = (*origin.sides, *(() if beside is None else (beside,)))
    return Sides(require_sides(state.case.patient.side, anatomy.side, sources))


def _lesion(state: Run, bone: Bone, anatomy: Anatomy) -> Lesion:
    return measure_lesion(state.inputs.lesion, _registration(state, bone.surface, anatomy), bone.surface, anatomy)


def _registration(state: Run, bone: Surface, anatomy: Anatomy) -> Registration | None:
    """How the MR lies on the bone: as an expert gave it, or by the femur's surfaces and then by the images."""
    inputs, mr_femur = state.inputs, state.mr_femur
    if inputs.lesion_femur is None or mr_femur is None:
        return None
    lesion = inputs.lesion
    points = lesion.vertices if isinstance(lesion, Surface) else lesion.to_lps(np.argwhere(lesion.voxels))
    at_mm = points.mean(axis=0)
    overrides = state.case.overrides
    given = None if overrides is None else given_registration(overrides)
    if given is not None:
        return registration_given(mr_femur, bone, anatomy, given, at_mm)
    slice_mm = float(inputs.lesion_femur.spacing_mm.max())
    found = register_femur(mr_femur, bone, anatomy, slice_mm=slice_mm, at_mm=at_mm)
    if inputs.image is None or inputs.lesion_image is None:
        return found
    return refine_on_images(
        found, ct=inputs.image, mr=inputs.lesion_image, bone=bone, mr_femur=mr_femur, anatomy=anatomy, at_mm=at_mm
    )


def _guide(state: Run, planned: Planned, make: Make, revision: str) -> tuple[Planned, Built | None, NoSafePlan | None]:
    """The plan as its guide was built: what is kept away from may have pushed a sleeve further off the bone, and the
    error budget is that of its seat; the guide, with the revision it is to become on it; or why there is none.
    """
    assessed, templates, order = planned.assessed, state.templates, state.case.order
    if planned.refusal is not None or planned.plan is None:
        return planned, None, planned.refusal
    key = content_key("guide", state.inputs_sha256, state.parameters, revision)
    made_from = record.plan_hash(planned, state.inputs_sha256, state.parameters)
    identity = Identity(state.case.patient.id, revision, made_from[: record.SHORT_HASH])
    try:
        with state.stage("guide"):
            gap = fit(
                templates.printer, assessed.bone.error_mm, order.clearance_mm, order.periosteum_mm, templates.guide
            )
            sizes = SleeveSizes.of(state.kit, templates.guide, templates.printer)
            made_to = Order(state.kit, templates.guide, templates.printer, gap.clearance_mm, sizes)
            guide = state.store.reuse(
                Guide, key,
                lambda: make_guide(
                    assessed.bone.surface, assessed.anatomy, planned.tunnels, identity, state.size, made_to, make,
                    assessed.keep_out, state.rules.keep_out_min_mm,
                ),
            )  # fmt: skip
            plan = with_sleeves(planned.plan, state.kit, guide.offsets_mm, fittings_of(guide, sizes))
            plan = with_seat(plan, _task(state, assessed), guide.seat.seating(assessed.bone.error_mm))
        with state.stage("skin"):
            body = state.store.reuse(Body, content_key("body", _read_key(state)), lambda: state.inputs.body)
            over = soft_tissue_over(guide, planned.tunnels, state.kit, body)
        return replace(planned, plan=plan), (guide, identity, gap, over), None
    except NoSafePlan as refusal:
        return planned, None, refusal


def _write(
    state: Run,
    planned: Planned,
    built: Built | None,
    refusal: NoSafePlan | None,
    scratch: Path,
    workshop: Workshop,
) -> tuple[Finding, ...]:
    """Fill a scratch folder: the files first, then what a stranger measures on them, then what the surgeon sees."""
    limits = _limits(state, planned)
    guide, over = (None, None) if built is None else (built[0], built[3])
    notes = (*plan_notes(planned), *guide_notes(guide, over, refusal))
    content = record.plan_json(planned, built, limits, notes, _printing(state), state.templates.printer, refusal)
    (scratch / "plan.json").write_bytes(record.to_json(content))
    (scratch / "femur.stl").write_bytes(stl_bytes(planned.assessed.bone.surface))
    (scratch / "lesion.stl").write_bytes(stl_bytes(planned.assessed.lesion.surface))
    if planned.assessed.keep_out.surface is not None:
        (scratch / "keep_out.stl").write_bytes(stl_bytes(planned.assessed.keep_out.surface))
    if built is None or guide is None:
        findings = _refused(refusal)
        _write_findings(findings, scratch)
        with state.stage("show"):
            scans, language = _scans(state, planned.assessed), state.case.order.language
            pictures = workshop.draw_refused(planned.assessed, planned.plan, scans, language)
            _show(state, content, findings, pictures, scratch)
        return findings
    (scratch / "guide.stl").write_bytes(stl_bytes(guide.surface))
    if over is not None and over.skin is not None:
        (scratch / "skin.stl").write_bytes(stl_bytes(over.skin))
    _put(insert_files(guide), scratch)
    with state.stage("files"):
        _begin_companions(state, planned, content, built, scratch, workshop)  # on the second core
        _put(print_files(content, guide, scratch), scratch)
    with state.stage("check"):
        written = read_written(scratch)
        measured = (*check_guide(written), *check_order(written, state.parameters))
        _put(workshop.finish_companions(), scratch)
        measured += check_companions(written, workshop.on_metal)
    state.measured(content, measured)
    _begin_pictures(state, planned, content, guide, workshop)  # while this one operates
    with state.stage("surgery"):
        operated = operate(written)
    findings = (*measured, *operated.findings)
    (scratch / "surgery.json").write_bytes(record.to_json(operated.operated))
    _write_findings(findings, scratch)
    if not all(finding.passed for finding in findings):
        reject(scratch)
    with state.stage("show"):
        _show(state, content, findings, workshop.finish_pictures(), scratch)
    return findings


def _limits(state: Run, planned: Planned) -> dict[str, Any]:
    """What the files are held to: the rules, but for those that a proposed waiver reaches down to its floor."""
    chosen = planned.plan.chosen if planned.plan is not None else None
    rules = waived_rules(state.rules, planned.plan.waived) if planned.plan is not None else state.rules
    return record.limits(
        rules,
        state.templates.guide.sleeve.least_guided_for(state.kit),
        state.templates.printer.build.least_wall_mm,
        SMALLEST_CONTACT_MM2,
        through_centroid=chosen is not None and chosen.strategy == CENTROID,
        unwaived={name: limit for name, limit in state.rules.record().items() if getattr(rules, name) != limit},
    )


def _printing(state: Run) -> dict[str, Any]:
    return record.printing(state.case.order.printer, state.templates.printer, state.templates.sterilisation)


def _write_findings(findings: tuple[Finding, ...], scratch: Path) -> None:
    (scratch / "findings.json").write_bytes(record.to_json([asdict(finding) for finding in findings]))


def _refused(refusal: NoSafePlan | None) -> tuple[Finding, ...]:
    """The one finding of a case without a safe plan or guide: the ruling rule."""
    assert refusal is not None, "a run without a guide has a reason"
    figures = ", ".join(f"{name} {shown(value, 2)}" for name, value in refusal.figures.items())
    return (
        Finding(f"safe plan: {refusal.rule}", None, 0.0, "", False, f"Not measured: {refusal}. Figures: {figures}"),
    )


def _put(files: dict[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)


def _begin_companions(
    state: Run, planned: Planned, content: dict[str, Any], built: Built, scratch: Path, workshop: Workshop
) -> None:
    guide, identity, _, _ = built
    plan_sha256 = results.sha256((scratch / "plan.json").read_bytes())
    workshop.begin_companions(
        guide, identity, planned.assessed.bone.surface, planned.assessed.anatomy, planned.tunnels,
        state.templates.guide.trial, travels_in(content, "trial bone", plan_sha256, ""),
    )  # fmt: skip


def _begin_pictures(state: Run, planned: Planned, content: dict[str, Any], guide: Guide, workshop: Workshop) -> None:
    assert planned.plan is not None, "a guide is built on a plan"
    drawn = {
        "patient_id": content["case_id"],
        "bone": planned.assessed.bone.surface,
        "lesion": planned.assessed.lesion.surface,
        "keep_out": planned.assessed.keep_out.surface,
        "guide": guide.surface,
        "anatomy": planned.assessed.anatomy,
        "tunnels": content["tunnels"],
        "pins": content["guide"]["pins"],
        "wire_depth_mm": state.kit.pin.depth_mm,
        "removal_direction": content["guide"]["removal_direction"],
        "clearance_mm": guide.clearance_mm,
    }
    seat = (guide.zones, guide.cells, guide.seat.footprint)
    workshop.begin_pictures(
        planned.assessed, planned.plan, drawn, content["guide"], _scans(state, planned.assessed), seat,
        [insert.surface for insert in guide.inserts], state.case.order.language,
    )  # fmt: skip


def _scans(state: Run, assessed: Assessed) -> Scans:
    inputs, pose = state.inputs, assessed.lesion.registration
    return Scans(
        pelvis=inputs.pelvis,
        ct=inputs.image,
        mr=inputs.lesion_image,
        mr_femur=state.mr_femur,
        transform=None if pose is None else pose.transform,
    )


def _show(
    state: Run, content: dict[str, Any], findings: tuple[Finding, ...], pictures: dict[str, bytes], scratch: Path
) -> None:
    """dossier.json and dossier.pdf, which say the same, and preview/*.png."""
    from guidegen.show.dossier.content import dossier_content
    from guidegen.show.dossier.typeset import dossier_pdf

    told = dossier_content(
        content, [asdict(finding) for finding in findings], frozenset(pictures), state.inputs_sha256,
        results.hashes(scratch), state.case.order.language, results.name_of(scratch),
    )  # fmt: skip
    (scratch / "dossier.json").write_bytes(record.to_json(told))
    (scratch / "dossier.pdf").write_bytes(dossier_pdf(told, pictures))
    _put({f"preview/{name}": png for name, png in pictures.items()}, scratch)


def recorded_finding(folder: Path) -> Finding:
    """Whether every file of a result folder is still the one that its run recorded."""
    try:
        expected = dict(read_json(folder / results.RUN_FILE)["outputs_sha256"])
    except (ResultError, ValueError, KeyError, TypeError) as error:
        raise ResultError(f"expected a result folder with its {results.RUN_FILE}, found none in {folder}") from error
    found = results.hashes(folder)
    changed = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    return at_most(
        "files changed since the run",
        len(changed),
        0,
        "",
        f"A file that was changed is not the one that was measured{': ' + ', '.join(changed) if changed else ''}.",
    )
