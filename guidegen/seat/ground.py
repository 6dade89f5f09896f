"""What a guide rests on, and what bounds it: the bone, what is kept out, and the end of the scan."""

from __future__ import annotations

from dataclasses import dataclass

from guidegen.frames import FloatArray, RigidTransform
from guidegen.keep_out import KeepOut
from guidegen.seat.scan_end import ScanEnd, find_scan_end
from guidegen.surfaces import Surface

DEEP_MM = 1.0  # beside the distance asked: what lies deeper than both in the bone is out of a guide's reach


@dataclass(frozen=True, eq=False)
class Ground:
    """The bone's surface, what is kept out and the distance to it, and where the scan ended; all in one frame.

    `near_mm` (K, 3) are the points of what is kept out that a guide could come near to.
    """

    bone: Surface
    keep_out: KeepOut
    keep_out_mm: float
    near_mm: FloatArray
    end: ScanEnd

    @classmethod
    def of(cls, bone: Surface, shaft_axis: FloatArray, keep_out: KeepOut, keep_out_mm: float) -> Ground:
        """The ground in LPS mm of a bone with this shaft axis (3,)."""
        points = keep_out.points_mm
        near = bone.signed_distance_mm(points) > -keep_out_mm - DEEP_MM if len(points) else slice(None)
        return cls(bone, keep_out, keep_out_mm, points[near], find_scan_end(bone, shaft_axis))

    def transformed(self, transform: RigidTransform) -> Ground:
        """The same in the transform's target frame."""
        return Ground(
            self.bone.transformed(transform),
            self.keep_out.transformed(transform),
            self.keep_out_mm,
            transform.points(self.near_mm),
            self.end.transformed(transform),
        )
