"""STL, binary or text: triangles, corner by corner."""

from __future__ import annotations

from array import array

import numpy as np

from guidegen.errors import SurfaceError
from guidegen.intake.meshes import Mesh, soup, stated_space

HEADER_BYTES, TRIANGLE_BYTES = 84, 50
TRIANGLE = np.dtype([("normal", "<3f4"), ("corners", "<(3,3)f4"), ("attribute", "<u2")])

# The words of one facet, None where a number stands; the last one, endfacet, parts it from the next.
FACET = (b"facet normal n n n outer loop" + 3 * b" vertex n n n" + b" endloop").split()
KEYWORDS = [(place, word) for place, word in enumerate(FACET) if word != b"n"]
NUMBERS = [place for place, word in enumerate(FACET) if word == b"n"][3:]


def read_stl(data: bytes, file: str) -> Mesh:
    """The triangles of an STL; SurfaceError for a file that is not whole. A binary one may begin with "solid"."""
    count = int.from_bytes(data[HEADER_BYTES - 4 : HEADER_BYTES], "little")
    size = HEADER_BYTES + TRIANGLE_BYTES * count
    if len(data) >= HEADER_BYTES and len(data) == size:
        triangles = np.frombuffer(data, TRIANGLE, offset=HEADER_BYTES)
        with np.errstate(invalid="ignore"):  # a NaN that signals, which the caller refuses
            corners = triangles["corners"].reshape(-1, 3).astype(np.float64)
        return soup(corners, stated_space(data[: HEADER_BYTES - 4], file))
    if not data[:5].lower() == b"solid" or b"\0" in data[:512]:
        raise SurfaceError(
            f"{file}: expected a binary STL of {size} bytes for the {count} triangles that it states, "
            f"found {len(data)}: the file is cut off, altered or no STL; copy it again"
        )
    return _read_text(data, file)


def _read_text(data: bytes, file: str) -> Mesh:
    first, _, rest = data.partition(b"\n")
    body, end, after = rest.lower().partition(b"endsolid")
    if not end or after.partition(b"\n")[2].strip():
        found = "more after it" if end else "none: the file is cut off"
        raise SurfaceError(f"{file}: expected one solid and its endsolid, found {found}; export it as binary STL")
    *facets, last = body.split(b"endfacet")
    numbers = array("d")
    for number, facet in enumerate(facets):
        words = facet.split()
        if len(words) != len(FACET) or any(words[place] != word for place, word in KEYWORDS):
            raise _no_facet(number, facet, file)
        try:
            numbers.extend(float(words[place]) for place in NUMBERS)
        except ValueError as error:
            raise _no_facet(number, facet, file) from error
    if last.strip():
        raise _no_facet(len(facets), last, file)
    corners = np.frombuffer(numbers, np.float64).reshape(-1, 3)
    return soup(corners, stated_space(first, file))


def _no_facet(number: int, text: bytes, file: str) -> SurfaceError:
    return SurfaceError(
        f"{file}: expected a facet of three vertices, found {text.strip()[:60]!r} as facet {number + 1}; "
        "export it as binary STL"
    )
