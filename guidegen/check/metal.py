"""The metal parts as a workshop gets them: bore and length in each file, and whose guide it says it is for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guidegen.check.asked import Asked
from guidegen.check.finding import Finding, at_most
from guidegen.check.reducer import read_reducers, reducer_findings

FOLDER, FIGURES = "metal", "metal.json"
# A tenth of the finest tolerance that such a part has.
LIMIT_MM = 0.001
ALONG = 0.5  # the cosine above which a cylinder lies along the part's axis: all others lie across it
SAME_MM = 1e-6

WHY = "A part that was made from another file leads the drill askew, jams in the guide or stops the drill elsewhere."


@dataclass(frozen=True)
class Part:
    """What the plan says of a metal part: what it is called, what its files are, its bore and its length."""

    name: str
    file: str
    bore_mm: float
    length_mm: float


@dataclass(frozen=True)
class Written:
    """What a file says of a part: every bore and length in it, and in words whose guide it is for."""

    sizes_mm: tuple[tuple[float, float], ...]
    whose: str


class UnreadableError(Exception):
    """A file that is missing, or holds no such part; it says why."""


def part_findings(asked: Asked, folder: Path) -> tuple[Finding, ...]:
    """Every finding on the metal parts in a result folder: how reducers are made, and whether all are the plan's.

    CAD's import takes a second: a run asks this of its `Workshop`, which has it.
    """
    return (*reducer_findings(asked, read_reducers(folder, asked)), *metal_findings(asked, folder))


def metal_findings(asked: Asked, folder: Path) -> tuple[Finding, ...]:
    """How far the files of each metal part in a result folder are off the plan; a file of another guide's part gives
    nothing to measure.
    """
    return tuple(
        _finding(asked, part, what, read, folder / FOLDER) for part in _parts(asked) for what, read in READERS.items()
    )


def _parts(asked: Asked) -> Iterator[Part]:
    for number, sleeve in enumerate(asked.guide.sleeves, start=1):
        if sleeve.metal is not None:
            sizes = sleeve.metal.inner_diameter_mm, sleeve.metal.length_mm
            yield Part(f"sleeve {number} metal", f"sleeve-{number}", *sizes)
        if sleeve.reducer is not None:
            sizes = sleeve.reducer.inner_diameter_mm, sleeve.reducer.length_mm
            yield Part(f"reducer {number}", f"reducer-{number}", *sizes)
    for name, stop in (("stop collar", asked.guide.stop_collar), ("wire stop collar", asked.guide.wire_stop_collar)):
        if stop is not None:
            yield Part(name, name.replace(" ", "-"), stop.bore_mm, stop.height_mm)


def _finding(asked: Asked, part: Part, what: str, read: Reader, folder: Path) -> Finding:
    whose = _whose(asked.case_id, asked.side, asked.guide.revision, asked.guide.plan_hash)
    off_mm, missing = None, ""
    try:
        written = read(folder, part.file)
        if f" {whose} " in f" {written.whose} ":
            off_mm = max(max(abs(b - part.bore_mm), abs(length - part.length_mm)) for b, length in written.sizes_mm)
        else:
            missing = f"it is for {written.whose}, not for {whose}"
    except UnreadableError as error:
        missing = str(error)
    return at_most(f"{part.name} {what} off plan", off_mm, LIMIT_MM, "mm", WHY, missing)


def _whose(case_id: str, side: str, revision: str, plan_hash: str) -> str:
    """As every part says whose guide it is for."""
    return f"{case_id} {side.upper()} hip {revision} {plan_hash}"


def read_step(folder: Path, name: str) -> Written:
    """The narrowest bore along the axis of the solid in a STEP file, and the solid's length; the name in its header."""
    from OCP.APIHeaderSection import APIHeaderSection_MakeHeader
    from OCP.Bnd import Bnd_Box
    from OCP.BRepBndLib import BRepBndLib
    from OCP.IFSelect import IFSelect_ReturnStatus
    from OCP.Message import Message
    from OCP.STEPControl import STEPControl_Reader

    Message.DefaultMessenger_s().ChangePrinters().Clear()  # it would speak on the terminal, past the findings
    reader = STEPControl_Reader()
    done = reader.ReadFile(str(folder / f"{name}.step")) == IFSelect_ReturnStatus.IFSelect_RetDone
    if not done or reader.TransferRoots() == 0:
        raise UnreadableError(f"there is no solid in {name}.step")
    solid, box = reader.OneShape(), Bnd_Box()
    BRepBndLib.AddOptimal_s(solid, box, False, False)
    _, _, low, _, _, high = box.Get()
    bores = [2.0 * tube.Radius() for tube in _tubes(solid)]
    if not bores:
        raise UnreadableError(f"there is no bore along the axis in {name}.step")
    return Written(((min(bores), high - low),), APIHeaderSection_MakeHeader(reader.StepModel()).Name().ToCString())


def _tubes(solid: Any) -> Iterator[Any]:
    """The cylinders about the z axis among the faces of a solid."""
    from OCP.BRepAdaptor import BRepAdaptor_Surface
    from OCP.GeomAbs import GeomAbs_SurfaceType
    from OCP.TopAbs import TopAbs_ShapeEnum
    from OCP.TopExp import TopExp_Explorer
    from OCP.TopoDS import TopoDS

    faces = TopExp_Explorer(solid, TopAbs_ShapeEnum.TopAbs_FACE)
    while faces.More():
        face = BRepAdaptor_Surface(TopoDS.Face_s(faces.Current()))
        if face.GetType() == GeomAbs_SurfaceType.GeomAbs_Cylinder:
            axis = face.Cylinder().Axis()
            if abs(axis.Direction().Z()) > ALONG and max(abs(axis.Location().X()), abs(axis.Location().Y())) < SAME_MM:
                yield face.Cylinder()
        faces.Next()


def read_drawing(folder: Path, name: str) -> Written:
    """Bore and length in a DXF file, of the section as drawn and by its dimensions; all words on the sheet."""
    from ezdxf.filemanagement import readfile
    from ezdxf.lldxf.const import DXFError

    try:
        space: Any = readfile(folder / f"{name}.dxf").modelspace()
    except (OSError, DXFError, ValueError, StopIteration) as error:
        raise UnreadableError(f"there is no drawing in {name}.dxf") from error
    outlines = [[(x, y) for x, y, *_ in line.get_points()] for line in space.query("LWPOLYLINE")]
    halves = sorted((each for each in outlines if len(each) > SHEET_CORNERS), key=lambda each: max(y for _, y in each))
    stated: list[Any] = list(space.query("DIMENSION"))
    across, along = ([each.get_measurement() for each in stated if each.dxf.text == text] for text in ("Ø<>", "<>"))
    if len(halves) != 2 or not across or not along:
        raise UnreadableError(f"there is no section with its dimensions in {name}.dxf")
    (lower, upper), reach = halves, [x for half in halves for x, _ in half]
    drawn = min(y for _, y in upper) - max(y for _, y in lower), max(reach) - min(reach)
    words = " ".join(text.dxf.text for text in space.query("TEXT"))
    return Written((drawn, (min(across), max(along))), words)


SHEET_CORNERS = 4  # of the border; a section has more


def read_figures(folder: Path, name: str) -> Written:
    """Bore and length of a part in metal.json."""
    try:
        figures = json.loads((folder / FIGURES).read_bytes())
        sizes = {size["name"]: float(size["nominal_mm"]) for size in figures["parts"][name]["sizes"]}
        length_mm = sizes["length"] if "length" in sizes else sizes["height"]
        whose = _whose(*(figures[name] for name in ("case_id", "side", "revision", "plan_hash")))
        return Written(((sizes["bore"], length_mm),), whose)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableError(f"there are no figures of {name} in {FIGURES}") from error


Reader = Callable[[Path, str], Written]
READERS: dict[str, Reader] = {"STEP": read_step, "drawing": read_drawing, "figures": read_figures}
