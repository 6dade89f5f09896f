"""The label description of ITK-SNAP: names for the labels of a file that names none itself."""

from __future__ import annotations

import re
from pathlib import Path

from guidegen.errors import LabelError
from guidegen.intake.label_maps import Segment, segments_of

MAX_BYTES = 1 << 20

# IDX, R, G, B, A, VIS, MSH and the name between quotation marks, as ITK-SNAP's ColorLabelTable writes it.
LINE = re.compile(r'\s*([0-9]{1,9})\s+(?:[0-9]{1,3}\s+){3}[0-9.]{1,20}\s+[01]\s+[01]\s+"(.*)"\s*', re.ASCII)


def read_label_names(path: Path, file: str) -> tuple[Segment, ...]:
    """The names in a label description, all of layer 0; label 0 is no label. LabelError for a file that is none."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise LabelError(f"{file}: expected a file that can be read, found none ({error.strerror})") from error
    if len(raw) > MAX_BYTES:
        raise LabelError(f"{file}: expected a label description of at most 1 MiB, found a larger file")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelError(f"{file}: expected text in UTF-8, found something else; save the labels again") from error
    names = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = LINE.fullmatch(line)
        if match is None:
            raise LabelError(
                f'{file}: expected lines IDX R G B A VIS MSH "LABEL", found {line[:60]!a} in line {number}; '
                "save the label description from ITK-SNAP again"
            )
        names.append((match[2], 0, int(match[1])))
    segments = segments_of([stated for stated in names if stated[2] != 0], 1, file)
    if not segments:
        raise LabelError(f"{file}: expected names of labels, found none; save the label description from ITK-SNAP")
    return segments
