"""From a label map to the closed surface of one bone, with its error against the label measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from guidegen.errors import LabelError
from guidegen.frames import FloatArray
from guidegen.surfaces import Surface
from guidegen.volumes import Volume, bounding_box
from guidegen.written import as_written, is_sound

if TYPE_CHECKING:
    import manifold3d

# The blur before contouring. A binary label contoured as it is has its normals off by 19° (median);
# σ 0.8 mm brings that to 3–6° and more than 1 mm shrinks the bone. Three quarters of a slice where slices
# are thick, or their edges stay as terraces: the error against the true bone is then no larger.
BLUR_SIGMA_MM = 0.8
BLUR_SIGMA_SLICES = 0.75

# No voxel of the blurred label comes nearer to the level than this: it moves the surface by 2 µm at most.
LEVEL_CLEARANCE = 5e-4

# Simplifying turns on the last digits of the vertices, which neither the file nor the place in the patient may decide:
# it works along the label's own axes, with steps rounded to this. A power of two: most files state steps in 1/512 mm
# or in whole micrometres, and neither lie where the rounding jumps, as 0.9765625 mm does for a decimal one.
SPACING_GRID_MM = 2.0**-10

# The simplified surface stays this near to the contoured one, everywhere.
SIMPLIFY_LIMIT_MM = 0.05
SIMPLIFY_START_MM = 0.025  # manifold's edge tolerance; the deviation it leaves is about twice that
SIMPLIFY_LEAST_MM = 0.003

# A second piece this large is no speck: it is another bone under the same label.
SECOND_PIECE_LIMIT = 0.05

# Of the voxel faces between bone and not-bone, how many are measured against the surface.
LABEL_SAMPLES = 20_000


@dataclass(frozen=True)
class LabelFit:
    """How the surface lies against the boundary faces of the label's voxels, and what was done to the label.

    Signed distances of the face centres, positive outside: half a voxel of scatter is the
    label's own staircase; `bias_mm` is the part that would grow or shrink the bone.
    """

    bias_mm: float
    rms_mm: float
    p99_mm: float
    simplified_by_mm: float
    pieces: int
    dropped_mm3: float
    cavities_filled_mm3: float


@dataclass(frozen=True, eq=False)
class Bone:
    """The surface of a bone, and how it lies against its label; `fit` is None where the bone came as a surface."""

    surface: Surface
    fit: LabelFit | None

    @property
    def error_mm(self) -> float:
        """The standard error of the surface that the label itself accounts for; 0 for a bone that came as a surface."""
        return self.fit.rms_mm if self.fit else 0.0


def label_surface(label: Volume) -> Bone:
    """The closed surface of the largest piece of a boolean `label`, within 0.05 mm of its blurred contour.

    Rules: the largest face-connected piece is the bone; specks are dropped and recorded; closed
    cavities are filled and recorded. However the label is stored or lies in LPS, the surface on it is the same but
    for rounding, as long as `canonical` gives its axes in the same order; at 45° to the patient's, rounding decides
    that. Raises LabelError for an empty label or a second large piece.
    """
    label = label.canonical()
    mask, pieces, dropped = _largest_piece(label)
    mask, filled = _without_cavities(mask)
    box = bounding_box(mask, margin=0)
    if box is None:
        raise LabelError("expected a bone label with voxels, found none; check the label value")
    bone = replace(label, voxels=mask).cropped(box)
    surface, deviation = _simplified(bone)
    distances = surface.signed_distance_mm(_boundary_faces_mm(bone))
    voxel = label.voxel_volume_mm3
    fit = LabelFit(
        bias_mm=float(distances.mean()),
        rms_mm=float(distances.std()),
        p99_mm=float(np.percentile(np.abs(distances), 99)),
        simplified_by_mm=deviation,
        pieces=pieces,
        dropped_mm3=dropped * voxel,
        cavities_filled_mm3=filled * voxel,
    )
    return Bone(surface, fit)


def _largest_piece(label: Volume) -> tuple[npt.NDArray[np.bool_], int, int]:
    """The largest face-connected piece, how many pieces there are, and the voxels of the others."""
    import SimpleITK as sitk

    ranking = sitk.RelabelComponentImageFilter()
    image = sitk.GetImageFromArray(label.voxels.view(np.uint8))
    ranked = sitk.GetArrayFromImage(ranking.Execute(sitk.ConnectedComponent(image)))
    sizes = np.array(ranking.GetSizeOfObjectsInPixels())
    if sizes.size == 0:
        raise LabelError("expected a bone label with voxels, found none; check the label value")
    if sizes.size > 1 and sizes[1] > SECOND_PIECE_LIMIT * sizes[0]:
        volumes = ", ".join(f"{size * label.voxel_volume_mm3 / 1000:.1f} cm³" for size in sizes[:3])
        raise LabelError(
            f"expected one bone under the label, found {sizes.size} pieces (largest: {volumes}); "
            "give each bone its own label, or join a bone that the segmentation broke"
        )
    return np.asarray(ranked == 1), int(sizes.size), int(sizes[1:].sum())


def _without_cavities(mask: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.bool_], int]:
    """The mask with closed cavities filled, and how many voxels that took."""
    import SimpleITK as sitk

    filled = sitk.GetArrayFromImage(sitk.BinaryFillhole(sitk.GetImageFromArray(mask.view(np.uint8)))) > 0
    return filled, int(filled.sum() - mask.sum())


def contour(label: Volume) -> Surface:
    """The closed half-level surface (Lewiner's marching cubes) of a boolean label after the blur, in LPS mm.

    The label's index axes must be right-handed, as those of a canonical volume are.
    """
    from scipy import ndimage
    from skimage.measure import marching_cubes

    sigma = np.maximum(BLUR_SIGMA_MM, BLUR_SIGMA_SLICES * label.spacing_mm) / label.spacing_mm
    pad = int(np.ceil(4 * sigma.max())) + 1  # room for the blur, so that the contour closes inside the array
    field = ndimage.gaussian_filter(np.pad(label.voxels, pad).astype(np.float32), sigma, truncate=4.0)
    if field.max() <= 0.5:
        raise LabelError(
            f"expected a label thick enough for a surface, found one of {int(label.voxels.sum())} voxels that the blur "
            f"of {BLUR_SIGMA_MM:g} mm wipes out; check the label value and the segmentation"
        )
    # a voxel on the level itself leaves faces of micrometres that float32 cannot hold and no simplifying removes
    field = np.where(np.abs(field - 0.5) < LEVEL_CLEARANCE, 0.5 + np.copysign(LEVEL_CLEARANCE, field - 0.5), field)
    vertices, faces, _, _ = marching_cubes(field, level=0.5, allow_degenerate=False)
    # skimage winds faces against a descending field inwards for right-handed (i, j, k): turn them
    return Surface(label.to_lps(vertices.astype(np.float64) - pad), faces[:, ::-1].astype(np.int64))


def _simplified(bone: Volume) -> tuple[Surface, float]:
    """The largest body of the contour, simplified, in LPS mm, and its greatest deviation (mm) from the contour; the
    tolerance is halved until that is allowed.
    """
    own = _in_own_axes(bone)

    def in_lps(mesh: manifold3d.Mesh64) -> Surface:
        vertices = np.asarray(mesh.vert_properties)[:, :3]
        return Surface(bone.to_lps(own.to_index(vertices)), np.asarray(mesh.tri_verts).astype(np.int64))

    body = _largest_body(contour(own))
    original = in_lps(body.to_mesh64()).vertices
    tolerance = SIMPLIFY_START_MM
    while True:
        simple = in_lps(body.simplify(tolerance).to_mesh64())
        rounded = Surface(simple.vertices.astype(np.float32), simple.faces)
        lighter = rounded if is_sound(rounded) else as_written(simple)
        deviation = float(lighter.nearest(original)[0].max()) if lighter is not None else np.inf
        if lighter is not None and deviation <= SIMPLIFY_LIMIT_MM:
            return lighter, deviation
        tolerance /= 2.0
        if tolerance < SIMPLIFY_LEAST_MM:
            raise LabelError(
                f"expected a bone surface that can be simplified within {SIMPLIFY_LIMIT_MM:g} mm and stays sound, "
                "found none; smooth the label: its surface runs through itself"
            )


def _in_own_axes(bone: Volume) -> Volume:
    """The same voxels along the coordinate axes from 0, with rounded steps."""
    return Volume(bone.voxels, np.rint(bone.spacing_mm / SPACING_GRID_MM) * SPACING_GRID_MM, np.eye(3), np.zeros(3))


def _largest_body(surface: Surface) -> manifold3d.Manifold:
    import manifold3d

    mesh = manifold3d.Mesh64(vert_properties=np.array(surface.vertices), tri_verts=surface.faces.astype(np.uint64))
    bodies = manifold3d.Manifold(mesh).decompose()
    if not bodies:
        raise LabelError("expected a label that encloses a volume, found one too thin for a surface")
    return max(bodies, key=lambda part: part.volume())


def _boundary_faces_mm(bone: Volume) -> FloatArray:
    """Centres (K, 3) in LPS mm of an even share of the voxel faces between bone and not-bone."""
    padded = np.pad(bone.voxels, 1)
    centers = []
    for axis in range(3):
        step = np.diff(padded.astype(np.int8), axis=axis)
        index = np.argwhere(step).astype(np.float64) - 1.0
        index[:, axis] += 0.5
        centers.append(index)
    faces = np.concatenate(centers)
    return bone.to_lps(faces[:: max(1, len(faces) // LABEL_SAMPLES)])
