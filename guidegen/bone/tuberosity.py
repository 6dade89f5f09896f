"""The gluteal tuberosity: the rough ridge down the back of the outer shaft, where gluteus maximus is inserted."""

from __future__ import annotations

import numpy as np

from guidegen.bone.anatomy import Anatomy
from guidegen.frames import FloatArray
from guidegen.surfaces import Surface

# Where it is looked for: below the lesser trochanter, along the shaft, from straight lateral to straight back.
BELOW_LESSER_MM = (8.0, 50.0)
LEVEL_STEP_MM = 1.0
TURN_STEP_DEG = 3.0
FURTHEST_BACK_DEG = 90.0

SCAN_END_MM = 6.0  # what lies nearer to the end of the bone is blurred by it
FEWEST_LEVELS = 10
FAR_MM = 80.0

# What a shaft's cross-section is without its ridges: bowed and flattened, four waves round.
WAVES = 4
# A ridge stands out from that by 0.2 to 0.6 mm over the mean of 40 levels (15 femora; their true surfaces and noisy
# label maps of them agree within 6° on 13, and 9° on all where both show one ridge).
LEAST_MM = 0.15
# The linea aspera stands out behind it, often more: of ridges that stand out this share of the most, the outermost.
ALIKE = 0.6


def gluteal_tuberosity_deg(bone: Surface, anatomy: Anatomy) -> float | None:
    """How far behind straight lateral the tuberosity runs, in degrees about the shaft axis, as a negative turn.

    The distance of the surface from the shaft axis, all round and level by level, less its smooth form, stands out on
    the ridge at every level, and noise does not. None where the scan shows too little shaft, or no ridge stands out.
    """
    frame = anatomy.frame
    lesser_mm = float((anatomy.lesser_trochanter_mm - frame.origin_mm) @ frame.up)
    lowest_mm = float(((bone.vertices - frame.origin_mm) @ frame.up).min()) + SCAN_END_MM
    levels = np.arange(lesser_mm - BELOW_LESSER_MM[0], max(lesser_mm - BELOW_LESSER_MM[1], lowest_mm), -LEVEL_STEP_MM)
    if len(levels) < FEWEST_LEVELS:
        return None
    turns = np.arange(-180.0, 180.0, TURN_STEP_DEG)
    reach = _reach_mm(bone, anatomy, levels, turns)
    known = np.isfinite(reach).all(axis=1)
    if known.sum() < FEWEST_LEVELS:
        return None
    stands_out = (reach[known] - _smooth(reach[known], turns)).mean(axis=0)
    return _outermost_ridge_deg(stands_out, turns)


def _reach_mm(bone: Surface, anatomy: Anatomy, levels_mm: FloatArray, turns_deg: FloatArray) -> FloatArray:
    """The distance (L, T) of the surface from the shaft axis at levels above the head centre and turns to the front."""
    turn = np.radians(turns_deg)[:, None]
    outwards = np.cos(turn) * anatomy.lateral - np.sin(turn) * anatomy.posterior
    centers = anatomy.frame.origin_mm + levels_mm[:, None] * anatomy.frame.up
    origins = (centers[:, None] + FAR_MM * outwards).reshape(-1, 3)
    way, _ = bone.ray_hits(origins, -np.tile(outwards, (len(levels_mm), 1)))
    return np.where(np.isfinite(way), FAR_MM - way, np.nan).reshape(len(levels_mm), len(turns_deg))


def _smooth(reach_mm: FloatArray, turns_deg: FloatArray) -> FloatArray:
    """The first waves round of every level (L, T)."""
    turn = np.radians(turns_deg)
    waves = [wave(k * turn) for k in range(1, WAVES + 1) for wave in (np.cos, np.sin)]
    base = np.stack([np.ones_like(turn), *waves], axis=1)
    return np.asarray((base @ np.linalg.lstsq(base, reach_mm.T, rcond=None)[0]).T)


def _outermost_ridge_deg(stands_out_mm: FloatArray, turns_deg: FloatArray) -> float | None:
    """The turn of the outermost of the highest ridges behind lateral; None for none."""
    peak = (stands_out_mm >= np.roll(stands_out_mm, 1)) & (stands_out_mm >= np.roll(stands_out_mm, -1))
    behind = peak & (turns_deg <= -TURN_STEP_DEG) & (turns_deg >= -FURTHEST_BACK_DEG) & (stands_out_mm >= LEAST_MM)
    if not behind.any():
        return None
    ridges = behind & (stands_out_mm >= ALIKE * stands_out_mm[behind].max())
    return float(turns_deg[ridges].max())
