"""All tunnels from one entry at once: walls, depths and reach on the corridor's distance field, compiled.

Frame and fields are those of `corridor`. Every function takes a `loose_mm`, 0 for the entry itself. Above 0, no
tunnel from another entry up to that far away comes off better than what is returned: distances change no faster than
the tunnel moves, and a tunnel turned about its target moves by (1 - f) · loose_mm at the share f of its way.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray

STATION_MM = 1.5  # where walls are looked at while searching
END_STEP_MM = 0.25  # in which the end draws back from the joint
BIN_MM = 0.5  # of depth, in which the lesion is counted
BINS = 160  # as far as 40 mm before and past the target
MIDDLE_BIN = BINS // 2
RING = 16
SLANT = 1.15  # a tunnel's mouth in the plane of the targets is so much longer than wide, at the most (30° askew)

# A tunnel ends where it is of most use; or goes through its target and on to the lesion's far side; or ends there.
FREE, THROUGH, ENDS_THERE = 0, 1, 2

FlagArray = npt.NDArray[np.bool_]


@numba.njit(cache=True, nogil=True)
def _at(field: FloatArray, low: FloatArray, step: float, x: float, y: float, z: float) -> float:
    """The field at a point, interpolated; at the border for a point beyond it."""
    u = min(max((x - low[0]) / step, 0.0), field.shape[0] - 1.000001)
    v = min(max((y - low[1]) / step, 0.0), field.shape[1] - 1.000001)
    w = min(max((z - low[2]) / step, 0.0), field.shape[2] - 1.000001)
    i, j, k = int(u), int(v), int(w)
    u, v, w = u - i, v - j, w - k
    a = field[i, j, k] * (1 - w) + field[i, j, k + 1] * w
    b = field[i, j + 1, k] * (1 - w) + field[i, j + 1, k + 1] * w
    c = field[i + 1, j, k] * (1 - w) + field[i + 1, j, k + 1] * w
    d = field[i + 1, j + 1, k] * (1 - w) + field[i + 1, j + 1, k + 1] * w
    return float((a * (1 - v) + b * v) * (1 - u) + (c * (1 - v) + d * v) * u)


@numba.njit(cache=True, nogil=True)
def _ring_depth(
    depth: FloatArray, low: FloatArray, step: float, point: FloatArray, axis: FloatArray, radius: float
) -> float:
    """The least depth on a circle round the axis."""
    # x of the frame is never along a tunnel, so it gives the first direction across it
    fx, fy, fz = 1.0 - axis[0] * axis[0], -axis[0] * axis[1], -axis[0] * axis[2]
    length = np.sqrt(fx * fx + fy * fy + fz * fz)
    fx, fy, fz = fx / length, fy / length, fz / length
    sx, sy, sz = axis[1] * fz - axis[2] * fy, axis[2] * fx - axis[0] * fz, axis[0] * fy - axis[1] * fx
    least = 1e9
    for k in range(RING):
        turn = (k + 0.5) * 2.0 * np.pi / RING
        c, s = radius * np.cos(turn), radius * np.sin(turn)
        here = _at(depth, low, step, point[0] + c * fx + s * sx, point[1] + c * fy + s * sy, point[2] + c * fz + s * sz)
        least = min(least, here)
    return least


@numba.njit(cache=True, nogil=True)
def _end_is_safe(
    depth: FloatArray, low: FloatArray, step: float, tip: FloatArray, axis: FloatArray, outline: FloatArray,
    axis_mm: float, rim_mm: float,
) -> bool:  # fmt: skip
    """Whether the tool's end keeps `axis_mm` on its axis and `rim_mm` all over."""
    middle = _at(depth, low, step, tip[0], tip[1], tip[2])
    if middle < axis_mm:
        return False
    point = np.empty(3)
    for ring in range(outline.shape[0]):
        setback, radius = outline[ring, 0], outline[ring, 1]
        # a ring point is no further from the tip than this, and no depth changes faster
        if radius == 0.0 or middle - np.sqrt(setback * setback + radius * radius) >= rim_mm:
            continue
        for i in range(3):
            point[i] = tip[i] - setback * axis[i]
        if _ring_depth(depth, low, step, point, axis, radius) < rim_mm:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def tunnels_from(
    entry: FloatArray, loose_mm: float, error_mm: float,
    targets: FloatArray, columns: int, target_step: float, asked: FlagArray, mode: int,
    low: FloatArray, step: float, depth: FloatArray, vessels: FloatArray,
    keep_low: FloatArray, keep_step: float, keep_out: FloatArray, outside_mm: float,
    lesion: FloatArray, cell_mm: float, head_center: FloatArray, head_radius: float,
    outline: FloatArray, radius: float, reamer_radius: float, reamer_length: float, setbacks: FloatArray,
    entry_zone: float, longest: float, wall_mm: float, vessel_mm: float, keep_mm: float, axis_mm: float, rim_mm: float,
    doubt: float,
) -> FloatArray:  # fmt: skip
    """Of the tunnels from `entry` (3,) through each target (M, 2) of a grid in the plane z = 0, the rows (M, 4):

    wall in mm outside the head; distance to what is kept out; the furthest point in mm past the target, along the axis,
    that is safe and of any use; the share of the lesion that is then reached. A wall of -1e9: no lawful tunnel, or one
    that was not `asked` for (M,).
    `targets` run column by column, `columns` of them, `target_step` apart; `mode`: FREE, THROUGH or ENDS_THERE.
    `setbacks`: the tool's end at shares of its radius.
    """
    count = targets.shape[0]
    found = np.full((count, 4), -1e9)
    found[:, 1] = 1e9
    furthest = np.full(count, 1e9)  # how far past its target each may go, from its way alone
    axes, lengths = np.empty((count, 3)), np.empty(count)
    point = np.empty(3)
    for j in range(count):
        axes[j, 0], axes[j, 1], axes[j, 2] = targets[j, 0] - entry[0], targets[j, 1] - entry[1], -entry[2]
        length = np.sqrt(axes[j, 0] ** 2 + axes[j, 1] ** 2 + axes[j, 2] ** 2)
        axes[j] /= length
        lengths[j] = length
        if not asked[j]:
            continue
        axis = axes[j]
        wall, clear, s, in_head = 1e9, 1e9, min(entry_zone, length), False
        lawful, last = True, longest - length + loose_mm
        while s < length + last:
            for i in range(3):
                point[i] = entry[i] + s * axis[i]
            slack = abs(1.0 - s / length) * loose_mm + (error_mm if loose_mm > 0.0 else 0.0)
            here = _at(depth, low, step, point[0], point[1], point[2])
            away = 0.0
            for i in range(3):
                away += (point[i] - head_center[i]) ** 2
            in_head = in_head or away < (head_radius + slack) ** 2
            if not in_head:
                wall = min(wall, here - radius + slack)
                if wall < wall_mm:
                    lawful = False
                    break
            elif here + slack < axis_mm + doubt or (
                here + slack < radius + rim_mm
                and s < length + last - STATION_MM
                and _ring_depth(depth, low, step, point, axis, radius) + slack < rim_mm
            ):
                last = s - length
                break
            if _at(vessels, low, step, point[0], point[1], point[2]) - radius + slack < vessel_mm:
                if not in_head:
                    lawful = False
                last = min(last, s - length)
                break
            s += STATION_MM
        if lawful and keep_out.shape[0] > 0:
            s = -outside_mm
            while s < length + min(last, 40.0):
                for i in range(3):
                    point[i] = entry[i] + s * axis[i]
                slack = abs(1.0 - s / length) * loose_mm + (error_mm if loose_mm > 0.0 else 0.0)
                clear = min(clear, _at(keep_out, keep_low, keep_step, point[0], point[1], point[2]) - radius + slack)
                if clear < keep_mm:
                    if s < length:
                        lawful = False
                    last = min(last, s - length)
                    break
                s += STATION_MM
        if lawful:
            found[j, 0], found[j, 1], furthest[j] = wall, clear, last
    swept, reamed = _reach(
        entry,
        loose_mm,
        targets,
        columns,
        target_step,
        axes,
        found[:, 0],
        lesion,
        cell_mm,
        radius,
        reamer_radius,
        setbacks,
    )
    has_reamer = reamer_radius > 0.0
    reamer_bins = int(np.ceil(reamer_length / BIN_MM))
    for j in range(count):
        if found[j, 0] <= -1e9:
            continue
        top = BINS - 1
        while top > 0 and swept[j, top] == 0.0 and not (has_reamer and reamed[j, top] > 0.0):
            top -= 1
        if top == 0 and mode == FREE:  # nothing of the lesion on its way
            found[j, 0] = -1e9
            continue
        axis, length = axes[j], lengths[j]
        end = min((top + 1 - MIDDLE_BIN) * BIN_MM, furthest[j])
        if mode == THROUGH:
            end = max(end, 0.0)
        elif mode == ENDS_THERE:
            end = 0.0
        bottom = -40.0 if mode == FREE else 0.0
        safe = False
        while end >= bottom:
            slack = abs(end) / length * loose_mm + (error_mm if loose_mm > 0.0 else 0.0)
            for i in range(3):
                point[i] = (targets[j, i] if i < 2 else 0.0) + end * axis[i]
            if end <= furthest[j] + 1e-9 and _end_is_safe(
                depth, low, step, point, axis, outline, axis_mm + doubt - slack, rim_mm + doubt - slack
            ):
                safe = True
                break
            if end == bottom:
                break
            end = max(end - END_STEP_MM, bottom)
        if not safe:
            found[j, 0] = -1e9
            continue
        upto = int(np.floor((end + abs(end) / length * loose_mm) / BIN_MM + 1e-6)) + MIDDLE_BIN
        upto = min(BINS, upto + (1 if loose_mm > 0.0 else 0))
        total = 0.0
        for k in range(max(upto, 0)):
            total += swept[j, k]
            if has_reamer and k >= upto - reamer_bins - (1 if loose_mm > 0.0 else 0):
                total += reamed[j, k]
        found[j, 2], found[j, 3] = end, total
    return found


@numba.njit(cache=True, nogil=True)
def _reach(
    entry: FloatArray, loose_mm: float, targets: FloatArray, columns: int, target_step: float, axes: FloatArray,
    walls: FloatArray, lesion: FloatArray, cell_mm: float, radius: float, reamer_radius: float, setbacks: FloatArray,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """The lesion's share by how deep the furthest point must be to sweep it (M, BINS), for the shaft with its end and
    for the opened reamer.

    Each lesion point is seen from the entry: only targets near where it appears on their plane can sweep it.
    """
    count = targets.shape[0]
    rows = count // columns
    swept = np.zeros((count, BINS))
    reamed = np.zeros((count if reamer_radius > 0.0 else 1, BINS))
    widest = max(radius, reamer_radius)
    first_row, last_row, first_column, last_column = rows, -1, columns, -1  # where there are lawful targets at all
    for t in range(count):
        if walls[t] > -1e9:
            first_row, last_row = min(first_row, t // columns), max(last_row, t // columns)
            first_column, last_column = min(first_column, t % columns), max(last_column, t % columns)
    for p in range(lesion.shape[0]):
        px, py, pz, share = lesion[p, 0], lesion[p, 1], lesion[p, 2], lesion[p, 3]
        f = (pz - entry[2]) / -entry[2]
        if f <= 0.05:
            continue
        slack = abs(1.0 - f) * loose_mm
        room2 = (widest + slack + cell_mm / 2.0) ** 2
        seen_x, seen_y = entry[0] + (px - entry[0]) / f, entry[1] + (py - entry[1]) / f
        room = SLANT * (widest + slack + cell_mm / 2.0) / f
        first_i = max(first_row, int(np.ceil((seen_x - room - targets[0, 0]) / target_step)))
        last_i = min(last_row, int(np.floor((seen_x + room - targets[0, 0]) / target_step)))
        first_j = max(first_column, int(np.ceil((seen_y - room - targets[0, 1]) / target_step)))
        last_j = min(last_column, int(np.floor((seen_y + room - targets[0, 1]) / target_step)))
        for i in range(first_i, last_i + 1):
            for k in range(first_j, last_j + 1):
                t = i * columns + k
                if walls[t] <= -1e9:
                    continue
                rx, ry, rz = px - targets[t, 0], py - targets[t, 1], pz
                along = rx * axes[t, 0] + ry * axes[t, 1] + rz * axes[t, 2]
                beside2 = rx * rx + ry * ry + rz * rz - along * along
                if beside2 > room2:
                    continue
                near = max(0.0, np.sqrt(max(beside2, 0.0)) - slack)
                # a point stands for a cell: what of it lies within the radius counts, and it is as deep as wide
                inside = share * min(1.0, max(0.0, (radius - near) / cell_mm + 0.5))
                if inside > 0.0:
                    place = min(near / radius, 1.0) * (setbacks.shape[0] - 1)
                    low = min(int(place), setbacks.shape[0] - 2)
                    setback = setbacks[low] + (place - low) * (setbacks[low + 1] - setbacks[low])
                    for layer in range(-1, 2):
                        needs = (along + setback - slack + layer * cell_mm / 3.0) / BIN_MM
                        swept[t, min(max(int(np.floor(needs)) + MIDDLE_BIN, 0), BINS - 1)] += inside / 3.0
                if reamer_radius > 0.0 and inside < share:
                    round_it = share * min(1.0, max(0.0, (reamer_radius - near) / cell_mm + 0.5)) - inside
                    needs = (along + setbacks[-1] - slack) / BIN_MM
                    reamed[t, min(max(int(np.floor(needs)) + MIDDLE_BIN, 0), BINS - 1)] += round_it
    return swept, reamed
