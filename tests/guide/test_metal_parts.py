"""Metal sleeve and stop collar: what their files say, measured against closed forms."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

from guidegen.guide import parts
from guidegen.guide.metal import (
    DEBURR_MM,
    HEAD_MM,
    HEAD_SEAT_MM,
    LEAD_IN_MM,
    MATERIAL,
    SLIT_MM,
    TAPPED_MM,
    THROUGH_MM,
    MetalPart,
    MetalSleeve,
    Reducer,
    StopCollar,
    Whose,
    fit_mm,
    general_mm,
)
from guidegen.guide.metal_drawing import drawing_bytes
from guidegen.guide.metal_files import metal_files
from guidegen.guide.metal_shapes import metal_shape
from guidegen.guide.solids import part_solid, to_surface
from guidegen.guide.step_file import step_bytes

SLEEVE = MetalSleeve.around(8.0, 0.05, 1.5, 44.0, (17.0, 2.0))
PLAIN, SPLIT = (StopCollar.on(8.0, 0.05, is_split) for is_split in (False, True))
WHOSE = Whose("T001L", "left", "r002", "1a2b3c4d")
THIN = MetalSleeve.around(3.2, 0.04, 1.0, 40.0, (9.0, 1.5))
REDUCER = Reducer(3.2, 3.3, 9.07, 37.85, 13.1, 2.0, 9.1)
PARTS: tuple[MetalPart, ...] = (SLEEVE, PLAIN, SPLIT, THIN, REDUCER)


@pytest.fixture(scope="module")
def steps() -> dict[MetalPart, bytes]:
    return {part: step_bytes(part, metal_shape(part), WHOSE) for part in PARTS}


def read_back(content: bytes, folder: Path) -> Any:
    """The one solid of a STEP file."""
    from cadquery import importers

    path = folder / "part.step"
    path.write_bytes(content)
    solids = importers.importStep(str(path)).solids().vals()
    assert len(solids) == 1
    return solids[0]


def ring_mm3(inner_mm: float, outer_mm: float, height_mm: float) -> float:
    """A tube, from diameters."""
    return np.pi / 4.0 * (outer_mm**2 - inner_mm**2) * height_mm


def corner_mm3(diameter_mm: float, chamfer_mm: float, sign: float) -> float:
    """What a 45° chamfer takes from the outside (-1) or the bore (+1) of a turned part (Pappus)."""
    return np.pi * chamfer_mm**2 * (diameter_mm / 2.0 + sign * chamfer_mm / 3.0)


def rounds(solid: Any) -> list[tuple[float, float, float]]:
    """Diameter and the two ends of every cylinder along z."""
    from OCP.BRepAdaptor import BRepAdaptor_Surface

    found = []
    for face in solid.Faces():
        if face.geomType() == "CYLINDER":
            tube, box = BRepAdaptor_Surface(face.wrapped).Cylinder(), face.BoundingBox()
            if abs(tube.Axis().Direction().Z()) > 0.5:
                found.append((2.0 * tube.Radius(), box.zmin, box.zmax))
    return sorted(found)


def rod_mm3(diameter_mm: float, beside_mm: float, from_mm: float, inner_mm: float, outer_mm: float) -> float:
    """What a rod along x, this far beside the axis, takes from a ring between two radii on the side x > from_mm.

    Over the rod's cross-section: its way through the ring at that distance from the axis.
    """
    radius = diameter_mm / 2.0

    def way(y: float) -> float:
        ends = [np.sqrt(max(r * r - y * y, 0.0)) for r in (inner_mm / 2.0, outer_mm / 2.0)]
        return 2.0 * np.sqrt(radius**2 - (y - beside_mm) ** 2) * max(0.0, ends[1] - max(ends[0], from_mm))

    return float(quad(way, beside_mm - radius, beside_mm + radius, limit=200)[0])


def test_the_sleeve_read_back_has_the_volume_of_its_stretches(steps, tmp_path: Path) -> None:
    solid = read_back(steps[SLEEVE], tmp_path)
    lead_in = 0.75  # half of a wall of 1.5 mm is less than the usual one
    assert lead_in < LEAD_IN_MM
    assert SLEEVE.lead_in_mm == pytest.approx(lead_in)
    volume = ring_mm3(8.05, 11.05, 42.0) + ring_mm3(8.05, 17.0, 2.0)
    volume -= corner_mm3(11.05, lead_in, -1.0) + 2.0 * corner_mm3(17.0, DEBURR_MM, -1.0)
    volume -= 2.0 * corner_mm3(8.05, DEBURR_MM, 1.0)
    assert solid.isValid()
    assert solid.Volume() == pytest.approx(volume, rel=1e-9)


def test_the_sleeve_read_back_has_its_bore_and_its_lengths(steps, tmp_path: Path) -> None:
    solid = read_back(steps[SLEEVE], tmp_path)
    box = solid.BoundingBox()
    assert (box.zmin, box.zmax) == pytest.approx((0.0, 44.0), abs=1e-6)
    bore, tube, flange = rounds(solid)
    assert bore == pytest.approx((8.05, DEBURR_MM, 44.0 - DEBURR_MM), abs=1e-6)
    assert tube == pytest.approx((11.05, 0.75, 42.0), abs=1e-6)
    assert flange == pytest.approx((17.0, 42.0 + DEBURR_MM, 44.0 - DEBURR_MM), abs=1e-6)
    assert SLEEVE.guided_length_mm == pytest.approx(bore[2] - bore[1])


def test_the_plain_collar_has_a_set_screw_into_its_bore(steps, tmp_path: Path) -> None:
    solid = read_back(steps[PLAIN], tmp_path)
    inner, outer = PLAIN.bore_mm, PLAIN.outer_diameter_mm
    blank = ring_mm3(inner, outer, 10.0) - 2.0 * (
        corner_mm3(outer, DEBURR_MM, -1.0) + corner_mm3(inner, DEBURR_MM, 1.0)
    )
    assert solid.isValid()
    assert solid.Volume() == pytest.approx(blank - rod_mm3(TAPPED_MM, 0.0, 0.0, inner, outer), rel=1e-5)
    for height, hole in ((5.0, False), (1.0, True)):  # open at half height, metal elsewhere
        assert solid.isInside((0.0, outer / 2.0 - 1.0, height)) is hole
        assert solid.isInside((0.0, 1.0 - outer / 2.0, height)) is True
        assert solid.isInside((outer / 2.0 - 1.0, 0.0, height)) is True


def test_the_split_collar_has_a_slit_and_a_screw_across_it(steps, tmp_path: Path) -> None:
    solid = read_back(steps[SPLIT], tmp_path)
    inner, outer, beside, half = SPLIT.bore_mm, SPLIT.outer_diameter_mm, SPLIT.screw_mm, SLIT_MM / 2.0
    edges = 2.0 * (corner_mm3(outer, DEBURR_MM, -1.0) + corner_mm3(inner, DEBURR_MM, 1.0))
    screw = rod_mm3(TAPPED_MM, beside, half, inner, outer) + rod_mm3(THROUGH_MM, beside, half, inner, outer)
    head = rod_mm3(HEAD_MM, beside, HEAD_SEAT_MM, inner, outer) - rod_mm3(
        THROUGH_MM, beside, HEAD_SEAT_MM, inner, outer
    )
    slit = 10.0 * 2.0 * quad(lambda x: np.sqrt(outer**2 / 4 - x * x) - np.sqrt(inner**2 / 4 - x * x), 0.0, half)[0]
    volume = ring_mm3(inner, outer, 10.0) - edges - screw - head - slit
    assert solid.isValid()
    assert solid.Volume() == pytest.approx(volume, rel=1e-3)  # the slit's share of the chamfers, counted twice
    assert not solid.isInside((0.0, outer / 2.0 - 0.5, 1.0))
    assert solid.isInside((0.0, 0.5 - outer / 2.0, 1.0))


@pytest.mark.parametrize("drill_mm", [2.0, 3.2, 8.0, 9.0, 10.0])
def test_the_screw_has_metal_round_it(drill_mm: float) -> None:
    split, plain = (StopCollar.on(drill_mm, 0.05, is_split) for is_split in (True, False))
    assert split.screw_mm - THROUGH_MM / 2.0 - split.bore_mm / 2.0 >= 0.8 - 1e-9
    assert split.outer_diameter_mm / 2.0 - split.screw_mm - THROUGH_MM / 2.0 >= 1.4 - 1e-9
    assert np.hypot(HEAD_SEAT_MM, split.screw_mm - HEAD_MM / 2.0) - split.bore_mm / 2.0 >= 0.5  # beside the head
    assert (plain.outer_diameter_mm - plain.bore_mm) / 2.0 >= 4.0
    with pytest.raises(ValueError, match="so that the screw has metal round it, found StopCollar"):
        replace(split, outer_diameter_mm=split.outer_diameter_mm - 0.5)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.name} {part.drill_diameter_mm:g}")
def test_the_step_file_carries_every_dimension_with_its_tolerance(part: MetalPart, steps) -> None:
    text = steps[part].decode("ascii")
    assert "AP242" in text
    numbers = [
        float(value) for value in re.findall(r"MEASURE_WITH_UNIT\((?:POSITIVE_LENGTH_MEASURE\()?(-?[\d.E+-]+)", text)
    ]
    for size in part.sizes:
        for value in (size.nominal_mm, size.over_mm, -size.under_mm):
            assert any(abs(value - each) < 1e-9 for each in numbers), (size.name, value)
    diameters = sum(size.is_diameter for size in part.sizes)
    assert text.count("= DIMENSIONAL_SIZE(") == diameters
    assert text.count("= DIMENSIONAL_LOCATION(") == len(part.sizes) - diameters
    assert text.count("= PLUS_MINUS_TOLERANCE(") == len(part.sizes)


def test_the_product_s_description_says_it_in_words(steps) -> None:
    text = re.sub(r"\s+", " ", steps[SLEEVE].decode("ascii").replace("\n", ""))
    name = "metal sleeve T001L LEFT hip r002 1a2b3c4d"
    assert f"FILE_NAME('{name}'," in text
    product = re.search(rf"PRODUCT\('{name}',\s*'{name}',\s*'([^']*)'", text)
    assert product is not None
    assert product[1].startswith(MATERIAL)
    for words in ("bore: dia 8.05 +0.022/-0;", "tube: dia 11.05 +0/-0.018;", "length: 44 +/-0.3;", "drill of 8 mm"):
        assert words in product[1]


def test_the_dimensions_are_tied_to_the_faces_that_they_measure(steps, tmp_path: Path) -> None:
    """Read back by the kernel: each diameter's own face is a cylinder of that size."""
    from OCP.BRepAdaptor import BRepAdaptor_Surface
    from OCP.STEPCAFControl import STEPCAFControl_Reader
    from OCP.TCollection import TCollection_ExtendedString
    from OCP.TDF import TDF_LabelSequence
    from OCP.TDocStd import TDocStd_Document
    from OCP.TopoDS import TopoDS
    from OCP.XCAFDoc import XCAFDoc_DimTolTool, XCAFDoc_DocumentTool, XCAFDoc_ShapeTool

    path = tmp_path / "sleeve.step"
    path.write_bytes(steps[SLEEVE])
    document, reader = TDocStd_Document(TCollection_ExtendedString("XmlXCAF")), STEPCAFControl_Reader()
    reader.SetGDTMode(True)
    reader.ReadFile(str(path))
    assert reader.Transfer(document)
    labels = TDF_LabelSequence()
    XCAFDoc_DocumentTool.DimTolTool_s(document.Main()).GetDimensionLabels(labels)
    assert labels.Length() == len(SLEEVE.sizes)
    for number, size in enumerate(SLEEVE.sizes, start=1):
        first, second = TDF_LabelSequence(), TDF_LabelSequence()
        XCAFDoc_DimTolTool.GetRefShapeLabel_s(labels.Value(number), first, second)
        faces = [
            BRepAdaptor_Surface(TopoDS.Face_s(XCAFDoc_ShapeTool.GetShape_s(side.Value(1))))
            for side in (first, second)
            if side.Length()
        ]
        if size.is_diameter:
            assert [2.0 * face.Cylinder().Radius() for face in faces] == pytest.approx([size.nominal_mm])
        else:
            heights = [face.Plane().Location().Z() for face in faces]
            assert abs(heights[1] - heights[0]) == pytest.approx(size.nominal_mm)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.name} {part.drill_diameter_mm:g}")
def test_the_drawing_s_dimensions_measure_the_part(part: MetalPart) -> None:
    import ezdxf

    document = ezdxf.read(io.StringIO(drawing_bytes(part, WHOSE).decode()))
    assert not document.audit().errors
    found = {}
    for dimension in document.modelspace().query("DIMENSION"):
        look = dimension.override()
        assert look.get("dimtol") == 1
        found[round(dimension.get_measurement(), 6)] = (look.get("dimtp"), look.get("dimtm"))
    assert found == {round(size.nominal_mm, 6): (size.over_mm, size.under_mm) for size in part.sizes}
    lines = [text.dxf.text for text in document.modelspace().query("TEXT")]
    assert lines[:2] == ["T001L", "LEFT hip r002 1a2b3c4d"]
    assert all(note in lines for note in (MATERIAL, *part.notes))


def test_the_drawing_stays_on_its_sheet() -> None:
    import ezdxf
    from ezdxf import bbox

    longest = replace(WHOSE, case_id=16 * "Z01.")
    for part in PARTS:
        space = ezdxf.read(io.StringIO(drawing_bytes(part, longest).decode())).modelspace()
        border = bbox.extents(space.query("LWPOLYLINE")[-1:])
        drawn = bbox.extents(space)
        assert drawn.extmin.isclose(border.extmin), part.name
        assert drawn.extmax.isclose(border.extmax), part.name


def hashes_elsewhere(seed: int, module: str, files: str) -> dict[str, str]:
    """The files' SHA-256 in a new process, in which sets have an order of their own."""
    script = f"""
import hashlib
from guidegen.guide.metal import MetalSleeve, StopCollar, Whose
from guidegen.guide.{module} import {module.replace("metal_drawing", "drawing_bytes")}
for name, content in {files}.items():
    print(name, hashlib.sha256(content).hexdigest())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONHASHSEED": str(seed)},
    )  # fmt: skip
    return dict(line.split() for line in done.stdout.splitlines())


def test_the_same_parts_are_the_same_bytes_in_any_order_and_process() -> None:
    files = metal_files({"sleeve": SLEEVE, "plain": PLAIN, "split": SPLIT}, WHOSE)
    here = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert sorted(files) == sorted(
        [f"{name}.{end}" for name in ("sleeve", "plain", "split") for end in ("step", "dxf")] + ["metal.json"]
    )
    other = f'metal_files({{"split": {SPLIT}, "plain": {PLAIN}, "sleeve": {SLEEVE}}}, {WHOSE})'
    assert hashes_elsewhere(1, "metal_files", other) == here


def test_the_drawing_is_the_same_whatever_order_sets_have() -> None:
    files = f'{{"sleeve": drawing_bytes({SLEEVE}, {WHOSE})}}'
    first, second = (hashes_elsewhere(seed, "metal_drawing", files) for seed in (0, 4))
    assert first == second


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.name} {part.drill_diameter_mm:g}")
def test_the_part_in_triangles_is_that_of_the_file(part: MetalPart) -> None:
    solid = part_solid(parts.make("metal", part), part.name)
    assert to_surface(solid).is_closed
    assert solid.volume() == pytest.approx(metal_shape(part).Volume(), rel=0.01)


def test_the_figures_are_those_of_the_parts() -> None:
    figures = json.loads(metal_files({"sleeve-1": SLEEVE}, WHOSE)["metal.json"])
    sleeve = figures["parts"]["sleeve-1"]
    assert figures["unit"] == "mm"
    assert [figures[name] for name in ("case_id", "side", "revision", "plan_hash")] == [
        "T001L", "left", "r002", "1a2b3c4d",
    ]  # fmt: skip
    assert sleeve["material"] == MATERIAL
    assert sleeve["guided_length_mm"] == 43.6
    assert sleeve["sizes"][0] == {"name": "bore", "nominal_mm": 8.05, "over_mm": 0.022, "under_mm": 0.0}


@pytest.mark.parametrize(
    ("diameter_mm", "seven", "eight"), [(3.0, 0.010, 0.014), (8.05, 0.015, 0.022), (11.05, 0.018, 0.027)]
)
def test_fits_are_those_of_iso_286(diameter_mm: float, seven: float, eight: float) -> None:
    assert (fit_mm(diameter_mm, 7), fit_mm(diameter_mm, 8)) == (seven, eight)


def test_other_sizes_are_those_of_iso_2768() -> None:
    assert [general_mm(size) for size in (2.0, 17.0, 44.0)] == [0.1, 0.2, 0.3]


def test_a_reducer_says_what_it_leads_and_where_it_goes() -> None:
    bore, tube, *_ = REDUCER.sizes
    assert (bore.text, tube.text) == ("bore: dia 3.3 +0.018/-0", "tube: dia 9.07 +0/-0.015")
    assert REDUCER.notes[0] == "for a wire of 3.2 mm, slides in a bore of 9.1"
    assert len(REDUCER.notes) == len(SLEEVE.notes)
    with pytest.raises(ValueError, match=r"expected a tube that goes into its bore, found Reducer"):
        replace(REDUCER, sleeve_bore_mm=9.07)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inner_diameter_mm": 8.0}, "expected a bore wider than its drill"),
        ({"outer_diameter_mm": 8.6}, "expected a wall of at least 0.5 mm"),
        ({"flange_diameter_mm": 12.0}, "expected a flange 1 mm wider all round"),
        ({"length_mm": 2.5}, "expected a tube below the flange"),
        ({"flange_height_mm": 0.8}, "expected a flange 1 mm high"),
    ],
)
def test_what_is_no_sleeve_is_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SLEEVE, **change)
