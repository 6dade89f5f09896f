"""The case file: what is asked for, checked before anything else is read."""

from __future__ import annotations

import difflib
import re
import reprlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any, ClassVar, Literal, Self, TypeGuard

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from guidegen.errors import CaseFileError
from guidegen.plan.fields import Within
from guidegen.plan.rules import TABLE, WAIVABLE
from guidegen.toml_files import NotToml, read_toml

# Files that hold a label map; a label written with one of these endings is a file of its own.
LABEL_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".mha", ".mhd", ".dcm")

# The endings of the file that has the voxels of a .mhd, unpacked and packed.
COMPANION_SUFFIXES = (".raw", ".zraw")

# A case file is a page of text; anything far larger is another file.
MAX_CASE_BYTES = 1 << 20
MAX_LABEL = 2**31 - 1
MAX_COORDINATE_MM = 10_000  # no scanner reaches further; NaN and infinity fail it too


def _matching(pattern: str, expected: str) -> AfterValidator:
    """A pydantic check that the whole text matches `pattern`, which `expected` puts in words."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"expected {expected}, found {reprlib.repr(text)}")
        return text

    return AfterValidator(check)


def _one_line(text: str) -> str:
    if not text.isprintable() or not 0 < len(text.strip()) <= len(text) <= 200:
        raise ValueError(f"expected one line of 1 to 200 printable characters, found {reprlib.repr(text)}")
    return text


def _label(value: object) -> object:
    if isinstance(value, str):
        return _one_line(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_LABEL:
        raise ValueError(
            f"expected a label number of 1 or more, the name of a label, or a file, found {reprlib.repr(value)}"
        )
    return value


def _point(value: object) -> object:
    def is_coordinate(number: object) -> bool:
        return isinstance(number, int | float) and not isinstance(number, bool) and abs(number) <= MAX_COORDINATE_MM

    if not isinstance(value, list) or len(value) != 3 or not all(is_coordinate(number) for number in value):
        raise ValueError(
            f"expected three numbers [x, y, z] in mm, each within ±{MAX_COORDINATE_MM} mm, found {reprlib.repr(value)}"
        )
    return tuple(value)


def _length(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_COORDINATE_MM:
        raise ValueError(f"expected a length in mm above 0, found {reprlib.repr(value)}")
    return float(value)


def _pose(value: object) -> object:
    rows = value if isinstance(value, list) else []
    numbers = [number for row in rows if isinstance(row, list) and len(row) == 4 for number in row]
    if (
        len(rows) != 3
        or len(numbers) != 12
        or not all(
            isinstance(number, int | float) and not isinstance(number, bool) and abs(number) <= MAX_COORDINATE_MM
            for number in numbers
        )
    ):
        raise ValueError(
            "expected three rows of four numbers [[r, r, r, mm], …], a turn and a shift from the MR to the bone, "
            f"found {reprlib.repr(value)}"
        )
    return tuple(tuple(float(number) for number in row) for row in rows)


def _waivable(value: str) -> str:
    if value not in WAIVABLE:
        known = value in {rule.name for rule in TABLE}
        why = "a rule that nobody may waive" if known else "no rule of the plan"
        raise ValueError(f"expected one of {', '.join(WAIVABLE)}, found {value!r}, {why}")
    return value


Text = Annotated[str, AfterValidator(_one_line)]
Label = Annotated[int | str, BeforeValidator(_label)]
TemplateName = Annotated[
    str,
    _matching("[a-z0-9][a-z0-9._-]{0,63}", "the name of a template (small letters, digits, . _ -; at most 64)"),
]
CycleName = Annotated[
    str, _matching("[a-z0-9][a-z0-9._-]{0,63}", "the name of a sterilisation (small letters, digits, . _ -)")
]
Gap = Annotated[float, Within(0, 10)]  # in mm; the printer's file says which of these it can be
PatientId = Annotated[
    str,
    _matching("[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "letters, digits, . _ -, first a letter or digit, at most 64"),
]
Point = Annotated[tuple[float, float, float], BeforeValidator(_point)]
Unit = Literal["mm", "cm", "m", "inch"]
Space = Literal["LPS", "RAS"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Patient(_Section):
    """Whose hip it is; `dicom_id` is the patient id that the DICOM files have, where that is another one."""

    id: PatientId
    side: Literal["left", "right"]
    dicom_id: Text | None = None


class _Shape(_Section):
    """A shape in one of two forms: labels in voxel files, or one surface file with its unit and space.

    `names` is a label description of ITK-SNAP, for `labels` that do not name their labels themselves; `image` is a
    file, or the folder of a DICOM series.
    """

    structures: ClassVar[tuple[str, ...]]  # the keys that hold labels; the first is the shape itself

    labels: Text | None = None
    surface: Text | None = None
    unit: Unit | None = None
    space: Space | None = None
    names: Text | None = None
    image: Text | None = None

    @property
    def given(self) -> dict[str, Label]:
        """The labels that are given, by their keys."""
        labels = {key: getattr(self, key) for key in self.structures}
        return {key: label for key, label in labels.items() if label is not None}

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        problems = self._label_problems() if self.surface is None else self._surface_problems()
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _surface_problems(self) -> list[str]:
        """What is wrong between the keys of the surface form: one line each, its key first."""
        needed = {"unit": '"mm", "cm", "m" or "inch"', "space": '"LPS" or "RAS"'}
        return [
            f'{key}: expected {values} beside "surface", found nothing; a surface file does not say it'
            for key, values in needed.items()
            if getattr(self, key) is None
        ] + [
            f'{key}: expected nothing beside "surface", found {getattr(self, key)!r}; keep one of the two'
            for key in ("labels", "names", *self.structures)
            if getattr(self, key) is not None
        ]

    def _label_problems(self) -> list[str]:
        """The same for the label form."""
        shape = self.structures[0]
        problems = [
            f'{key}: expected nothing without "surface", found {getattr(self, key)!r}; a label map says it itself'
            for key in ("unit", "space")
            if getattr(self, key) is not None
        ]
        if getattr(self, shape) is None:
            problems.append(f'{shape}: expected a label number, name or file (or "surface" instead), found nothing')
        inside = [key for key, label in self.given.items() if not is_file(label)]
        if inside and self.labels is None:
            problems.append(f"labels: expected the file that has the label of {' and '.join(inside)}, found nothing")
        if self.names is not None and self.labels is None:
            problems.append('names: expected nothing without "labels", found a file; say whose labels it names')
        return problems


class Bone(_Shape):
    """The femur, what lies about it, and what to keep away from; its frame is the frame of the plan."""

    structures = ("femur", "pelvis", "implant", "old_tunnel", "avoid")

    femur: Label | None = None
    pelvis: Label | None = None
    implant: Label | None = None
    old_tunnel: Label | None = None
    avoid: Label | None = None


class Lesion(_Shape):
    """The dead bone; `femur` is named when the lesion's image shows the femur in another pose."""

    structures = ("lesion", "femur")

    lesion: Label | None = None
    femur: Label | None = None


class Order(_Section):
    """What the surgeon asks for; names of templates, and points in LPS mm.

    Without a `kit` the plan is made with core-8, or with multiple-3.2 for the strategy "multiple". Without a
    `sterilisation` it is the printer's first; without a `clearance_mm` the print's error budget says how far guide and
    bone stand apart, without a `periosteum_mm` the guide's shape says how much of it is left between them.
    `language` is that of the dossier.
    """

    surgeon: Text | None = None
    kit: TemplateName | None = None
    guide: TemplateName = "lateral"
    printer: TemplateName = "sla"
    sterilisation: CycleName | None = None
    clearance_mm: Gap | None = None
    periosteum_mm: Gap | None = None
    policy: TemplateName = "default"
    language: TemplateName = "en"
    size: Literal["S", "M", "L"] = "M"
    strategy: Literal["centroid", "coverage", "multiple"] = "centroid"
    entry_mm: Point | None = None
    target_mm: Point | None = None


class WaiverAsked(_Section):
    """A rule of the plan that the engineer proposes to waive, who asks, and why; only the surgeon accepts it."""

    rule: Annotated[str, AfterValidator(_waivable)]
    author: Text
    reason: Text


class Overrides(_Section):
    """What an expert overrules, with who and why: landmarks in LPS mm, axes towards the head, the pose of the MR's
    femur on the bone (three rows of a turn and a shift in mm), and structures that need not be kept away from.
    """

    author: Text
    reason: Text
    head_center_mm: Point | None = None
    head_radius_mm: Annotated[float, BeforeValidator(_length)] | None = None
    neck_isthmus_center_mm: Point | None = None
    neck_axis: Point | None = None
    shaft_point_mm: Point | None = None
    shaft_axis: Point | None = None
    lesser_trochanter_mm: Point | None = None
    greater_trochanter_mm: Point | None = None
    vastus_ridge_mm: Point | None = None
    registration: Annotated[tuple[tuple[float, float, float, float], ...], BeforeValidator(_pose)] | None = None
    not_kept_away: tuple[Literal["implant", "old_tunnel", "avoid"], ...] = ()

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set - {"author", "reason"}:
            raise ValueError("author: expected something that is overruled beside author and reason, found nothing")
        for key in ("neck_axis", "shaft_axis"):
            axis = getattr(self, key)
            if axis is not None and not any(axis):
                raise ValueError(f"{key}: expected a direction, found zeros")
        return self


class _Contents(_Section):
    patient: Patient
    bone: Bone
    lesion: Lesion
    order: Order = Order()
    overrides: Overrides | None = None
    waivers: tuple[WaiverAsked, ...] = ()


SECTIONS: dict[str, type[_Section]] = {
    "patient": Patient, "bone": Bone, "lesion": Lesion, "order": Order, "overrides": Overrides,
    "waivers": WaiverAsked,
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A checked case file. Every file it names exists inside `folder`."""

    path: Path
    patient: Patient
    bone: Bone
    lesion: Lesion
    order: Order
    overrides: Overrides | None
    waivers: tuple[WaiverAsked, ...] = ()

    @property
    def folder(self) -> Path:
        """The resolved folder of the case file, from which its paths start."""
        return self.path.resolve().parent

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that the case names, as written, each once; of a folder, the files in it as folder/file."""
        shapes = (self.bone, self.lesion)
        names = [name for shape in shapes for name in (shape.labels, shape.names, shape.surface, shape.image)]
        names += [label for shape in shapes for label in shape.given.values() if is_file(label)]
        return tuple(file for name in dict.fromkeys(names) if name for file in self._expanded(name))

    def _expanded(self, name: str) -> tuple[str, ...]:
        """The name itself and those of its companions, or of a folder its entries, sorted."""
        folder = self.folder / name
        try:
            if not folder.is_dir():
                return (name, *(PurePosixPath(name).with_name(beside.name).as_posix() for beside in companions(folder)))
            entries = sorted(entry.name for entry in folder.iterdir())
        except OSError:  # a path that cannot be followed; `resolve` says why
            return (name,)
        return tuple(f"{name.rstrip('/')}/{entry}" for entry in entries) or (name,)

    def resolve(self, name: str, folder: bool = False) -> Path:
        """The file, or where `folder` is True the file or folder, behind a name in the case file.

        CaseFileError if it is not there or not inside the folder of the case.
        """
        windows = PureWindowsPath(name)
        if PurePosixPath(name).is_absolute() or windows.drive or windows.root:
            raise CaseFileError(
                f"{name!r}: expected a path relative to the case file, found an absolute one; "
                "move the file into the case's folder"
            )
        outside = f"{name!r}: expected a file inside the case's folder, found a way out of it; move the file inside"
        if ".." in windows.parts:
            raise CaseFileError(outside)
        try:
            path = (self.folder / name).resolve()
            is_there = path.is_file() or (folder and path.is_dir())
        except (OSError, RuntimeError) as error:  # a loop of links; a name too long for the disk
            raise CaseFileError(f"{name!r}: expected a file, found a path that cannot be followed ({error})") from error
        if not path.is_relative_to(self.folder):
            raise CaseFileError(outside)
        if not is_there:
            found = "a folder" if path.is_dir() else "none"
            raise CaseFileError(f"{name!r}: expected a file in the folder of the case file, found {found}")
        return path


def companions(path: Path) -> tuple[Path, ...]:
    """The files that belong to a file: of a .mhd its voxels, as far as they are there; of all others none."""
    if path.suffix.lower() != ".mhd":
        return ()
    return tuple(beside for suffix in COMPANION_SUFFIXES if (beside := path.with_suffix(suffix)).exists())


def is_file(label: int | str | None) -> TypeGuard[str]:
    """Whether a label stands for a file of its own rather than for a label in `labels`."""
    return isinstance(label, str) and label.lower().endswith(LABEL_SUFFIXES)


def load_case(path: str | Path) -> Case:
    """The case at `path`, its keys, values and file names checked. One CaseFileError lists all faults, one a line."""
    path = Path(path)
    try:
        contents = _Contents.model_validate(_read_toml(path))
    except ValidationError as error:
        lines = [line for problem in error.errors() for line in _lines(problem)]
        raise CaseFileError("\n".join([f"{path.name}: {_count(lines)} in the case file", *lines])) from None
    case = Case(
        path.absolute(), contents.patient, contents.bone, contents.lesion, contents.order, contents.overrides,
        contents.waivers,
    )  # fmt: skip
    faults = []
    for name in case.files:
        try:
            case.resolve(name)
        except CaseFileError as error:
            faults.append(error.message)
    if faults:
        raise CaseFileError("\n".join([f"{path.name}: {_count(faults)} with the files it names", *faults]))
    return case


def _read_toml(path: Path) -> dict[str, Any]:
    if path.is_dir():
        raise CaseFileError(f"{path}: expected a case file, found a folder; name the .toml file inside it")
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_CASE_BYTES + 1)
    except OSError as error:
        raise CaseFileError(f"{path}: expected a case file, found none that can be read ({error.strerror})") from error
    if len(raw) > MAX_CASE_BYTES:
        raise CaseFileError(f"{path}: expected a case file of at most 1 MiB, found a larger one")
    try:
        return read_toml(raw)
    except NotToml as error:
        raise CaseFileError(f"{path}: expected TOML in UTF-8, found something else: {error}") from error


def _count(lines: list[str]) -> str:
    return "1 problem" if len(lines) == 1 else f"{len(lines)} problems"


def _lines(problem: Any) -> list[str]:
    """One of pydantic's errors as lines `section.key: expected, found, do`."""
    place, kind, found = problem["loc"], problem["type"], problem["input"]
    key = ".".join(str(part) for part in place)
    key = key if key.isprintable() else ascii(key)
    if kind == "missing":
        return [f"{key}: expected {'a section' if len(place) == 1 else 'a value'}, found nothing"]
    if kind == "extra_forbidden":
        return [f"{key}: expected no such key{_nearest(place)}"]
    if kind == "value_error":  # raised between the keys of a section, the message starts with its own key
        join = "." if len(place) == 1 else ": "
        return [f"{key}{join}{line}" for line in str(problem["ctx"]["error"]).splitlines()]
    if kind == "model_type":
        return [f"{key}: expected a section [{key}], found {reprlib.repr(found)}"]
    expected = problem["msg"].removeprefix("Input should be ")
    return [f"{key}: expected {expected}, found {reprlib.repr(found)}"]


def _nearest(place: tuple[str, ...]) -> str:
    """The known key that an unknown one was probably meant to be, as the end of a sentence."""
    known = list(_Contents.model_fields if len(place) == 1 else SECTIONS[place[0]].model_fields)
    near = difflib.get_close_matches(place[-1], known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
