"""The libraries that the stages import late, loaded by a process that waits for work anyhow.

A stage imports what it needs when it needs it, so that a refused case is refused soon. That costs a run one to two
seconds, which who asks for a change need not wait for.
"""

from __future__ import annotations

import importlib

LATE = (
    "SimpleITK",
    "igl",
    "lib3mf",
    "matplotlib.figure",
    "pymeshlab",
    "scipy.interpolate",
    "scipy.ndimage",
    "scipy.optimize",
    "scipy.signal",
    "scipy.sparse.csgraph",
    "scipy.spatial",
    "scipy.stats.qmc",
    "trimesh",
)


def load() -> None:
    """Import all of them."""
    for name in LATE:
        importlib.import_module(name)
