"""The case files that revisions were made from, found again by the hashes of everything that they name."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from guidegen.case import Case, Order, load_case
from guidegen.errors import CaseFileError, ResultError
from guidegen.intake.inputs import input_hashes, read_contained
from guidegen.results import RUN_FILE, sha256
from guidegen.review.revision import Place
from guidegen.volumes import Volume

REMEMBERED = 20  # sources
Key = tuple[Path, str]


@dataclass(frozen=True)
class Source:
    """The case file that a revision was made from, and what was ordered for it: the file's own order, or a change."""

    case: Case
    order: Order


@dataclass(frozen=True, eq=False)
class Images:
    """The images of a case round the femur, each in its own frame; None for one that there is not."""

    bone: Volume | None = None
    lesion: Volume | None = None


@dataclass
class CaseFiles:
    """Folders in which case files are looked for, every folder in them included."""

    folders: Sequence[Path]
    _sources: dict[Key, Source] = field(default_factory=dict, repr=False)
    _images: dict[Key, Images] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def source(self, place: Place) -> Source:
        """The source of a revision; ResultError where no case file with exactly its inputs is found."""
        run = _run(place)
        try:
            hashes, order = dict(run["inputs_sha256"]), Order.model_validate(run["parameters"]["order"])
        except (KeyError, TypeError, ValueError) as error:
            raise ResultError(f"expected {RUN_FILE} of a guidegen run in {place.folder}, found another file") from error
        for path in self._named(hashes):
            try:
                case = load_case(path)
                if (case.patient.id, case.patient.side) != (place.case_id, place.side) or input_hashes(case) != hashes:
                    continue
            except CaseFileError:
                continue
            return Source(case, order)
        looked = ", ".join(str(folder) for folder in self.folders)
        raise ResultError(
            f"expected the case file of {place.subject} with the very files it was made from, found none in {looked}; "
            "name its folder with --cases"
        )

    def seen_source(self, place: Place) -> Source:
        """The same, as it was when it was first looked at: for display, where large files are not hashed each time."""
        key = _key(place)
        if key not in self._sources:
            self._sources[key] = self.source(place)
            for old in list(self._sources)[:-REMEMBERED]:
                self._sources.pop(old, None)
        return self._sources[key]

    def images(self, place: Place) -> Images:
        """The images under the slices of a revision; none where its case file is not found.

        They are read once, in a process of their own, and those of the last revision kept: they are large.
        """
        try:
            case, key = self.seen_source(place).case, _key(place)
        except ResultError:
            return Images()
        with self._lock:
            if key not in self._images:
                has_images = case.bone.image or case.lesion.image
                inputs = read_contained(case) if has_images else None
                self._images = {key: Images() if inputs is None else Images(inputs.image, inputs.lesion_image)}
            return self._images[key]

    def _named(self, hashes: Mapping[str, str]) -> list[Path]:
        """The files in the folders that bear the name of the case file."""
        names = {name for name in hashes if name.endswith(".toml")}
        return [path for folder in self.folders for name in sorted(names) for path in sorted(folder.rglob(name))]


def _key(place: Place) -> Key:
    return place.folder, sha256((place.folder / RUN_FILE).read_bytes())


def _run(place: Place) -> Any:
    try:
        return json.loads((place.folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultError(f"expected {RUN_FILE} in {place.folder}, found none that can be read ({error})") from error
