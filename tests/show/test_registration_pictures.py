"""The pictures of the registration: what lies where, in which colour, and the same bytes again."""

from __future__ import annotations

import io

import numpy as np
import pytest

from guidegen.frames import LPS, RigidTransform, rotation_about
from guidegen.lesion.registration import MR
from guidegen.show.canvas import SCENE_BOTTOM, SCENE_TOP, SHEET
from guidegen.show.registration_pictures import (
    CYAN,
    LESION_ABOVE_MM,
    LESION_MEDIAL_MM,
    MM_PER_PIXEL,
    ORANGE,
    PANEL,
    cut,
    registration_pictures,
)
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

AT_MM = np.array([80.0, 10.0, -600.0])
MOTION = RigidTransform(rotation_about((0.2, 1.0, 0.3), 25.0), np.array([20.0, -40.0, 11.0]), LPS, MR)


def ball(radius_mm: float) -> Surface:
    import trimesh

    mesh = trimesh.creation.icosphere(4, radius_mm)
    return Surface(mesh.vertices + AT_MM, mesh.faces)


def ball_image(radius_mm: float, inside: float, outside: float, motion: RigidTransform | None = None) -> Volume:
    """A ball round the lesion on a grid of 1.5 mm that is 120 mm wide, in the frame that `motion` leads to."""
    center = AT_MM if motion is None else motion.points(AT_MM)
    voxels = np.full((81, 81, 81), outside)
    away = np.linalg.norm((np.indices((81, 81, 81)) - 40.0) * 1.5, axis=0)
    voxels[away < radius_mm] = inside
    return Volume(voxels, np.full(3, 1.5), np.eye(3), center - 60.0)


def drawn(side: str = "left", transform: RigidTransform | None = None) -> dict[str, bytes]:
    return registration_pictures(
        ball_image(20.0, 900.0, 0.0),
        ball_image(20.0, 50.0, 600.0, MOTION),
        ball(20.0),
        ball(20.0).transformed(MOTION),
        transform or MOTION.inverse(),
        AT_MM,
        side,
    )


def pixels(png: bytes) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def centers(picture: np.ndarray, colour) -> list[np.ndarray]:
    """The middle (x, y) of a colour's extent in either panel."""
    hit = np.abs(picture - colour).sum(axis=2) < 90
    hit[:SCENE_TOP], hit[SCENE_BOTTOM:] = False, False
    found = []
    for part in (slice(0, PANEL[0]), slice(SHEET[0] - PANEL[0], SHEET[0])):
        rows, columns = np.nonzero(hit[:, part])
        found.append(np.array([columns.min() + columns.max(), rows.min() + rows.max()]) / 2.0 + [part.start, 0.0])
    return found


def test_the_same_arguments_give_the_same_bytes() -> None:
    first, second = drawn(), drawn()
    assert first == second
    assert list(first) == ["contours.png", "checkerboard.png"]
    assert pixels(first["contours.png"]).shape == (SHEET[1], SHEET[0], 3)


@pytest.mark.parametrize(("side", "towards"), [("left", -1.0), ("right", 1.0)])
def test_the_outlines_lie_round_the_lesion(side, towards) -> None:
    """The lesion stands above the middle and, on the coronal plane, on the side of the body's middle."""
    middle = (SCENE_TOP + SCENE_BOTTOM) / 2.0 - LESION_ABOVE_MM / MM_PER_PIXEL
    coronal, sagittal = centers(pixels(drawn(side)["contours.png"]), ORANGE)
    assert coronal == pytest.approx([PANEL[0] / 2.0 + towards * LESION_MEDIAL_MM / MM_PER_PIXEL, middle], abs=2.0)
    assert sagittal == pytest.approx([SHEET[0] - PANEL[0] / 2.0, middle], abs=2.0)


def test_an_mr_that_lies_beside_the_bone_shows_it() -> None:
    off = MOTION.inverse().then(RigidTransform(np.eye(3), np.array([4.0, 0.0, 3.0]), LPS, LPS))
    picture = pixels(drawn("left", off)["contours.png"])
    apart = centers(picture, ORANGE)[0] - centers(picture, CYAN)[0]
    assert apart * MM_PER_PIXEL == pytest.approx([4.0, -3.0], abs=0.5)


def test_the_squares_take_turns() -> None:
    """Inside the ball the CT is bright and the MR dark, outside the other way round."""
    picture = pixels(drawn()["checkerboard.png"]).sum(axis=2)
    x, y = int(PANEL[0] / 2.0 - LESION_MEDIAL_MM / MM_PER_PIXEL), int(472 - LESION_ABOVE_MM / MM_PER_PIXEL)
    inside = picture[y - 50 : y + 50, x - 60 : x + 60]
    assert (inside > 500).mean() == pytest.approx(0.5, abs=0.15)
    assert (inside < 150).mean() == pytest.approx(0.5, abs=0.15)


def test_without_images_there_are_outlines_only() -> None:
    pictures = registration_pictures(
        None, None, ball(20.0), ball(20.0), RigidTransform(np.eye(3), np.zeros(3), MR, LPS), AT_MM, "left"
    )
    assert list(pictures) == ["contours.png"]
    assert len(centers(pixels(pictures["contours.png"]), ORANGE)) == 2


def test_a_ball_is_cut_in_a_circle() -> None:
    normal = np.array([0.6, 0.0, 0.8])
    segments = cut(ball(20.0), AT_MM + 12.0 * normal, normal)
    assert np.abs((segments - AT_MM) @ normal - 12.0).max() < 1e-9
    assert np.linalg.norm(segments - AT_MM - 12.0 * normal, axis=2) == pytest.approx(16.0, abs=0.1)
    length = np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1).sum()
    assert length == pytest.approx(2.0 * np.pi * 16.0, rel=0.005)
