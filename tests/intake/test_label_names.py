"""Names of labels: in a NIfTI's header, in a .seg.nrrd of several layers, and in a label description of ITK-SNAP."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
import pytest

from guidegen.errors import LabelError, VolumeError
from guidegen.intake.label_maps import LabelMap, Segment, read_label_map
from guidegen.intake.label_names import read_label_names
from guidegen.intake.structures import find

Voxels = npt.NDArray[np.uint8]

# As TotalSegmentator writes it, and nibabel pads it.
TABLE = (
    '<?xml version="1.0" encoding="UTF-8"?> <CaretExtension>  <Date><![CDATA[2013-07-14T05:45:09]]></Date>   '
    '<VolumeInformation Index="0">   <LabelTable>\n'
    '<Label Key="1" Red="1.0" Green="0.0" Blue="0.0" Alpha="1"><![CDATA[femur_left]]></Label>\n'
    '<Label Key="3" Red="0.0" Green="1.0" Blue="0.0" Alpha="1"><![CDATA[hip_left]]></Label>\n'
    "  </LabelTable>  <StudyMetaDataLinkSet>  </StudyMetaDataLinkSet>  <VolumeType><![CDATA[Label]]></VolumeType>   "
    "</VolumeInformation></CaretExtension>\n              "
)


@pytest.fixture
def with_table(tmp_path: Path, hip: Voxels) -> Callable[..., LabelMap]:
    def make(*extensions: str, code: int = 0, suffix: str = ".nii.gz") -> LabelMap:
        image = nibabel.Nifti1Image(hip, np.diag([-3.0, -4.0, 2.5, 1.0]))
        image.header.extensions.extend(nibabel.nifti1.Nifti1Extension(code, text.encode()) for text in extensions)
        path = tmp_path / f"labels{suffix}"
        nibabel.save(image, path)
        return read_label_map(path, path.name)

    return make


@pytest.mark.parametrize("code", [0, 30])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_the_table_of_totalsegmentator(
    code: int, suffix: str, with_table: Callable[..., LabelMap], hip: Voxels
) -> None:
    labels = with_table("something else", TABLE, code=code, suffix=suffix)
    assert labels.segments == (Segment("femur_left", 0, 1), Segment("hip_left", 0, 3))
    assert find(labels, "hip_left", "bone.pelvis").value == 3
    assert np.array_equal(labels.layers[0].voxels, hip)


def test_the_background_is_no_label(with_table: Callable[..., LabelMap]) -> None:
    table = TABLE.replace("<LabelTable>", '<LabelTable><Label Key="0">???</Label>')
    assert len(with_table(table, code=30).segments) == 2


def test_other_extensions_name_nothing(with_table: Callable[..., LabelMap]) -> None:
    assert with_table("<?xml version='1.0'?><other/>", "{}").segments == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("</LabelTable>", "", "expected a table of labels in the header's extension, found a damaged one"),
        ('Key="3"', "", "found a damaged one"),
        ('Key="3"', 'Key="x"', "found a damaged one"),
        ("?>", '?><!DOCTYPE a [<!ENTITY b "c">]>', r"found a damaged one \(a document type\)"),
        ('encoding="UTF-8"', 'encoding="quux"', "found a damaged one"),
        ("hip_left", "femur_left", "expected each name once, found 'femur_left' 2 times"),
        ('Key="3"', 'Key="1"', r"expected each label and layer once, found \(1, 0\) 2 times"),
        ('Key="3"', 'Key="-3"', "expected 'hip_left' as a label of 1 or more in one of 1 layers, found label -3"),
        ('Key="3"', 'Key="99999999999"', "expected 'hip_left' as a label of 1 or more"),
        ("<![CDATA[hip_left]]>", "", "expected names of one line of 1 to 200 printable characters, found ''"),
        ("hip_left", "hip\nleft", "expected names of one line"),
        ("hip_left", "x" * 201, "expected names of one line"),
    ],
)
def test_tables_that_are_refused(old: str, new: str, message: str, with_table: Callable[..., LabelMap]) -> None:
    assert old in TABLE
    with pytest.raises(LabelError, match=message):
        with_table(TABLE.replace(old, new, 1))


@pytest.mark.parametrize("size", [0, 7, 100_000, 2**31])
def test_an_extension_of_another_size_than_it_has(
    size: int, tmp_path: Path, with_table: Callable[..., LabelMap]
) -> None:
    with_table(TABLE, suffix=".nii")
    path = tmp_path / "labels.nii"
    data = bytearray(path.read_bytes())
    data[352:356] = size.to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(VolumeError, match="expected whole extensions of the header, found a damaged one"):
        read_label_map(path, path.name)


def seg_nrrd(path: Path, layers: npt.NDArray[np.uint8], notes: dict[str, str], **changes: str) -> LabelMap:
    """Layers (L, I, J, K) as 3D Slicer writes segments that overlap."""
    lines = {
        "type": "unsigned char",
        "dimension": "4",
        "space": "left-posterior-superior",
        "sizes": " ".join(map(str, layers.shape)),
        "space directions": "none (3,0,0) (0,4,0) (0,0,2.5)",
        "kinds": "list domain domain domain",
        "encoding": "gzip",
        "space origin": "(-20,30,-700)",
    }
    lines |= {key.replace("_", " "): value for key, value in changes.items()}
    header = "NRRD0005\n# made by hand\n" + "".join(f"{key}: {value}\n" for key, value in lines.items())
    header += "".join(f"{key}:={value}\n" for key, value in notes.items())
    path.write_bytes(header.encode() + b"\n" + gzip.compress(layers.tobytes(order="F"), mtime=0))
    return read_label_map(path, path.name)


NOTES = {
    "Segment0_LabelValue": "1",
    "Segment0_Layer": "0",
    "Segment0_Name": "fémur",
    "Segment1_LabelValue": "1",
    "Segment1_Layer": "1",
    "Segment1_Name": "lesion",
    "Segmentation_MasterRepresentation": "Binary labelmap",
}


def test_segments_that_overlap(tmp_path: Path, hip: Voxels) -> None:
    layers = np.stack([(hip == 1) | (hip == 2), hip == 2]).astype(np.uint8)
    labels = seg_nrrd(tmp_path / "hip.seg.nrrd", layers, NOTES)
    assert labels.segments == (Segment("fémur", 0, 1), Segment("lesion", 1, 1))
    for number, volume in enumerate(labels.layers):
        assert np.array_equal(volume.voxels, layers[number])
        np.testing.assert_allclose(volume.origin_mm, [-20.0, 30.0, -700.0])
        np.testing.assert_allclose(volume.spacing_mm, [3.0, 4.0, 2.5])
    assert find(labels, "lesion", "lesion.lesion").layer == 1
    with pytest.raises(
        LabelError, match=r"expected one segment of number 1 .* found 2 in its layers \('fémur', 'lesion'\)"
    ):
        find(labels, 1, "bone.femur")


@pytest.mark.parametrize(
    ("notes", "changes", "message"),
    [
        (
            {"Segment1_Layer": "2"},
            {},
            "expected 'lesion' as a label of 1 or more in one of 2 layers, found label 1 in layer 2",
        ),
        (
            {"Segment1_Layer": "x"},
            {},
            "expected whole numbers as Segment1_Layer and Segment1_LabelValue, found 'x' and '1'",
        ),
        ({"Segment1_Layer": "0"}, {}, r"expected each label and layer once, found \(1, 0\) 2 times"),
        ({"Segment1_Name": "fémur"}, {}, "expected each name once, found 'fémur' 2 times"),
        ({"Segment1_Name": "a\\nb"}, {}, "expected names of one line"),
        ({}, {"kinds": "domain domain domain list"}, "expected a volume of 3 axes, found 4"),
        ({}, {"kinds": "vector domain domain domain"}, "expected one number per voxel, found 2 values"),
        ({}, {"kinds": "list domain domain"}, "expected as many sizes and kinds as the dimension says"),
        ({}, {"space_directions": "(3,0,0) none (0,4,0) (0,0,2.5)"}, "as 'space directions' in the header"),
        ({}, {"space_directions": "(3,0,0) (0,4,0) (0,0,2.5)"}, "as 'space directions' in the header"),
        ({}, {"sizes": "3 14 11 24"}, "the file is cut off"),
        ({}, {"sizes": "2 14 11 23"}, "found more: the header is altered"),
        ({}, {"sizes": "999999 14 11 24"}, "expected at most 1 GiB of voxels, found 999999 × 14 × 11 × 24"),
    ],
)
def test_layers_that_are_refused(
    notes: dict[str, str], changes: dict[str, str], message: str, tmp_path: Path, hip: Voxels
) -> None:
    layers = np.stack([hip == 1, hip == 2]).astype(np.uint8)
    with pytest.raises((LabelError, VolumeError), match=message):
        seg_nrrd(tmp_path / "hip.seg.nrrd", layers, NOTES | notes, **changes)


DESCRIPTION = """\
################################################
# ITK-SnAP Label Description File
# File format:
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
################################################
    0     0    0    0        0  0  0    "Clear Label"
    1   255    0    0        1  1  1    "fémur gauche"

    2     0  255    0     0.35  0  1    "the "dead" bone"
"""


@pytest.fixture
def described(tmp_path: Path) -> Callable[[bytes], tuple[Segment, ...]]:
    def read(text: bytes) -> tuple[Segment, ...]:
        (tmp_path / "labels.txt").write_bytes(text)
        return read_label_names(tmp_path / "labels.txt", "labels.txt")

    return read


def test_a_label_description(described: Callable[[bytes], tuple[Segment, ...]]) -> None:
    expected = (Segment("fémur gauche", 0, 1), Segment('the "dead" bone', 0, 2))
    text = DESCRIPTION.encode()
    for data in (text, text.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + text, text.rstrip(b"\n")):
        assert described(data) == expected


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    2     0", "    x     0", r"expected lines IDX R G B A VIS MSH \"LABEL\", found .* in line 9"),
        ('"fémur gauche"', "femur", "in line 7"),
        ("1  1  1 ", "1  1 ", "in line 7"),
        ("    2     0", "    1     0", r"expected each label and layer once, found \(1, 0\) 2 times"),
        ('the "dead" bone', "fémur gauche", "expected each name once, found 'fémur gauche' 2 times"),
        ("fémur gauche", "", "expected names of one line of 1 to 200"),
        ("fémur gauche", "a\x1bb", "expected names of one line of 1 to 200"),
        ("fémur gauche", "x" * 201, "expected names of one line of 1 to 200"),
        ("    1   255", "2147483648   255", "in line 7"),
        (DESCRIPTION, "", "expected names of labels, found none"),
        (DESCRIPTION, '0 0 0 0 0 0 0 "Clear Label"', "expected names of labels, found none"),
        (DESCRIPTION, "# \n" * 400_000, "expected a label description of at most 1 MiB"),
    ],
)
def test_descriptions_that_are_refused(
    old: str, new: str, message: str, described: Callable[[bytes], tuple[Segment, ...]]
) -> None:
    assert old in DESCRIPTION
    with pytest.raises(LabelError, match=message):
        described(DESCRIPTION.replace(old, new, 1).encode())


def test_a_description_that_is_no_text_or_not_there(
    described: Callable[[bytes], tuple[Segment, ...]], tmp_path: Path
) -> None:
    with pytest.raises(LabelError, match="expected text in UTF-8, found something else"):
        described(DESCRIPTION.encode("latin-1"))
    with pytest.raises(LabelError, match=r"labels\.csv: expected a file that can be read, found none"):
        read_label_names(tmp_path / "labels.csv", "labels.csv")
