"""The made-up hip as the planner meets it: bone, anatomy and lesion, plain, altered, moved and mirrored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

import numpy as np

from guidegen.bone.anatomy import Anatomy, Side, find_anatomy
from guidegen.bone.surface import label_surface
from guidegen.errors import NoSafePlan
from guidegen.frames import FloatArray, RigidTransform
from guidegen.keep_out import NOTHING, KeepOut
from guidegen.lesion.lesion import Lesion, measure_lesion
from guidegen.phantom import label_volume, make_hip
from guidegen.plan.hip import Hip
from guidegen.plan.planning import CENTROID, STRATEGIES, Plan, Task, Waiver, make_plan, survey
from guidegen.plan.rules import Rules
from guidegen.plan.strategies import Found, Ground, as_ordered, ends_at, ground_of, through_centroid
from guidegen.plan.templates import Kit, Policy, Printer, load_template
from guidegen.plan.tunnel import Tunnel
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

COARSE_MM = (1.5, 1.5, 2.0)
DRILL_MM = 8.0
BORE_CLEARANCE_MM, GUIDED_MM = 0.2, 32.0
MIRROR = np.array([-1.0, 1.0, 1.0])
POINTS = (
    "head_center_mm", "neck_isthmus_center_mm", "shaft_point_mm", "lesser_trochanter_mm", "greater_trochanter_mm",
    "vastus_ridge_mm",
)  # fmt: skip
RULES = Rules()
CORE, FAN = (load_template(Kit, name)[0] for name in ("core-8", "multiple-3.2"))
PRINTER, POLICY = load_template(Printer, "sla")[0], load_template(Policy, "default")[0]


def with_drill(kit: Kit, **changes: Any) -> Kit:
    """The kit with another drill."""
    return kit.model_copy(update={"drill": kit.drill.model_copy(update=changes)})


@dataclass(frozen=True, eq=False)
class Case:
    """What the planner is given, and what it makes of it: by default with core-8 and the rules as they stand."""

    bone: Surface
    anatomy: Anatomy
    lesion: Lesion
    kit: Kit = CORE
    fan_kit: Kit = FAN
    rules: Rules = RULES
    keep_out: KeepOut = NOTHING

    def hip_for(self, kit: Kit) -> Hip:
        return Hip(
            bone=self.bone, anatomy=self.anatomy, lesion=self.lesion, kit=kit, rules=self.rules,
            sleeve_bore_mm=kit.drill.diameter_mm + BORE_CLEARANCE_MM, guided_length_mm=GUIDED_MM,
            keep_out=self.keep_out,
        )  # fmt: skip

    @cached_property
    def hip(self) -> Hip:
        return self.hip_for(self.kit)

    @cached_property
    def ground(self) -> Ground:
        return ground_of(self.hip)

    @cached_property
    def fan_ground(self) -> Ground:
        return replace(self.ground, hip=self.hip_for(self.fan_kit))

    def ground_for(self, strategy: str) -> Ground:
        return self.fan_ground if strategy == "multiple" else self.ground

    @cached_property
    def _made(self) -> dict[str, Found | NoSafePlan]:
        return {}

    def made(self, strategy: str) -> Found | NoSafePlan:
        """What a strategy gives, or why it gives nothing; found once."""
        if strategy not in self._made:
            try:
                self._made[strategy] = STRATEGIES[strategy](self.ground_for(strategy))
            except NoSafePlan as refusal:
                self._made[strategy] = refusal
        return self._made[strategy]

    def found(self, strategy: str) -> Found:
        made = self.made(strategy)
        if isinstance(made, NoSafePlan):
            raise made
        return made

    @property
    def tunnel(self) -> Tunnel:
        """The tunnel through the centroid."""
        return self.found("centroid").tunnels[0]

    def plan(
        self, diameter_mm: float = DRILL_MM, entry_mm: Any = None, target_mm: Any = None, **changes: Any
    ) -> Tunnel:
        """One tunnel through the centroid, or as ordered."""
        case = replace(self, kit=with_drill(self.kit, diameter_mm=diameter_mm), **changes)
        entry, target = (None if point is None else np.array(point, dtype=float) for point in (entry_mm, target_mm))
        ground = ground_of(case.hip, entry, target)
        if target is None:
            return through_centroid(ground).tunnels[0]
        return (ends_at(ground) if entry is None else as_ordered(ground, target)).tunnels[0]

    def with_lesion(self, centroid_mm: Any, radius_mm: float = 3.0) -> Case:
        """The same bone with another lesion: a ball of points round another centroid."""
        grid = np.stack(np.meshgrid(*[np.arange(-radius_mm, radius_mm + 0.1)] * 3), axis=-1).reshape(-1, 3)
        ball = grid[np.linalg.norm(grid, axis=1) <= radius_mm]
        lesion = replace(
            self.lesion,
            centroid_mm=np.array(centroid_mm),
            points_mm=centroid_mm + ball,
            volume_mm3=float(len(ball)),
            pieces=1,
        )
        return replace(self, lesion=lesion)

    def moved(self, motion: RigidTransform) -> Case:
        """The same hip elsewhere, landmarks and all: what is found on it is not the planner's."""
        axes = {name: motion.vectors(getattr(self.anatomy, name)) for name in ("neck_axis", "shaft_axis")}
        points = {name: motion.points(getattr(self.anatomy, name)) for name in POINTS}
        lesion = replace(
            self.lesion,
            centroid_mm=motion.points(self.lesion.centroid_mm),
            points_mm=motion.points(self.lesion.points_mm),
            surface=self.lesion.surface.transformed(motion),
        )
        return replace(
            self, bone=self.bone.transformed(motion), anatomy=replace(self.anatomy, **points, **axes), lesion=lesion,
            keep_out=self.keep_out.transformed(motion),
        )  # fmt: skip

    def mirrored(self) -> Case:
        """The other side's hip."""
        anatomy, lesion = self.anatomy, self.lesion
        side = cast(Side, "left" if anatomy.side == "right" else "right")
        flipped_points = {name: getattr(anatomy, name) * MIRROR for name in (*POINTS, "neck_axis", "shaft_axis")}
        structures = tuple(replace(each, surface=flipped(each.surface)) for each in self.keep_out.structures)
        lesion = replace(
            lesion,
            centroid_mm=lesion.centroid_mm * MIRROR,
            points_mm=lesion.points_mm * MIRROR,
            surface=flipped(lesion.surface),
        )
        return replace(
            self, bone=flipped(self.bone), anatomy=replace(anatomy, side=side, **flipped_points), lesion=lesion,
            keep_out=KeepOut(structures),
        )  # fmt: skip


def flipped(surface: Surface) -> Surface:
    return Surface(surface.vertices * MIRROR, surface.faces[:, ::-1])


Edit = Callable[[Volume, FloatArray], Any]  # labels and the places (K, 3) of their voxels → the new labels (K,)


def case_of(side: str, edit: Edit | None = None, **changes: Any) -> Case:
    """A case by side and changes to make_hip; `edit` paints on the label map: 0 outside, 1 femur, 2 lesion."""
    labels = label_volume(make_hip(side, **changes), COARSE_MM, labels={"femur": 1, "lesion": 2})
    if edit is not None:
        places = labels.to_lps(np.indices(labels.voxels.shape).reshape(3, -1).T)
        labels = replace(labels, voxels=np.asarray(edit(labels, places), dtype=np.uint8).reshape(labels.voxels.shape))
    bone = label_surface(replace(labels, voxels=labels.voxels > 0)).surface
    anatomy = find_anatomy(bone, cast(Side, side))
    return Case(bone, anatomy, measure_lesion(replace(labels, voxels=labels.voxels == 2), None, bone, anatomy))


def task_of(
    case: Case,
    strategy: str = CENTROID,
    entry_mm: FloatArray | None = None,
    target_mm: FloatArray | None = None,
    waive: tuple[str, ...] = (),
) -> Task:
    """What a plan of a case is made of."""
    return Task(
        hip=case.hip, kit="core-8", fan_kit=case.fan_kit, fan_kit_name="multiple-3.2", fan_guided_length_mm=33.0,
        printer=PRINTER, policy=POLICY, surface_error_mm=0.27, strategy=strategy, entry_mm=entry_mm,
        target_mm=target_mm, waivers=tuple(Waiver(rule, "a reason", "an engineer") for rule in waive),
    )  # fmt: skip


def planned_for(task: Task) -> Plan:
    """The plan of a task, with a survey of its own."""
    return make_plan(task, survey(task))
