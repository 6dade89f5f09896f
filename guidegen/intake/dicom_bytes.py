"""The build of a DICOM file, element by element, checked before any library reads it.

pydicom reads a file that is cut off as one that says less, guesses where the bytes are not what the file's transfer
syntax says, inflates without limit, and follows sequences as deep as they go. What passes here is whole: every length
lies inside what holds it, tags ascend, and the last element ends where the file ends (DICOM PS3.5, chapter 7 and
annex A; PS3.10, chapter 7).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache

from guidegen.errors import VolumeError

PREAMBLE_BYTES = 132
UNDEFINED = 0xFFFFFFFF
META_GROUP, TRANSFER_SYNTAX, PIXEL_DATA = 0x0002, 0x00020010, 0x7FE00010
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())  # a length of four bytes

MAX_DEPTH = 16  # sequences within sequences; the deepest that a segmentation needs is 5
MAX_ELEMENTS = 1_000_000


@dataclass(frozen=True)
class Syntax:
    """How the elements behind the meta information are written, and whether pixels come packed, in items."""

    explicit: bool
    little_endian: bool
    packed: bool


EXPLICIT_LITTLE = Syntax(True, True, False)
SYNTAXES = {
    "1.2.840.10008.1.2": Syntax(False, True, False),
    "1.2.840.10008.1.2.1": EXPLICIT_LITTLE,
    "1.2.840.10008.1.2.2": Syntax(True, False, False),
    "1.2.840.10008.1.2.5": Syntax(True, True, True),  # run lengths
}


@dataclass(frozen=True)
class Build:
    """What the bytes alone tell: the transfer syntax, and how many bytes of pixels there are, None without pixels."""

    syntax: Syntax
    pixel_bytes: int | None


def build_of(raw: bytes, file: str) -> Build:
    """The build of the DICOM file whose bytes these are; VolumeError for any that is not sound."""
    if raw[128:PREAMBLE_BYTES] != b"DICM":
        raise VolumeError(f"{file}: expected a DICOM file, found no such header; export it again, or take it away")
    syntax, start = _meta(raw, file)
    walk = _Walk(raw, syntax, file)
    walk.dataset(start, len(raw), 0, syntax.explicit, last=META_GROUP << 16 | 0xFFFF)
    return Build(syntax, walk.pixel_bytes)


def _meta(raw: bytes, file: str) -> tuple[Syntax, int]:
    """The transfer syntax, and where the meta information ends."""
    walk, at, name = _Walk(raw, EXPLICIT_LITTLE, file), PREAMBLE_BYTES, ""
    while raw[at : at + 2] == b"\x02\x00":
        tag, _, size, value_at = walk.element(at, len(raw))
        at = walk.inside(value_at, size, len(raw))
        if tag == TRANSFER_SYNTAX:
            name = raw[value_at:at].rstrip(b"\0 ").decode("latin-1")
    if name not in SYNTAXES:
        known = all(character in "0123456789." for character in name) and name
        raise VolumeError(
            f"{file}: expected pixels that are not compressed (or by run lengths), found the transfer syntax "
            f"{known or 'missing'}; export it uncompressed, as Explicit VR Little Endian"
        )
    return SYNTAXES[name], at


class _Walk:
    """Walks over the elements of a file and stops with a VolumeError where they make no sense."""

    def __init__(self, raw: bytes, syntax: Syntax, file: str) -> None:
        self.raw, self.syntax, self.file = raw, syntax, file
        order = "<" if syntax.little_endian else ">"
        self.unpack_tag = struct.Struct(f"{order}HH").unpack_from
        self.unpack_short = struct.Struct(f"{order}H").unpack_from
        self.unpack_long = struct.Struct(f"{order}L").unpack_from
        self.elements = 0
        self.pixel_bytes: int | None = None

    def dataset(self, at: int, end: int, depth: int, explicit: bool, last: int = -1) -> None:
        """The elements from `at` to exactly `end`."""
        while at < end:
            last, at = self._one(at, end, depth, explicit, last)

    def _one(self, at: int, end: int, depth: int, explicit: bool, last: int) -> tuple[int, int]:
        """The element at `at` and all it holds; its tag and its end."""
        tag, vr, size, value_at = self.element(at, end, explicit)
        if tag <= last or tag >= ITEM:
            raise self._unsound("tags that ascend", f"{_tag_text(tag)} after {_tag_text(last)}")
        if tag == PIXEL_DATA and (depth == 0 or (size == UNDEFINED and self.syntax.packed)):
            pixel_bytes, after = self._pixels(value_at, size, end)
            if depth == 0:  # else they are those of an icon
                self.pixel_bytes = pixel_bytes
            return tag, after
        if size == UNDEFINED:
            if explicit and vr not in (b"SQ", b"UN"):
                raise self._unsound("a length", f"none at {_tag_text(tag)}")
            return tag, self._sequence(value_at, end, depth + 1, explicit and vr != b"UN", open_ended=True)
        after = self.inside(value_at, size, end)
        if vr == b"SQ" or (not explicit and _is_sequence(tag)):
            self._sequence(value_at, after, depth + 1, explicit, open_ended=False)
        return tag, after

    def element(self, at: int, end: int, explicit: bool = True) -> tuple[int, bytes, int, int]:
        """Tag, value representation (b"" where it is implicit), length, and where the value starts."""
        self.elements += 1
        if self.elements > MAX_ELEMENTS:
            raise self._unsound(f"at most {MAX_ELEMENTS} elements", "more")
        self.inside(at, 8, end)
        group, number = self.unpack_tag(self.raw, at)
        tag = group << 16 | number
        if not explicit or group == 0xFFFE:
            return tag, b"", self.unpack_long(self.raw, at + 4)[0], at + 8
        vr = self.raw[at + 4 : at + 6]
        if vr in SHORT_VRS:
            return tag, vr, self.unpack_short(self.raw, at + 6)[0], at + 8
        if vr not in LONG_VRS:
            raise self._unsound("a kind of value that DICOM knows", f"another at {_tag_text(tag)}")
        self.inside(at, 12, end)
        return tag, vr, self.unpack_long(self.raw, at + 8)[0], at + 12

    def inside(self, at: int, size: int, end: int) -> int:
        """Where `size` bytes from `at` end, if that is not behind `end`."""
        if at + size > end:
            raise self._unsound("a whole file", f"an element that ends {at + size - end} bytes behind what holds it")
        return at + size

    def _sequence(self, at: int, end: int, depth: int, explicit: bool, open_ended: bool) -> int:
        """The items of a sequence, up to `end` or to its own end mark; where it ends."""
        if depth > MAX_DEPTH:
            raise self._unsound(f"at most {MAX_DEPTH} sequences within each other", "more")
        while at < end:
            tag, _, size, at = self.element(at, end, explicit)
            if tag == SEQUENCE_END and open_ended and size == 0:
                return at
            if tag != ITEM:
                raise self._unsound("items in a sequence", _tag_text(tag))
            if size == UNDEFINED:
                at = self._open_item(at, end, depth, explicit)
            else:
                after = self.inside(at, size, end)
                self.dataset(at, after, depth, explicit)
                at = after
        if open_ended:
            raise self._unsound("the end of a sequence", "none")
        return at

    def _open_item(self, at: int, end: int, depth: int, explicit: bool) -> int:
        """The elements of an item up to its end mark; where it ends."""
        last = -1
        while at < end:
            tag, _, size, after = self.element(at, end, explicit)
            if tag == ITEM_END and size == 0:
                return after
            last, at = self._one(at, end, depth, explicit, last)
        raise self._unsound("the end of an item", "none")

    def _pixels(self, at: int, size: int, end: int) -> tuple[int, int]:
        """How many bytes the pixels have, as they are or packed in items, and where they end."""
        if self.syntax.packed != (size == UNDEFINED):
            raise self._unsound("pixels as the transfer syntax says", "others")
        if not self.syntax.packed:
            return size, self.inside(at, size, end)
        total = 0
        while at < end:
            tag, _, size, at = self.element(at, end)
            if tag == SEQUENCE_END and size == 0:
                return total, at
            if tag != ITEM:
                raise self._unsound("items of packed pixels", _tag_text(tag))
            at = self.inside(at, size, end)
            total += size
        raise self._unsound("the end of the packed pixels", "none")

    def _unsound(self, expected: str, found: str) -> VolumeError:
        return VolumeError(
            f"{self.file}: expected {expected}, found {found}: the file is cut off or altered; export it again"
        )


@cache
def _is_sequence(tag: int) -> bool:
    """Whether the standard knows the element as a sequence, where the file does not say so itself."""
    from pydicom.datadict import dictionary_has_tag, dictionary_VR

    return dictionary_has_tag(tag) and dictionary_VR(tag) == "SQ"


def _tag_text(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
