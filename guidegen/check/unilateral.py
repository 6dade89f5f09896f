"""Contacts that push and never pull: sums of non-negative parts, and the motion that they leave.

Lawson and Hanson, Solving Least Squares Problems (1974): chapter 23, NNLS and LDP.
"""

from __future__ import annotations

import numba
import numpy as np

from guidegen.frames import FloatArray, IntArray

# A part that improves the sum by less than this is none: rounding, for columns of length about 1.
NO_GAIN = 1e-10
MOST_ROUNDS = 300


@numba.njit(cache=True, nogil=True)
def non_negative_sum(parts: FloatArray, wanted: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The shares (M,), none negative, with which the parts (N, M) come nearest to `wanted` (N,), and what is missing
    (N,): wanted - parts @ shares.
    """
    size, count = parts.shape
    shares, missing = np.zeros(count), wanted.copy()
    used, chosen, refused = np.empty(size, dtype=np.int64), 0, -1
    for _ in range(MOST_ROUNDS):
        best, new = NO_GAIN, -1
        for m in range(count):
            if shares[m] == 0.0 and m != refused:
                gain = 0.0
                for n in range(size):
                    gain += parts[n, m] * missing[n]
                if gain > best:
                    best, new = gain, m
        if new < 0 or chosen == size:
            break
        used[chosen] = new
        kept = _balanced(parts, wanted, shares, used, chosen + 1)
        refused = new if shares[new] == 0.0 else -1
        chosen = kept
        for n in range(size):
            missing[n] = wanted[n]
            for k in range(chosen):
                missing[n] -= parts[n, used[k]] * shares[used[k]]
    return shares, missing


@numba.njit(cache=True, nogil=True)
def _balanced(parts: FloatArray, wanted: FloatArray, shares: FloatArray, used: IntArray, count: int) -> int:
    """Sets the shares of the parts `used` (their first `count`) to their least squares; one that turns negative on the
    way is dropped. Returns how many are left.
    """
    while count > 0:
        some = np.empty((len(wanted), count))
        for k in range(count):
            some[:, k] = parts[:, used[k]]
        free = np.linalg.lstsq(some, wanted)[0]
        way, stops = 1.0, -1
        for k in range(count):
            if free[k] <= 0.0:
                now = shares[used[k]]
                if now <= way * (now - free[k]):
                    way, stops = now / (now - free[k]), k
        for k in range(count):
            shares[used[k]] += way * (free[k] - shares[used[k]])
        if stops < 0:
            return count
        shares[used[stops]] = 0.0
        for k in range(stops, count - 1):
            used[k] = used[k + 1]
        count -= 1
    return 0


@numba.njit(cache=True, nogil=True)
def allowed_motion(rows: FloatArray, least: FloatArray, wish: FloatArray) -> tuple[FloatArray, bool]:
    """The motion (N,) nearest to `wish` (N,) with rows (M, N) @ motion >= least (M,); False where there is none.

    Least distance programming: the way from the wish to the motion is a non-negative sum of the rows, which are the
    directions in which contacts push.
    """
    count, size = rows.shape
    scale = np.sqrt((wish * wish).sum())
    parts = np.empty((size + 1, count))
    for m in range(count):
        short = least[m]
        for n in range(size):
            parts[n, m] = rows[m, n]
            short -= rows[m, n] * wish[n]
        parts[size, m] = short / scale
    one = np.zeros(size + 1)
    one[size] = 1.0
    missing = non_negative_sum(parts, one)[1]
    motion = wish.copy()
    if missing[size] < 1e-9:
        return 0.0 * motion, False
    for n in range(size):
        motion[n] -= scale * missing[n] / missing[size]
    return motion, True
