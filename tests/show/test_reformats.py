"""Images cut along and across the tunnel: the right place, the right way round, and lines told apart without colour."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import trimesh
from test_pictures import pixels
from test_plan_pictures import HEAD_MM, at, drawn, hip, tunnel, words

from guidegen.frames import LPS, RigidTransform, rotation_about
from guidegen.lesion.registration import MR
from guidegen.show.canvas import SHEET
from guidegen.show.paper import plain_settings, png
from guidegen.show.print_view import print_picture
from guidegen.show.reformats import FIRST_CUT_MM, _cut_across, _ways_across, reformat_pictures
from guidegen.show.scans import Scans
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

MOTION = RigidTransform(rotation_about((0.2, 1.0, 0.3), 25.0), np.array([20.0, -40.0, 11.0]), LPS, MR)


def assessed(side: str = "left") -> Any:
    made = hip(side)
    made.lesion = SimpleNamespace(surface=made.lesion.surface, centroid_mm=at(side, 2.0, 0.0, 6.0))
    return made


def guide(side: str = "left") -> Surface:
    mesh = trimesh.creation.box((10.0, 40.0, 50.0))
    return Surface(mesh.vertices + at(side, -60.0, 0.0, -45.0), mesh.faces)


def image(bright_mm: np.ndarray, frame: RigidTransform | None = None) -> Volume:
    """Bright within 6 mm of a place of the plan, in the frame that `frame` leads to; 160 mm wide."""
    center = HEAD_MM if frame is None else frame.points(HEAD_MM)
    bright = bright_mm if frame is None else frame.points(bright_mm)
    places = center - 80.0 + 2.0 * np.moveaxis(np.indices((81, 81, 81)), 0, -1)
    voxels = np.where(np.linalg.norm(places - bright, axis=-1) < 6.0, 1000.0, -200.0)
    return Volume(voxels, np.full(3, 2.0), np.eye(3), center - 80.0)


def figures(side: str = "left", ct: Volume | None = None, mr: Volume | None = None, **changes: Any) -> dict[str, Any]:
    scans = Scans(None, ct, mr, None, changes.get("transform"))
    with plain_settings():
        return reformat_pictures(assessed(side), guide(side), [tunnel(side)], scans, "Z019L")


def test_there_is_one_picture_for_each_image_and_one_without_any() -> None:
    ct = image(HEAD_MM)
    assert list(figures()) == ["reformat.png"]
    assert list(figures(ct=ct)) == ["reformat_ct.png"]
    assert list(figures(ct=ct, mr=ct)) == ["reformat_ct.png", "reformat_mr.png"]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("moved", [False, True])
def test_what_is_bright_at_the_tunnels_end_is_bright_there(side: str, moved: bool) -> None:
    """On either side, and through the registration of an MR in a frame of its own."""
    target = tunnel(side).target_mm
    transform = MOTION.inverse() if moved else None
    shown = figures(side, mr=image(target, MOTION if moved else None), transform=transform)["reformat_mr.png"]
    for axes in shown.axes[:2]:
        (picture,) = [each for each in axes.get_images() if each.get_gid() == "image"]
        values = np.asarray(picture.get_array())
        rows, columns = np.nonzero(values > 0.9)
        left, right, bottom, top = picture.get_extent()
        place = np.array([
            left + (columns.mean() + 0.5) / values.shape[1] * (right - left),
            top - (rows.mean() + 0.5) / values.shape[0] * (top - bottom),
        ])  # fmt: skip
        (outline,) = axes.findobj(lambda artist: artist.get_gid() == "tunnel")
        assert np.linalg.norm(outline.get_xy() - place, axis=1).min() < 6.0


def test_bone_lesion_guide_and_tunnel_are_drawn_and_told_apart_by_their_dashes() -> None:
    figure = figures()["reformat.png"]
    for name in ("bone", "lesion", "guide", "tunnel"):
        assert drawn(figure, name), name
    dashes = {name: str(drawn(figure, name)[0].get_linestyle()) for name in ("bone", "lesion", "guide")}
    assert len(set(dashes.values())) == 3
    assert len(drawn(figure, "tunnel")) == 5  # twice along it, three times across
    assert {"A", "B", "C", "PROX", "DIST", "ANT", "POST"} <= set(words(figure))


@pytest.mark.parametrize("side", ["left", "right"])
def test_across_the_tunnel_the_first_cut_lies_past_the_cortex_and_proximal_is_up(side: str) -> None:
    made, way = assessed(side), tunnel(side)
    ways = _ways_across(made, way)
    assert ways[0] == FIRST_CUT_MM
    assert 10.0 < ways[1] < way.length_mm
    assert ways[2] == pytest.approx((made.lesion.centroid_mm - way.entry_mm) @ way.axis)
    cut = _cut_across(made, way, ways[0])
    assert cut.up @ made.anatomy.shaft_axis > 0.5
    assert cut.toward == pytest.approx(-way.axis)
    front = -made.anatomy.posterior
    assert cut.right @ front == pytest.approx(1.0 if side == "right" else -1.0)


def test_the_same_figure_gives_the_same_bytes() -> None:
    first, second = (png(figures(ct=image(HEAD_MM))["reformat_ct.png"]) for _ in range(2))
    assert first == second
    assert pixels(first).shape == (SHEET[1], SHEET[0], 3)


def test_the_guide_stands_on_its_plate_as_it_is_printed() -> None:
    """A slab 10 mm thick, down to its wide side: seen lying, wider than high."""
    lying = pixels(print_picture("Z019L", "left", guide(), [1.0, 0.0, 0.0]))
    standing = pixels(print_picture("Z019L", "left", guide(), [0.0, 0.0, -1.0]))
    assert lying.shape == (SHEET[1], SHEET[0], 3)
    sizes = []
    for picture in (lying, standing):
        teal = (picture[:, :, 1] > picture[:, :, 0] + 40)[140:800]
        rows, columns = np.nonzero(teal)
        sizes.append((np.ptp(columns), np.ptp(rows)))
    assert sizes[0][0] > 1.5 * sizes[0][1]
    assert sizes[1][1] > sizes[1][0]
