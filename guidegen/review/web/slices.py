"""Slices as pictures: what a plane cuts of bone, lesion, tunnel, wires and guide, on the image where there is one.

Drawn by Agg itself, without a figure round it: a slice takes some ten milliseconds, and the same bytes each time.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray
from guidegen.review.web.planes import Framed
from guidegen.review.web.shapes import Shapes
from guidegen.show.section import outline_path, outlines_mm
from guidegen.volumes import Volume

if TYPE_CHECKING:
    from PIL.Image import Image

PIXELS = 560
GROUND = (14, 17, 22)
INK = (214, 220, 228)
QUIET = (150, 160, 172)
SCALE_BAR_MM = 20.0
LETTERS = 21  # pixels high: a slice is looked at at half its size
EDGE = 12  # pixels between lettering and border
RIM = 4  # pixels of dark round each letter, which may stand on white bone
# Each layer's fill and line, how dense the fill is, and how wide the line; bone first, what lies on it later.
STYLES: Mapping[str, tuple[tuple[float, float, float], float, float]] = {
    "bone": ((0.80, 0.82, 0.84), 0.30, 1.4),
    "lesion": ((0.92, 0.36, 0.33), 0.42, 1.4),
    "keep_out": ((0.70, 0.52, 0.86), 0.40, 1.2),
    "guide": ((0.25, 0.70, 0.66), 0.55, 1.2),
    "tunnel": ((0.42, 0.66, 1.00), 0.22, 1.6),
    "pins": ((0.95, 0.82, 0.45), 0.55, 1.0),
}
# Body directions by LPS axis, from minus to plus.
SIDES = (("R", "L"), ("A", "P"), ("F", "H"))
SECOND_PART = 0.38  # a direction is named after its second part too from 22.5° on


def slice_png(
    shapes: Shapes, image: Volume | None, view: Framed, title: str, hidden: frozenset[str] = frozenset()
) -> bytes:
    """One slice as PNG, PIXELS square, with scale bar, directions and title; layers in `hidden` are left out."""
    picture = _ground(image, view)
    overlay, open_layers = _overlay(shapes, view, hidden, image is not None)
    picture.alpha_composite(overlay)
    _letter(picture, view, title, open_layers)
    content = io.BytesIO()
    picture.convert("RGB").save(content, "PNG", compress_level=1, compress_type=3)
    return content.getvalue()


def _ground(image: Volume | None, view: Framed) -> Image:
    """The picture's ground: the image in this plane, from its 1st to its 99th percentile, or nothing."""
    from PIL import Image
    from scipy.ndimage import map_coordinates

    if image is None:
        return Image.new("RGBA", (PIXELS, PIXELS), (*GROUND, 255))
    steps = (np.arange(PIXELS) + 0.5) / PIXELS - 0.5
    right_mm, up_mm = view.center_mm[0] + steps * view.span_mm, view.center_mm[1] - steps * view.span_mm
    cut = view.cut
    places = cut.origin_mm + right_mm[None, :, None] * cut.right + up_mm[:, None, None] * cut.up
    index = np.moveaxis(image.to_index(places), -1, 0)
    values = map_coordinates(image.voxels, index, output=np.float32, order=1, mode="constant", cval=np.nan)
    low, high = _window(image)
    grey = np.nan_to_num(np.clip((values - low) / max(high - low, 1e-6), 0.0, 1.0), nan=0.0)
    tone = (np.array(GROUND) + grey[:, :, None] * (225.0 - np.array(GROUND))).astype(np.uint8)
    return Image.fromarray(np.dstack([tone, np.full((PIXELS, PIXELS), 255, dtype=np.uint8)]), "RGBA")


def _window(image: Volume) -> tuple[float, float]:
    """Darkest and brightest value that are told apart."""
    sample = image.voxels[::3, ::3, ::3]
    low, high = np.percentile(sample, (1.0, 99.5))
    return float(low), float(high)


def _overlay(shapes: Shapes, view: Framed, hidden: frozenset[str], on_image: bool) -> tuple[Image, tuple[str, ...]]:
    """What the plane cuts, drawn on nothing, and the layers that are not closed and so cannot be cut."""
    from matplotlib.backends import backend_agg
    from matplotlib.transforms import Affine2D
    from PIL import Image

    untyped: Any = backend_agg
    renderer = untyped.RendererAgg(PIXELS, PIXELS, 72)
    scale = PIXELS / view.span_mm
    place = Affine2D().translate(*(-view.center_mm)).scale(scale).translate(PIXELS / 2.0, PIXELS / 2.0)
    faults = []
    for layer, (colour, density, width) in STYLES.items():
        if layer not in shapes.surfaces or layer in hidden:
            continue
        try:
            loops = outlines_mm(shapes.surfaces[layer], view.cut)
        except ValueError:
            faults.append(layer)
            continue
        if loops:
            _draw(renderer, loops, place, colour, 0.0 if on_image and layer == "bone" else density, width)
    drawn: npt.NDArray[np.uint8] = np.asarray(renderer.buffer_rgba())
    return Image.fromarray(drawn.copy(), "RGBA"), tuple(faults)


def _draw(
    renderer: Any, loops: list[FloatArray], place: Any, colour: tuple[float, float, float], density: float, width: float
) -> None:
    gc = renderer.new_gc()
    gc.set_linewidth(0.0)
    gc.set_foreground(colour)
    path = outline_path(loops)
    gc.set_alpha(density)
    renderer.draw_path(gc, path, place, colour)
    gc.set_alpha(1.0)
    gc.set_linewidth(width)
    renderer.draw_path(gc, path, place, None)
    gc.restore()


def _letter(picture: Image, view: Framed, title: str, open_layers: tuple[str, ...]) -> None:
    from PIL import ImageDraw
    from PIL.ImageFont import load_default

    draw = ImageDraw.Draw(picture)
    small, middle = load_default(LETTERS), PIXELS / 2.0
    words = [title, *(f"{layer} is not closed: not drawn" for layer in open_layers)]
    draw.multiline_text((EDGE, EDGE - 2), "\n".join(words), INK, small, stroke_width=RIM, stroke_fill=GROUND)
    for towards, at, anchor in (
        (-view.cut.right, (EDGE, middle), "lm"), (view.cut.right, (PIXELS - EDGE, middle), "rm"),
        (view.cut.up, (middle, EDGE), "mt"), (-view.cut.up, (middle, PIXELS - EDGE), "ms"),
    ):  # fmt: skip
        draw.text(at, named(towards), QUIET, small, anchor, stroke_width=RIM, stroke_fill=GROUND)
    length, right, y = SCALE_BAR_MM * PIXELS / view.span_mm, PIXELS - EDGE, PIXELS - EDGE - 2
    draw.line([(right - length, y), (right, y)], INK, 3)
    for x in (right - length, right):
        draw.line([(x, y - 5), (x, y + 5)], INK, 2)
    draw.text((right, y - 10), f"{SCALE_BAR_MM:g} mm", INK, small, "rs", stroke_width=RIM, stroke_fill=GROUND)


def named(towards: FloatArray) -> str:
    """The side or two of the body that a direction (3,) mostly follows: R or L, A or P, F(eet) or H(ead)."""
    order = np.argsort(-np.abs(towards))
    names = [SIDES[axis][int(towards[axis] > 0.0)] for axis in order]
    return names[0] + (names[1] if abs(towards[order[1]]) > SECOND_PART else "")
