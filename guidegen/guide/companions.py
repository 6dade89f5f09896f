"""The files that go with a guide to whoever makes it: the trial bone, and the metal parts."""

from __future__ import annotations

from collections.abc import Mapping

from guidegen.bone.anatomy import Anatomy
from guidegen.guide.guide import Guide
from guidegen.guide.marks import Identity
from guidegen.guide.metal import MetalPart, Whose
from guidegen.guide.metal_files import metal_files
from guidegen.guide.trial_bone import Hole, make_trial_bone
from guidegen.plan.guide_shapes import Trial
from guidegen.plan.tunnel import Tunnel
from guidegen.results import sha256
from guidegen.stl import stl_bytes
from guidegen.surfaces import Surface
from guidegen.threemf import threemf_bytes

TRIAL_BONE = "trial_bone"
METAL = "metal"  # the folder of the metal parts


def companion_files(
    guide: Guide,
    identity: Identity,
    bone: Surface,
    anatomy: Anatomy,
    tunnels: tuple[Tunnel, ...],
    shape: Trial,
    metadata: Mapping[str, str],
) -> dict[str, bytes]:
    """Contents by path in the result's folder; `metadata` travels in the trial bone's 3MF, with the hash of its STL.
    NoSafeGuide where float32 holds no sound trial bone.
    """
    whose = Whose(identity.patient_id, anatomy.side, identity.revision, identity.plan_hash)
    parts = metal_files(metal_parts(guide), whose)
    return {
        **_trial_bone(guide, identity, bone, anatomy, tunnels, shape, metadata),
        **{f"{METAL}/{name}": content for name, content in parts.items()},
    }


def metal_parts(guide: Guide) -> dict[str, MetalPart]:
    """The metal sleeves by number, the reducers in them, and the stop collars for drill and guide wire."""
    parts: dict[str, MetalPart] = {}
    for number, sleeve in enumerate(guide.sleeves, start=1):
        if sleeve.metal is not None:
            parts[f"sleeve-{number}"] = sleeve.metal
        if sleeve.reducer is not None:
            parts[f"reducer-{number}"] = sleeve.reducer
    parts["stop-collar"] = guide.stop
    return parts if guide.wire_stop is None else parts | {"wire-stop-collar": guide.wire_stop}


def _trial_bone(
    guide: Guide, identity: Identity, bone: Surface, anatomy: Anatomy, tunnels: tuple[Tunnel, ...], shape: Trial,
    metadata: Mapping[str, str],
) -> dict[str, bytes]:  # fmt: skip
    """Where the guide's bone has the tunnels and the wires, so has the trial bone; it is marked as the guide is."""
    holes = [Hole(tunnel.entry_mm, tunnel.axis, tunnel.diameter_mm, tunnel.length_mm) for tunnel in tunnels]
    holes += [Hole(pin.point_mm, pin.direction, pin.wire_diameter_mm, pin.wire_depth_mm) for pin in guide.pins]
    trial = make_trial_bone(
        bone,
        guide.cells.points_mm[guide.seat.footprint.covers],
        anatomy.shaft_axis,
        guide.seat.removal_direction,
        anatomy.side,
        holes,
        (identity.patient_id, anatomy.side.upper(), f"{identity.revision} {identity.plan_hash}"),
        shape,
    )
    stl = stl_bytes(trial.surface)
    texts = {**metadata, "stl_sha256": sha256(stl)}
    return {
        f"{TRIAL_BONE}.stl": stl,
        f"{TRIAL_BONE}.3mf": threemf_bytes(trial.surface.transformed(trial.pose), texts),
    }
