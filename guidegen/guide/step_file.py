"""A metal part as a STEP file (ISO 10303, AP242) that carries its dimensions.

The solid is exact. Each dimension with its tolerance is an entity tied to its faces, so that a program reads it
(semantic PMI), and once more a line of the product's description, so that a person does. The header holds no date and
no counter: the same part of the same guide is the same bytes.
"""

from __future__ import annotations

import io
from typing import Any

from guidegen.guide.metal import MATERIAL, MetalPart, Size, Whose

NO_DATE = "1970-01-01T00:00:00"
SAME_MM = 1e-6
UPRIGHT = 0.5  # the cosine above which a direction is the part's axis: all others lie across it


def step_bytes(part: MetalPart, shape: Any, whose: Whose) -> bytes:
    """The STEP file of a part whose CadQuery solid is `shape`."""
    from OCP.Interface import Interface_Static
    from OCP.STEPCAFControl import STEPCAFControl_Writer

    document = _document(part, shape)
    writer = STEPCAFControl_Writer()
    writer.SetDimTolMode(True)
    Interface_Static.SetCVal_s("write.step.schema", "AP242DIS")
    Interface_Static.SetCVal_s("write.step.unit", "MM")
    written = writer.Transfer(document)
    assert written, "a solid of CadQuery's can be written"
    _name(writer.ChangeWriter().Model(), part, whose)
    content = io.BytesIO()
    writer.WriteStream(content)
    return content.getvalue()


def description(part: MetalPart) -> str:
    """Material, dimensions and notes in one line of ASCII."""
    return "; ".join((MATERIAL, "mm", *(size.text for size in part.sizes), *part.notes))


def _document(part: MetalPart, shape: Any) -> Any:
    """The solid with its dimensions on its faces."""
    from OCP.TCollection import TCollection_ExtendedString
    from OCP.TDF import TDF_LabelSequence
    from OCP.TDocStd import TDocStd_Document
    from OCP.XCAFDoc import XCAFDoc_Dimension, XCAFDoc_DocumentTool

    document = TDocStd_Document(TCollection_ExtendedString("XmlXCAF"))
    shapes = XCAFDoc_DocumentTool.ShapeTool_s(document.Main())
    dimensions = XCAFDoc_DocumentTool.DimTolTool_s(document.Main())
    solid = shapes.AddShape(shape.wrapped, False)
    for size in part.sizes:
        sides = (TDF_LabelSequence(), TDF_LabelSequence())
        for side, face in zip(sides, _faces(shape, size), strict=False):
            side.Append(shapes.AddSubShape(solid, face.wrapped))
        label = dimensions.AddDimension()
        dimensions.SetDimension(*sides, label)
        XCAFDoc_Dimension.Set_s(label).SetObject(_dimension(size))
    return document


def _faces(shape: Any, size: Size) -> list[Any]:
    """A face of a diameter's cylinder, or the two flat faces across the axis that a length lies between."""
    from OCP.BRepAdaptor import BRepAdaptor_Surface

    if size.is_diameter:
        rounds = [face for face in shape.Faces() if face.geomType() == "CYLINDER"]
        tubes = [BRepAdaptor_Surface(face.wrapped).Cylinder() for face in rounds]
        return [
            face
            for face, tube in zip(rounds, tubes, strict=True)
            if abs(2.0 * tube.Radius() - size.nominal_mm) < SAME_MM and abs(tube.Axis().Direction().Z()) > UPRIGHT
        ][:1]
    flats = [face for face in shape.Faces() if face.geomType() == "PLANE" and abs(face.normalAt().z) > UPRIGHT]
    return [next(face for face in flats if abs(face.Center().z - height) < SAME_MM) for height in size.between_mm]


def _dimension(size: Size) -> Any:
    from OCP.XCAFDimTolObjects import XCAFDimTolObjects_DimensionObject, XCAFDimTolObjects_DimensionType

    kinds = XCAFDimTolObjects_DimensionType
    dimension = XCAFDimTolObjects_DimensionObject()
    dimension.SetType(
        kinds.XCAFDimTolObjects_DimensionType_Size_Diameter
        if size.is_diameter
        else kinds.XCAFDimTolObjects_DimensionType_Location_LinearDistance
    )
    dimension.SetValue(size.nominal_mm)
    dimension.SetUpperTolValue(size.over_mm)
    dimension.SetLowerTolValue(size.under_mm)  # the writer turns its sign
    return dimension


def _name(model: Any, part: MetalPart, whose: Whose) -> None:
    """Name and description in header and product, in place of the writer's date and counter."""
    from OCP.APIHeaderSection import APIHeaderSection_MakeHeader
    from OCP.StepBasic import StepBasic_Product
    from OCP.TCollection import TCollection_HAsciiString

    name = TCollection_HAsciiString(" ".join((part.name, *whose.lines)))
    text = TCollection_HAsciiString(description(part))
    header = APIHeaderSection_MakeHeader(model)
    header.SetName(name)
    header.SetTimeStamp(TCollection_HAsciiString(NO_DATE))
    header.SetAuthorValue(1, TCollection_HAsciiString("guidegen"))
    header.SetDescriptionValue(1, name)
    header.Apply(model)
    for number in range(1, model.NbEntities() + 1):
        entity = model.Value(number)
        if isinstance(entity, StepBasic_Product):
            entity.SetId(name)
            entity.SetName(name)
            entity.SetDescription(text)
