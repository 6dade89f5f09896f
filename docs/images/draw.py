"""Draws the two pictures of docs/coordinates.md: `python docs/images/draw.py`."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Ellipse, Polygon

HERE = Path(__file__).parent
BONE, EDGE, GUIDE, LESION, AXIS, WRONG = "#f2e8d5", "#8a7755", "#2a7f9e", "#c0392b", "#222222", "#b03a2e"

# A left femur from the front, x to the patient's left and z to the head, in mm from the centre of its head.
SHAFT_AND_NECK = np.array(
    [[26, -150], [29, -80], [24, -54], [16, -46], [20, -38], [8, -22], [-4, -16], [6, 20], [24, 12], [40, 8]]
    + [[52, 18], [63, 6], [65, -18], [58, -50], [56, -80], [54, -150]],
    dtype=float,
)
PLATE = np.array([[66, -26], [72, -24], [66, -68], [60, -68]], dtype=float)
SLEEVE_MM = np.array([[62, -44], [93, -66]], dtype=float)
HEAD_X_MM = 95.0
TEXT_GAP_MM = np.array([17.0, 10.0])


def curve(corners: np.ndarray) -> np.ndarray:
    """A closed line through the corners, rounded off (Chaikin)."""
    for _ in range(3):
        following = np.roll(corners, -1, axis=0)
        corners = np.stack([0.75 * corners + 0.25 * following, 0.25 * corners + 0.75 * following], axis=1).reshape(
            -1, 2
        )
    return corners


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], text: str, color: str = AXIS) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": color, "lw": 1.6})
    beyond = np.array(end) + TEXT_GAP_MM * (np.array(end) - start) / np.linalg.norm(np.array(end) - start)
    axes.text(*beyond, text, color=color, ha="center", va="center", fontsize=10, fontweight="bold")


def blank(axes: Axes, title: str, x_mm: tuple[float, float], y_mm: tuple[float, float]) -> None:
    axes.set(xlim=x_mm, ylim=y_mm, aspect="equal")
    axes.axis("off")
    axes.set_title(title, fontsize=11)


def femur_from_the_front(axes: Axes, side: int) -> None:
    """`side`: +1 left femur, −1 right femur; drawing is the only place where a side is a sign."""

    def placed(points: np.ndarray) -> np.ndarray:
        return (points + [HEAD_X_MM, 0]) * [side, 1]

    style = {"facecolor": BONE, "edgecolor": EDGE, "lw": 1.2}
    axes.add_patch(Polygon(placed(curve(SHAFT_AND_NECK)), **style))
    axes.add_patch(Circle((side * HEAD_X_MM, 0), 24, **style))
    axes.add_patch(Ellipse((side * (HEAD_X_MM - 4), 12), 22, 12, facecolor=LESION, alpha=0.8))
    axes.plot(*placed(np.array([[62, -44], [-6, 5]])).T, color=GUIDE, lw=1.2, ls="--")
    axes.add_patch(Polygon(placed(PLATE), facecolor=GUIDE))
    axes.plot(*placed(SLEEVE_MM).T, color=GUIDE, lw=7, solid_capstyle="butt")
    start, end = placed(np.array([[74, -46], [112, -42]]))
    arrow(axes, tuple(start), tuple(end), "z", GUIDE)
    axes.text(side * (HEAD_X_MM + 42), -168, "left femur" if side > 0 else "right femur", ha="center", fontsize=10)


def hips_from_the_feet(axes: Axes) -> None:
    axes.add_patch(Ellipse((0, 0), 400, 240, facecolor="#fafafa", edgecolor="#bbbbbb"))
    for color, rim_mm in ((EDGE, 1.2), (BONE, 0.0)):  # first the outline of the whole, then its inside
        for side in (1, -1):
            head, trochanter = np.array([side * HEAD_X_MM, 0.0]), np.array([side * 150.0, 14.0])
            across = (9.0 + rim_mm) * np.array([14.0, side * -55.0]) / np.hypot(14.0, 55.0)
            neck = [head - across, head + across, trochanter + across, trochanter - across]
            axes.add_patch(Polygon(neck, color=color, lw=0))
            axes.add_patch(Circle(tuple(head), 24 + rim_mm, color=color, lw=0))
            axes.add_patch(Circle(tuple(trochanter), 17 + rim_mm, color=color, lw=0))
    for x_mm, y_mm, text in ((0, -104, "front"), (0, 106, "back"), (-172, -20, "right"), (172, -20, "left")):
        axes.text(x_mm, y_mm, text, ha="center", va="center", fontsize=10, color="#666666")


def draw_axes() -> Figure:
    figure = Figure(figsize=(10.5, 3.5), layout="constrained")
    front, feet = figure.subplots(1, 2)
    blank(front, "from the front: the patient looks at you", (-235, 235), (-178, 50))
    for side in (1, -1):
        femur_from_the_front(front, side)
    arrow(front, (0, -75), (45, -75), "x  L")
    arrow(front, (0, -75), (0, -30), "z  S")
    front.text(0, -92, "y  P: into the picture", ha="center", fontsize=9, color=AXIS)
    blank(feet, "from the feet: as a CT slice is shown", (-235, 235), (130, -130))
    hips_from_the_feet(feet)
    arrow(feet, (0, -25), (45, -25), "x  L")
    arrow(feet, (0, -25), (0, 20), "y  P")
    feet.text(0, -42, "z  S: into the picture", ha="center", fontsize=9, color=AXIS)
    return figure


def draw_half_turn() -> Figure:
    figure = Figure(figsize=(10.5, 3.4), layout="constrained")
    right, wrong = figure.subplots(1, 2)
    blank(right, "(95, −12, 850) read as LPS, as it was meant", (-235, 235), (130, -130))
    blank(wrong, "the same numbers read as RAS", (-235, 235), (130, -130))
    for axes, sign, color in ((right, 1, GUIDE), (wrong, -1, WRONG)):
        hips_from_the_feet(axes)
        axes.plot(0, 0, "+", color=AXIS, ms=12)
        axes.plot(sign * 95, sign * -12, "o", color=color, ms=9)
        axes.annotate("", (sign * 95, sign * -12), (0, 0), arrowprops={"arrowstyle": "-", "color": color, "ls": "--"})
    right.text(95, -42, "front of the left head", ha="center", fontsize=10, color=GUIDE)
    wrong.text(-95, 46, "back of the right head", ha="center", fontsize=10, color=WRONG)
    wrong.annotate(
        "", (-80, 6), (80, -10), arrowprops={"arrowstyle": "-|>", "color": WRONG, "connectionstyle": "arc3,rad=0.5"}
    )
    wrong.text(0, -70, "half a turn about z", ha="center", fontsize=10, color=WRONG)
    return figure


def main() -> None:
    mpl.rcParams["font.family"] = "DejaVu Sans"
    for name, figure in (("axes.png", draw_axes()), ("half-turn.png", draw_half_turn())):
        figure.savefig(HERE / name, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
