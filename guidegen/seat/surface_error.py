"""How a segmented surface errs: not point by point, but in patches some millimetres wide.

A guide as wide as a patch can do nothing against its error; one that covers many averages them out. So the error is
drawn as a smooth random field: white noise smoothed by a ball of `SMOOTHED_MM`, of a given standard deviation. Points
r apart then err alike by exp(-r² / 4 s²).
"""

from __future__ import annotations

import numpy as np

from guidegen.frames import FloatArray

# Residuals of 15 label maps at CT spacing against their true surfaces: standard deviation 0.26 to 0.30 mm along the
# normal, alike by 0.57 at 4.5 mm and by 0.1 at 9.5 mm, which is this field (docs/seat.md).
ERROR_MM = 0.3
SMOOTHED_MM = 3.0


def doubt_mm(label_error_mm: float) -> float:
    """The standard deviation of a surface's error: what its voxels alone account for, where that is more than was
    measured.
    """
    return max(ERROR_MM, label_error_mm)


WAVES = 128  # of random direction and phase in one field: the fourth moment of its values is then 1 % off the normal
SEED = 20150411


def error_fields(points_mm: FloatArray, count: int, error_mm: float = ERROR_MM) -> FloatArray:
    """`count` error fields (count, K) at points (K, 3), in mm along the outward normal.

    The points are to be given in the femur's own terms, so that the fields move with the patient and are mirrored with
    the side. The same points give the same fields.

    A stationary normal field is a sum of plane waves whose vectors are drawn from its spectrum (Shinozuka 1971); that
    of a Gaussian correlation is normal itself.
    """
    rng = np.random.default_rng(SEED)
    # in single precision: a fifth of the time, and a millionth of the error
    x, y, z = points_mm.astype(np.float32).T[..., None]
    fields = np.empty((count, len(points_mm)))
    for field in fields:
        u, v, w = rng.normal(scale=1.0 / (SMOOTHED_MM * np.sqrt(2.0)), size=(3, WAVES)).astype(np.float32)
        phases = rng.uniform(0.0, 2.0 * np.pi, WAVES).astype(np.float32)
        field[:] = np.cos(x * u + y * v + z * w + phases).sum(axis=1)
    return np.asarray(fields * error_mm * np.sqrt(2.0 / WAVES))
