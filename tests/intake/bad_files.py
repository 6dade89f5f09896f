"""Bad input by class: which good case is made bad, how, and the error that must refuse it.

The classes 1 to 30 are the mistakes and attacks that readers of medical images and of surfaces are known to meet; those
after them are what a case file and what lies beside it can get wrong.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from damage import (
    DOCTYPE,
    EXTERNAL,
    Change,
    added,
    bytes_at,
    caret,
    changes,
    content,
    copied,
    deep,
    deflated,
    dicom,
    element,
    every,
    fields,
    flipped,
    frames,
    gone,
    gzip_zeros,
    kept,
    line,
    linked,
    mirrored,
    model,
    moved,
    nifti_bomb,
    one,
    places,
    repacked,
    run_lengths,
    scaled,
    shape,
    shift_frame,
    slices,
    stl_count,
    stl_number,
    swap,
    toml,
    voxel_bomb,
    voxels,
    vtp_bomb,
    with_value,
    zlib_zeros,
)
from good_files import FINE_MM, box, femur_surface, hip_ct, hip_labels, text_stl

from guidegen.errors import (
    AnatomyError,
    CaseFileError,
    GuidegenError,
    IdentityError,
    LabelError,
    LesionError,
    SideError,
    SurfaceError,
    VolumeError,
)

# Who refuses: the reading of the files, which tests do in a process of its own where a case may take much memory or
# break a reader (OWN), and leave to the benchmark where that takes seconds (HEAVY); or what looks at the shape (PLAN).
READ, OWN, PLAN, HEAVY = "read", "own", "plan", "heavy"


@dataclass(frozen=True)
class Bad:
    """A bad case: the good one named `good` with `change` made to it, and how it is refused."""

    kind: str
    name: str
    good: str
    change: Change
    error: type[GuidegenError]
    match: str
    step: str

    def write(self, folder: Path, good: Path) -> Path:
        """Make the case in `folder`, which is new, from the good cases in the folder `good`; return its case file."""
        shutil.copytree(good / self.good, folder, symlinks=True)
        self.change(folder)
        return folder / "case.toml"


NII, GZ, NRRD, MHA, MHD = "labels.nii", "labels.nii.gz", "labels.nrrd", "labels.mha", "labels.mhd"
STL, PLY, OBJ, VTP, THREEMF = "bone.stl", "bone.ply", "bone.obj", "bone.vtp", "bone.3mf"
PACKED_NRRD, PACKED_MHA, RAW = "packed.nrrd", "packed.mha", "labels.zraw"

# Offsets in a NIfTI header.
DIM, INTENT, DATATYPE, PIXDIM, VOX_OFFSET, SLOPE, UNITS = 40, 68, 70, 76, 108, 112, 123
QFORM, SFORM, QUATERNION, QOFFSET, SROW_X, MAGIC = 252, 254, 256, 268, 280, 344

TO_RAS = ("left-posterior-superior", "right-anterior-superior")
COLUMNS, ROWS = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
STEP_MM = 4.0
THIRD = 3_000_000_000 // (1 << 24) + 1  # pieces of zeros that make 3 GB

V, L, S, ID, C = VolumeError, LabelError, SurfaceError, IdentityError, CaseFileError
Row = tuple[str, str, Change, type[GuidegenError], str, str] | tuple[str, str, Change, type[GuidegenError], str]


def header(text: bytes) -> Change:
    return bytes_at(STL, 0, text)


def side(to: str) -> Change:
    return toml('side = "left"', f'side = "{to}"')


def flip_voxels(folder: Path) -> None:
    voxels("labels.nrrd", lambda labels: labels[::-1], hip_labels(FINE_MM))(folder)


def segment(k: int, keyword: str, value: object) -> Change:
    return dicom("seg.dcm", lambda dataset: setattr(dataset.SegmentSequence[k], keyword, value))


def roi(k: int, keyword: str, value: object) -> Change:
    return dicom("rs.dcm", lambda dataset: setattr(dataset.StructureSetROISequence[k], keyword, value))


def shared(group: str, keyword: str, value: object) -> Change:
    return dicom(
        "seg.dcm", lambda dataset: setattr(dataset.SharedFunctionalGroupsSequence[0][group][0], keyword, value)
    )


def lean(angle_deg: float) -> Change:
    return places(lambda k, place: place + STEP_MM * k * np.tan(np.radians(angle_deg)) * ROWS)


def without_contours(k: int) -> Change:
    """Take the contours of the femur in its k-th slice away."""

    def change(dataset: object) -> None:
        contours = dataset.ROIContourSequence[0].ContourSequence  # type: ignore[attr-defined]
        heights = sorted({float(each.ContourData[2]) for each in contours})
        kept_ones = [each for each in contours if float(each.ContourData[2]) != heights[k]]
        dataset.ROIContourSequence[0].ContourSequence = kept_ones  # type: ignore[attr-defined]

    return dicom("rs.dcm", change)


def colour(folder: Path) -> None:
    def change(dataset: object) -> None:
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 3, "RGB"  # type: ignore[attr-defined]
        dataset.PlanarConfiguration, dataset.PixelData = 0, 3 * dataset.PixelData  # type: ignore[attr-defined]

    dicom(f"ct/{slices(folder)[4].name}", change)(folder)


def tilt_frames(each: object, _k: int) -> None:
    plane = each.PlanePositionSequence[0]  # type: ignore[attr-defined]
    place = np.array(plane.ImagePositionPatient, dtype=float)
    plane.ImagePositionPatient = [f"{value:.9g}" for value in place + [0.0, 0.2 * (place[2] + 700.0), 0.0]]


def nested(tag: str, depth: int) -> str:
    return f"<{tag}>" * depth + f"</{tag}>" * depth


def two_femora(folder: Path) -> None:
    """The label of both femora, as of a whole pelvis."""
    voxels("labels.nrrd", lambda labels: np.concatenate([labels, labels[::-1]]), hip_labels(FINE_MM))(folder)


def lone_corner(file: str, number: str) -> Change:
    """The first coordinate of the first corner replaced."""
    first = repr(float(box().vertices[0, 0]))
    before = ">" if file == VTP else "\n"
    return swap(file, f"{before}{first} ", f"{before}{number} ")


def thin(labels: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Only every fourth slice of the femur: what an interpolation forgot."""
    femur = labels == 1
    femur[:, :, ::4] = False
    labels[femur] = 0
    return labels


# fmt: off
TABLE: dict[str, list[Row]] = {
    "1 LPS and RAS mixed": [
        ("a NRRD in no patient frame", NRRD, line(NRRD, "space:", "space: scanner-xyz\n"), V,
         "expected a patient frame .* found space 'scanner-xyz'", OWN),
        ("a NRRD without a space", NRRD, line(NRRD, "space:", ""), V, "found space None"),
        ("a NRRD that is said to be RAS", "image", swap(NRRD, *TO_RAS), V,
         r"bone\.femur: expected a femur inside its image ct\.nrrd, .* \(LPS or RAS\)"),
        ("an image that is said to be RAS", "image", swap("ct.nrrd", *TO_RAS), V,
         r"expected a femur inside its image ct\.nrrd"),
        ("an STL that says RAS", STL, header(b"SPACE=RAS"), S,
         'expected space = "LPS" as the case file says, found RAS in the file'),
        ("an STL that says both", STL, header(b"SPACE=RAS SPACE=LPS"), S, "expected one space in its comments"),
        ("a PLY that says RAS", PLY, swap(PLY, "made by hand", "SPACE=RAS"), S, "found RAS in the file"),
        ("a surface declared RAS, on an image", "surface on image", toml("LPS", "RAS"), LesionError,
         "expected a lesion within 10 mm of the box round bone.femur, found one .* away", OWN),
        ("a surface declared RAS, without an image", STL, toml("LPS", "RAS"), LesionError,
         r"expected a lesion within 10 mm of the box round bone\.femur, found one .* away"),
        ("a surface of no declared space", STL, toml('space = "LPS"\n', ""), C,
         'expected "LPS" or "RAS" beside "surface", found nothing'),
    ],
    "2 qform against sform": [
        ("far apart", NII, fields({SROW_X + 12: ("f", -500.0)}), V, "found statements of it .* mm apart"),
        ("a mirrored sform", NII, fields({SROW_X: ("f", 3.0)}), V, "found statements of it .* mm apart"),
        ("a turned qform", NII, fields({QUATERNION: ("f", [0.05, 0.0, 0.9])}), V, "statements of it .* mm apart"),
        ("another spacing in pixdim", NII, fields({PIXDIM + 4: ("f", 3.01)}), V, "statements of it .* mm apart"),
        ("a qform elsewhere", NII, fields({QOFFSET: ("f", [0.1, 0.1, 0.1])}), V, "statements of it .* mm apart"),
    ],
    "3 no place, or another format": [
        ("both codes 0", NII, fields({QFORM: ("h", [0, 0])}), V, "a place in the patient .* found both 0"),
        ("half of a pair", NII, bytes_at(NII, MAGIC, b"ni1\0"), V, "expected a NIfTI-1 file with its voxels in it"),
        ("Analyze", NII, bytes_at(NII, MAGIC, bytes(4)), V, "found no such header .Analyze, a pair"),
        ("NIfTI-2", NII, bytes_at(NII, 0, b"\x1c\x02\0\0"), V, "found NIfTI-2; export it as NIfTI-1"),
        ("a NIfTI called NRRD", "image", content("labels.nrrd", b"\x5c\x01\0\0" + bytes(400)), V,
         "expected a NRRD file, found no such header"),
        ("text", MHA, content(MHA, "no header at all\n" * 100), V, "expected a MetaImage header, found 'no header"),
    ],
    "4 sheared axes": [
        ("NIfTI", NII, fields({QFORM: ("h", 0), SROW_X + 4: ("f", 0.5)}), V,
         "expected an image that can be read|expected index axes at right"),
        ("NIfTI that hides it behind its qform", NII, fields({SROW_X + 4: ("f", 0.5)}), V, "statements of it .* apart"),
        ("NRRD", NRRD, line(NRRD, "space directions", "space directions: (3,0,0) (0.3,3,0) (0,0,4)\n"), V,
         "expected index axes at right angles"),
        ("MHA", MHA, line(MHA, "TransformMatrix", "TransformMatrix = 1 0.01 0 0 1 0 0 0 1\n"), V,
         "expected index axes at right angles"),
        ("DICOM", "seg", every(ImageOrientationPatient=["1", "0", "0", "0.01", "1", "0"]), V,
         "expected rows and columns of unit direction at right angles"),
        ("SEG", "seg", shared("PlaneOrientationSequence", "ImageOrientationPatient", [1, 0, 0, 0.1, 0.995, 0]), V,
         "expected rows and columns at right angles"),
    ],
    "5 spacings and places that are none": [
        ("pixdim 0", NII, fields({PIXDIM + 4: ("f", 0.0)}), V, "statements of it .* apart|expected an image that can",
         OWN),
        ("pixdim infinite", NII, fields({PIXDIM + 4: ("f", np.inf)}), V, "expected finite numbers in qform and sform"),
        ("pixdim negative", NII, fields({PIXDIM + 4: ("f", -3.0)}), V, "expected a rotation as its qform, found none"),
        ("NaN in the sform", NII, fields({SROW_X: ("f", np.nan)}), V, "expected finite numbers in qform and sform"),
        ("an axis without length", NRRD, line(NRRD, "space dir", "space directions: (3,0,0) (0,0,0) (0,0,4)\n"), V,
         "expected spacings from 0.1 to 10.0 mm, found 3 × 0 × 4"),
        ("NaN in NRRD", NRRD, line(NRRD, "space dir", "space directions: (3,0,0) (0,nan,0) (0,0,4)\n"), V,
         "as 'space directions' in the header"),
        ("no origin in NRRD", NRRD, line(NRRD, "space origin", ""), V, "as 'space origin' in the header, found None"),
        ("MHA spacing 0", MHA, line(MHA, "ElementSpacing", "ElementSpacing = 3 0 4\n"), V,
         "expected spacings|expected an image that can be read"),
        ("MHA spacing negative", MHA, line(MHA, "ElementSpacing", "ElementSpacing = 3 -3 4\n"), V,
         "expected spacings|expected an image that can be read"),
        ("MHA without spacing", MHA, line(MHA, "ElementSpacing", ""), V, "expected 3 numbers as ElementSpacing"),
        ("NaN in MHA", MHA, line(MHA, "Offset", "Offset = nan 0 0\n"), V, "expected 3 numbers as Offset"),
        ("DICOM spacing 0", "seg", one(PixelSpacing=["0", "3"]), V, "expected pixels of 0.1 to 10.0 mm, found 3 × 0"),
        ("DICOM spacing negative", "seg", one(PixelSpacing=["3", "-3"]), V, "expected pixels of .*, found -3 × 3"),
        ("DICOM spacing NaN", "seg", one(PixelSpacing=["nan", "3"]), V, "expected 2 finite numbers as PixelSpacing"),
        ("DICOM without position", "seg", one(ImagePositionPatient=None), V, "3 finite numbers as ImagePosition"),
        ("SEG spacing 0", "seg", shared("PixelMeasuresSequence", "SpacingBetweenSlices", "0"), V, "expected spacings"),
    ],
    "6 units of voxel files": [
        ("mm said to be m", NII, bytes_at(NII, UNITS, b"\1"), V, r"expected spacings .* found 3000 × .* in mm\?"),
        ("mm said to be µm", NII, bytes_at(NII, UNITS, b"\3"), V, r"expected spacings .* found 0\.003 × 0\.003"),
        ("a unit that is none", NII, bytes_at(NII, UNITS, b"\7"), V, "expected mm, m or µm as the unit, found code 7"),
        ("NRRD in metres", NRRD, swap(NRRD, "encoding:", 'space units: "m" "m" "m"\nencoding:'), V,
         "expected space units of mm"),
        ("MHA in metres", MHA, line(MHA, "ElementSpacing", "ElementSpacing = 0.003 0.003 0.004\n"), V,
         r"expected spacings from .* found 0\.003 × 0\.003 × 0\.004; is the file in mm\?"),
        ("DICOM in microns", "seg", every(PixelSpacing=["3000", "3000"]), V, "expected pixels of 0.1 to 10.0 mm"),
        ("half the size", MHA, line(MHA, "ElementSpacing", "ElementSpacing = 0.3 0.3 0.4\n"), V,
         r"bone\.femur: expected a femur of 40 to 700 mm, found one of 1"),
    ],
    "7 tilted gantry": [
        ("by 15°", "seg", lean(15.0), V, r"found them leaning by 15\.00°, .* \(a tilted gantry\)"),
        ("by 0.2°", "seg", lean(0.2), V, r"found them leaning by 0\.20°"),
        ("in a SEG", "seg", frames(tilt_frames), V, "expected frames straight above one another"),
    ],
    "8 missing and uneven slices": [
        ("one missing", "seg", gone(4), V, r"a slice every 4 mm, found 1 missing: 1 between 0004\.dcm and 0006"),
        ("three missing", "seg", gone(4, 7, 8), V, "found 3 missing: 1 between 0004.dcm and 0006.dcm, 2 between"),
        ("one moved", "seg", places(lambda k, place: place + [0, 0, 0.5 * (k == 4)]), V, "expected even steps between"),
        ("steps that grow", "seg", places(lambda k, place: place + [0, 0, 0.01 * k * k]), V, "expected even steps"),
        ("one beside", "seg", places(lambda k, place: place + [0, 0.5 * (k == 4), 0]), V, "stacked above each other"),
        ("a SEG frame between", "seg", shift_frame(5, [0, 0, 1.5]), V, "expected slices every 4 mm, found frames"),
        ("contours missing", "contours", without_contours(5), V, "expected contours in every slice from end to end"),
    ],
    "9 duplicate slices": [
        ("a copy", "seg", copied(3, "copy.dcm"), V, "expected each slice once, found .* with one UID"),
        ("an echo", "seg", copied(3, "echo.dcm", SOPInstanceUID="1.2.3"), V, "expected one slice at each place"),
        ("all at one place", "seg", places(lambda _, place: 0 * place), V, "expected one slice at each place"),
        ("a SEG frame twice", "seg", shift_frame(5, [0, 0, -STEP_MM]), V, "expected one frame for each slice of a seg"),
        ("a contour twice", "contours", dicom("rs.dcm", lambda d: d.ROIContourSequence[0].ContourSequence.append(
            d.ROIContourSequence[0].ContourSequence[3])), V, "outlines that cross each other, or one drawn twice"),
    ],
    "10 mixed folders": [
        ("patients", "seg", one(PatientID="OTHER"), ID, "expected slices of one patient id, found 2"),
        ("birth dates", "seg", one(PatientBirthDate="19500101"), ID, "expected slices of one date of birth"),
        ("studies", "seg", one(StudyInstanceUID="1.2.3"), ID, "expected slices of one study"),
        ("frames of reference", "seg", one(FrameOfReferenceUID="1.2.3"), ID, "slices of one frame of reference"),
        ("series", "seg", one(SeriesInstanceUID="1.2.3"), V, "expected slices of one series, found 2"),
        ("lateralities", "seg", one(Laterality="R"), ID, "expected slices of one laterality"),
        ("modalities", "seg", one(Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4"), V, "of one modality"),
        ("a mirrored slice", "seg", one(ImageOrientationPatient=[-1, 0, 0, 0, 1, 0]), V, "slices of one orientation"),
        ("pixel spacings", "seg", one(PixelSpacing=["3", "3.01"]), V, "expected slices of one pixel spacing"),
        ("rescales", "seg", one(RescaleIntercept="-1023"), V, "of one rescale slope and intercept"),
        ("signs", "seg", one(PixelRepresentation=0), V, "of one kind of stored value"),
        ("a text file", "seg", content("ct/notes.txt", "CT of the hip"), V,
         "expected a DICOM file, found no such header"),
        ("a localizer", "seg", copied(0, "0.dcm", SOPInstanceUID="1.2.3",
                                      ImageOrientationPatient=[1, 0, 0, 0, 0, -1]), V, "slices of one orientation"),
        ("a SEG of another patient", "seg", element("seg.dcm", PatientID="OTHER"), ID,
         "expected all files of one patient, found another patient id in ct than in seg.dcm"),
        ("another patient than ordered", "seg", toml('side = "left"', 'side = "left"\ndicom_id = "OTHER"'), ID,
         'expected the patient id that is given as "dicom_id"'),
    ],
    "11 left and right swapped": [
        ("the order", "hip", side("right"), SideError, "expected a right femur as ordered, found the shape of a left",
         PLAN),
        ("voxels flipped", "hip", flip_voxels, SideError,
         "expected a left femur as ordered, found the shape of a right",
         PLAN),
        ("a file name that says the other side", "hip", changes(
            lambda f: (f / "labels.nrrd").rename(f / "right_hip.nrrd"), toml("labels.nrrd", "right_hip.nrrd")),
         SideError, "the name 'right_hip.nrrd' .* says right", PLAN),
        ("two lateralities in a file", "seg", every(Laterality="L", ImageLaterality="R"), ID, "found both L and R"),
    ],
    "12 labels in another frame or grid": [
        ("a SEG in another frame of reference", "seg", element("seg.dcm", FrameOfReferenceUID="1.2.3"), ID,
         "expected ct and seg.dcm in one frame of reference, as the case file has them, found two"),
        ("contours drawn on another series", "contours", every(SeriesInstanceUID="1.2.3"), ID,
         "expected contours drawn on the series ct, found that they were drawn on another one"),
        ("contours in another frame", "contours", roi(0, "ReferencedFrameOfReferenceUID", "1.2.3"), ID,
         "expected ROIs in the frame of reference of ct, found 'femur' in another"),
        ("contours without their image", "contours", toml('image = "ct"\n', ""), V,
         "expected the image that its contours were drawn on, found none"),
        ("labels beside the image", "image", moved(NRRD, [40.0, 0.0, 0.0]), V,
         "expected a femur inside its image|expected its surface to lie on the edge of a bone"),
        ("labels 12 mm aside", "image", moved(NRRD, [0.0, 8.0, 8.0]), V,
         "expected its surface to lie on the edge of a bone|expected a femur inside its image"),
        ("the same array at another place", "image", moved("ct.nrrd", [0.0, 0.0, 300.0], hip_ct), V,
         "expected a femur inside its image"),
        ("a lesion in another frame", NRRD, changes(moved("mr.nrrd", [90.0, 0.0, 50.0]), toml(
            '[lesion]\nlabels = "labels.nrrd"', '[lesion]\nlabels = "mr.nrrd"')), LesionError,
         'if its image shows the femur in another pose, give that femur as "femur"'),
    ],
    "13 values that are no labels": [
        ("a half", NII, voxels(NII, with_value(np.float32, 1.5)), V, r"expected whole numbers .* found 1\.5"),
        ("NaN", NRRD, voxels(NRRD, with_value(np.float32, np.nan)), V, "expected finite labels"),
        ("infinity", MHA, voxels(MHA, with_value(np.float64, -np.inf)), V, "expected finite labels"),
        ("too large", NRRD, voxels(NRRD, with_value(np.int64, 1 << 40)), V, "expected finite labels below"),
        ("a slope", NII, fields({SLOPE: ("f", 2.0)}), V, r"found a scale \(slope 2, intercept 0\)"),
        ("an intercept", NII, fields({SLOPE: ("f", [1.0, 1.0])}), V, r"found a scale \(slope 1, intercept 1\)"),
        ("a scale in MHA", MHA, swap(MHA, "NDims", "ElementToIntensityFunctionSlope = 2\nNDims"), V,
         "expected plain binary voxels"),
        ("the image in place of the labels", "image",
         toml('labels = "labels.nrrd"\nfemur', 'labels = "ct.nrrd"\nfemur'), V,
         "expected its surface to lie on the edge of a bone"),
        ("NaN in the image", "image", voxels("ct.nrrd", with_value(np.float32, np.nan), hip_ct()), V,
         "expected a finite number in every voxel, found 1 voxels of NaN"),
        ("a label that is not there", NRRD, toml("femur = 1", "femur = 9"), L,
         "expected voxels of label 9 .* labels 1"),
    ],
    "14 labels that are empty, tiny or not one bone": [
        ("nothing", NII, voxels(NII, lambda labels: 0 * labels), L, "expected voxels of label 1 .* found"),
        ("no lesion", NRRD, voxels(NRRD, lambda labels: labels * (labels != 3)), L, r"lesion\.lesion: expected voxels"),
        ("a femur of one voxel", NRRD, voxels(NRRD, lambda labels: with_value(np.uint8, 1)(labels * (labels != 1))), V,
         "expected a femur of 40 to 700 mm, found one of"),
        ("a SEG that describes nothing", "seg", element("seg.dcm", SegmentSequence=None), L, "found none described"),
        ("contours of nothing", "contours", element("rs.dcm", StructureSetROISequence=None), L,
         "expected ROIs, found none"),
        ("two femora", "hip", two_femora, L, "expected one bone under the label, found 2 pieces", PLAN),
        ("slices forgotten", "hip", voxels(NRRD, thin, hip_labels(FINE_MM)), L,
         "expected one bone under the label, found [0-9]+ pieces", PLAN),
        ("cut off below the neck", "hip", voxels(
            NRRD, lambda labels: labels * (np.arange(labels.shape[2]) > labels.shape[2] - 50), hip_labels(FINE_MM)),
         AnatomyError, "expected a femur that shows its lesser trochanter", PLAN),
    ],
    "15 colours, vectors and series": [
        ("4 axes", NII, fields({DIM: ("h", [4]), DIM + 8: ("h", [2])}), V, "expected a volume of 3 axes, found 4"),
        ("vectors", NII, fields({DIM: ("h", [5]), DIM + 8: ("h", [1, 3])}), V, "one number per voxel, found 3 values"),
        ("RGB", NII, fields({DATATYPE: ("h", 128)}), V, "one number per voxel, found 3 values"),
        ("complex numbers", NII, fields({DATATYPE: ("h", 32)}), V, "expected one number per voxel"),
        ("a statistic", NII, fields({INTENT: ("h", 5)}), V, "found intent code 5"),
        ("NRRD of 2 axes", NRRD, changes(line(NRRD, "dimension", "dimension: 2\n"), line(NRRD, "sizes", "sizes: 9 9\n"),
                                         line(NRRD, "kinds", "kinds: domain domain\n")), V, "3 axes, found 2"),
        ("MHA of 3 channels", MHA, swap(MHA, "NDims", "ElementNumberOfChannels = 3\nNDims"), V, "found 3 values"),
        ("DICOM in colour", "seg", colour, V, "expected grey values, found colours"),
        ("DICOM of many frames", "seg", every(SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1"), V,
         "found a multi-frame image"),
    ],
    "16 byte orders and kinds of number": [
        ("a kind that nobody knows", NII, fields({DATATYPE: ("h", 77)}), V, "a known kind of number, found code 77",
         OWN),
        ("floats of 16 bytes", NII, fields({DATATYPE: ("h", 1536)}), V, "expected one number per voxel|known kind"),
        ("a header of the other order", NII, bytes_at(NII, 0, b"\0\0\1\x5c"), V, "expected voxels from byte|expected"),
        ("no order", NRRD, line(NRRD, "type", "type: uint16\n"), V, "a known type and endian, found type 'uint16'"),
        ("another order", NRRD, swap(NRRD, "encoding", "endian: middle\nencoding"), V, "endian 'middle'"),
        ("blocks", NRRD, line(NRRD, "type", "type: block\n"), V, "found type 'block'"),
        ("text", MHA, line(MHA, "ElementType", "ElementType = MET_STRING\n"), V,
         "known ElementType, found 'MET_STRING'"),
        ("neither true nor false", MHA, line(MHA, "CompressedData", "CompressedData = Maybe\n"), V,
         "expected True or False as compresseddata"),
        ("more bits than there are", "seg", every(BitsStored=17, HighBit=16), V, "expected 16 bits .* 17 used"),
    ],
    "17 directions that are none": [
        ("a quaternion above 1", NII, fields({QUATERNION: ("f", 2.0)}), V, "expected a rotation as its qform"),
        ("two axes the same", NRRD, line(NRRD, "space dir", "space directions: (3,0,0) (3,0,0) (0,0,4)\n"), V,
         "expected index axes at right angles"),
        ("no axis", MHA, line(MHA, "TransformMatrix", "TransformMatrix = 0 0 0 0 1 0 0 0 1\n"), V,
         "axes at right angles"),
        ("long rows", "seg", every(ImageOrientationPatient=["1.01", "0", "0", "0", "1", "0"]), V, "of unit direction"),
        ("five cosines", "seg", one(ImageOrientationPatient=["0"] * 5), V, "expected 6 finite numbers as ImageOrient"),
    ],
    "18 cut off and damaged": [
        ("half a .nii", NII, kept(NII, 0.5), V, "the file is cut off; copy it again"),
        ("half a .nii.gz", GZ, kept(GZ, 0.5), V, "expected a whole file, found one that cannot be read"),
        ("half a NRRD", NRRD, kept(NRRD, 0.5), V, "the file is cut off; copy it again"),
        ("half a packed NRRD", PACKED_NRRD, kept(PACKED_NRRD, 0.5), V, "found one that cannot be read"),
        ("half an MHA", MHA, kept(MHA, 0.5), V, "the file is cut off; copy it again"),
        ("half a packed MHA", PACKED_MHA, kept(PACKED_MHA, 0.5), V, "the file is cut off or altered"),
        ("half of the voxels beside", MHD, kept(RAW, 0.5), V, "the file is cut off or altered"),
        ("no voxels beside", MHD, lambda folder: (folder / RAW).unlink(), V, "one that cannot be read .*No such file"),
        ("half a slice", "seg", lambda folder: kept(f"ct/{slices(folder)[4].name}", 0.5)(folder), V,
         "expected a whole"),
        ("half a SEG", "seg", kept("seg.dcm", 0.5), V, "expected a whole file|the file is cut off"),
        ("half a structure set", "contours", kept("rs.dcm", 0.5), V, "expected a whole file|the file is cut off"),
        ("a bit of a .nii.gz", GZ, flipped(GZ, 0.7), V, "cannot be read|an image that can be read"),
        ("a bit of a packed NRRD", PACKED_NRRD, flipped(PACKED_NRRD, 0.7), V, "expected a whole file, found one that"),
        ("a bit of a packed MHA", PACKED_MHA, flipped(PACKED_MHA, 0.7), V, "expected a whole file, found one that"),
        ("an empty file", NII, content(NII, b""), V, "expected a NIfTI header of 348 bytes, found 0"),
        ("bytes behind the end", NII, added(NII, b"\0"), V, "found more: the header is altered"),
    ],
    "19 huge sizes": [
        ("NIfTI of 32767³", NII, fields({DIM + 2: ("h", [32767] * 3)}), V, "expected at most 1 GiB of voxels", OWN),
        ("NIfTI of less than nothing", NII, fields({DIM + 2: ("h", [-20, 20, 20])}), V, "numbers of voxels above 0"),
        ("NRRD of 9000³", NRRD, line(NRRD, "sizes", "sizes: 9000 9000 9000\n"), V, "expected at most 1 GiB", OWN),
        ("NRRD of more than any number", NRRD, line(NRRD, "sizes", f"sizes: 9 9 {10**30}\n"), V,
         "an image that can be read"),
        ("NRRD of a thousand layers", NRRD, changes(
            line(NRRD, "dimension", "dimension: 4\n"), line(NRRD, "sizes", "sizes: 1000 999 999 999\n"),
            line(NRRD, "kinds", "kinds: list domain domain domain\n"),
            swap(NRRD, "space directions: (", "space directions: none (")), V,
         "expected at most 1 GiB of voxels"),
        ("MHA of 9000³", MHA, line(MHA, "DimSize", "DimSize = 9000 9000 9000\n"), V, "expected at most 1 GiB", OWN),
        ("a slice of 65535²", "seg", every(Rows=65535, Columns=65535), V, "GiB of pixels, found|bytes of pixels"),
        ("a SEG of a billion frames", "seg", element("seg.dcm", NumberOfFrames="1000000000"), V,
         "at most 1 GiB of pixels"),
        ("a SEG of slices far apart", "seg", shift_frame(0, [0, 0, -2000 * STEP_MM]), V, "expected a femur of 40"),
        ("STL of 4 billion triangles", STL, stl_count(2**32 - 1), S, "for the 4294967295 triangles that it states",
         OWN),
        ("PLY of a billion vertices", PLY, swap(PLY, "element vertex 8", "element vertex 999999999"), S,
         "expected one line for each of 999999999 vertices", OWN),
        ("VTP of a billion points", VTP, swap(VTP, 'NumberOfPoints="8"', 'NumberOfPoints="1000000000"'), S,
         "NumberOfPoints = 1000000000, of which at most"),
    ],
    "20 bombs": [
        (".nii.gz of 3 GB behind its voxels", GZ, nifti_bomb(THIRD, None), V, "found more: the header is altered", OWN),
        (".nii.gz of 3 GB as stated", GZ, nifti_bomb(THIRD, 1442), V, "expected at most 1 GiB of voxels", OWN),
        (".nii.gz of 1 GB as stated", GZ, nifti_bomb(61, 1000), V, "found more: the header is altered", HEAVY),
        ("NRRD of 3 GB behind its voxels", PACKED_NRRD, voxel_bomb(PACKED_NRRD, "sizes", None, gzip_zeros, THIRD), V,
         "found more: the header is altered", OWN),
        ("NRRD of 3 GB as stated", PACKED_NRRD, voxel_bomb(PACKED_NRRD, "sizes", ": 1442 1442 1442", gzip_zeros, THIRD),
         V, "expected at most 1 GiB of voxels", OWN),
        ("NRRD of 1 GB of zeros, whole", PACKED_NRRD, voxel_bomb(
            PACKED_NRRD, "sizes", ": 1024 1024 960", gzip_zeros, 60), L, "expected voxels of label 1", HEAVY),
        ("MHA of 3 GB behind its voxels", PACKED_MHA, voxel_bomb(PACKED_MHA, "DimSize", None, zlib_zeros, THIRD), V,
         "found more: the header is altered", OWN),
        ("MHA of 1 GB of zeros, whole", PACKED_MHA, voxel_bomb(
            PACKED_MHA, "DimSize", " = 1024 1024 960", zlib_zeros, 60), L, "expected voxels of label 1", HEAVY),
        ("3MF of 200 MB of blanks", THREEMF, model("<model", "<model" + " " * 200_000_000), S, "at most 128 MiB", OWN),
        ("3MF of 4 million vertices", THREEMF, model("<vertices>", "<vertices>" + '<vertex x="0" y="0" z="0"/>' *
                                                     4_000_000), S, "found more than 1500000 elements", HEAVY),
        ("3MF of as many vertices as it may have", THREEMF, model(
            "<vertices>", "<vertices>" + '<vertex x="0" y="0" z="0"/>' * 1_400_000), S,
         "triangles with an area", HEAVY),
        ("VTP of 20 million points", VTP, vtp_bomb(20_000_000), S, "NumberOfPoints = 20000000, of which at most", OWN),
        ("VTP of as many points as it may have", VTP, vtp_bomb(5_000_000), S, "triangles with an area", HEAVY),
        ("VTP of blocks longer than they say", VTP, vtp_bomb(800_000, block_bytes=1 << 27), S,
         "found a packed block of another size than it states", HEAVY),
        ("DICOM, deflated", "seg", deflated, V, "expected pixels that are not compressed", OWN),
        ("DICOM of run lengths", "seg", lambda folder: run_lengths(folder, 2048, 2048), V,
         "edge of a bone|a femur inside", HEAVY),
    ],
    "21 voxels in other files": [
        ("NRRD, an absolute path", NRRD, swap(NRRD, "encoding", "data file: /etc/hostname\nencoding"), V,
         "found a header that names another file", OWN),
        ("NRRD, a way out", NRRD, swap(NRRD, "encoding", "datafile: ../secret.txt\nencoding"), V, "names another file"),
        ("NRRD, a list", NRRD, swap(NRRD, "encoding", "data file: LIST\nencoding"), V, "names another file"),
        ("MHA, an absolute path", MHA, line(MHA, "ElementDataFile", "ElementDataFile = /etc/hostname\n"), V,
         "expected the voxels in the file itself", OWN),
        ("MHD, an absolute path", MHD, line(MHD, "ElementDataFile", "ElementDataFile = /etc/hostname\n"), V,
         "expected the voxels in labels.zraw beside it"),
        ("MHD, a list", MHD, line(MHD, "ElementDataFile", "ElementDataFile = LIST\n"), V,
         "expected the voxels in labels"),
        ("MHD, a link", MHD, linked(RAW, "/etc/hostname"), C, "found a way out of it"),
        ("MHD, a pattern", MHD, line(MHD, "ElementDataFile", "ElementDataFile = %d.raw 1 9 1\n"), V,
         "the voxels in labels"),
        ("NRRD, bytes left out", NRRD, swap(NRRD, "encoding", "byte skip: -1\nencoding"), V, "right after the header"),
        ("MHA, bytes left out", MHA, swap(MHA, "NDims", "HeaderSize = -1\nNDims"), V, "expected plain binary voxels"),
    ],
    "22 names and UIDs that lead elsewhere": [
        ("a UID that is a path", "seg", one(StudyInstanceUID="../../../../etc/x"), V, "a UID of at most 64 digits",
         OWN),
        ("a UID that is markup", "seg", element("seg.dcm", SeriesInstanceUID="<script>"), V,
         "a UID of at most 64 digits"),
        ("a UID for a shell", "contours", element("rs.dcm", SOPInstanceUID="1.2; rm -rf"), V,
         "a UID of at most 64 digits"),
        ("a DICOMDIR", "seg", copied(0, "DICOMDIR", SOPClassUID="1.2.840.10008.1.3.10"), V, "found a DICOMDIR"),
        ("a segment of two lines", "seg", segment(0, "SegmentLabel", "a\nb"), L, "expected one line of 1 to 200 print"),
        ("an ROI for a terminal", "contours", roi(0, "ROIName", "\x1b[31mred"), L,
         "expected one line of 1 to 200 print"),
        ("a segment without end", "seg", segment(0, "SegmentLabel", "a" * 201), L,
         "expected one line of 1 to 200 print"),
        ("a patient that is a path", NRRD, toml('"B001L"', '"../B001L"'), C, "expected letters, digits"),
    ],
    "23 archives and XML": [
        ("a part that leads out", THREEMF, repacked(lambda parts: parts | {"../../evil": b"x"}), S,
         "expected parts inside the archive, found the name", OWN),
        ("an absolute part", THREEMF, repacked(lambda parts: parts | {"/etc/evil": b"x"}), S,
         "parts inside the archive"),
        ("a part on a drive", THREEMF, repacked(lambda parts: parts | {"C:\\evil": b"x"}), S,
         "parts inside the archive"),
        ("a billion laughs in 3MF", THREEMF, model("<model", DOCTYPE + "<model"), S, "found a document type", OWN),
        ("another file in 3MF", THREEMF, model("<model", EXTERNAL + "<model"), S, "found a document type"),
        ("a billion laughs in VTP", VTP, swap(VTP, "<VTKFile", DOCTYPE + "<VTKFile"), S, "found a document type", OWN),
        ("a billion laughs in NIfTI", NII, caret(f"{DOCTYPE}<CaretExtension>&e9;</CaretExtension>"), L, "damaged one",
         OWN),
        ("XML of 200 000 levels in 3MF", THREEMF, model("</model>", nested("a", 200_000) + "</model>x"), S,
         "found junk after document element", OWN),
        ("XML of 200 000 levels in VTP", VTP, swap(VTP, "</VTKFile>", nested("a", 200_000) + "</VTKFile>x"), S,
         "found junk after document element"),
        ("XML of 100 000 levels in NIfTI", NII, caret(f"<CaretExtension>{nested('a', 100_000)}</CaretExtension>x"), L,
         "found a damaged one", OWN),
        ("thousands of parts", THREEMF, repacked(lambda parts: parts | {f"{k}.png": b"" for k in range(1000)}), S,
         "expected at most 1000 parts"),
    ],
    "24 units of surfaces": [
        ("metres as mm", STL, scaled(0.001), S, r'bone\.femur: expected a femur of 40 to 700 mm, .* is "unit"'),
        ("inches as mm", STL, scaled(1 / 25.4), S, "expected a femur of 40 to 700 mm"),
        ("microns as mm", STL, scaled(1000.0), S, "expected coordinates within|expected a femur of 40 to 700 mm"),
        ("mm as cm", STL, toml('unit = "mm"', 'unit = "cm"'), S, "expected a femur of 40 to 700 mm"),
        ("a 3MF in inches", THREEMF, model("millimeter", "inch"), S, 'expected unit = "mm" as the case file says'),
        ("a 3MF in parsecs", THREEMF, model("millimeter", "parsec"), S, "found the unit 'parsec'"),
        ("no unit", STL, toml('unit = "mm"\n', ""), C, 'expected "mm", "cm", "m" or "inch" beside "surface"'),
    ],
    "25 mirrored surfaces": [
        ("as it is", STL, mirrored(repaired=False), S, "expected normals that point outwards"),
        ("wound outwards again", "hip surface", mirrored(surface=femur_surface, in_place=True), SideError,
         "expected a left femur as ordered, found the shape of a right one", PLAN),
        ("ordered as it looks", "hip surface", changes(
            mirrored(surface=femur_surface, in_place=True),
         side("right")), LesionError, "expected the lesion inside the femur, found 99% of it outside", PLAN),
        ("on its image", "surface on image", mirrored(surface=femur_surface, in_place=True), V,
         "expected its surface to lie on the edge of a bone|expected a femur inside its image"),
    ],
    "26 surfaces that are no body": [
        ("open", PLY, shape(PLY, lambda s: (s.vertices, s.faces[1:])), S, "expected a closed surface, found 3 open",
         OWN),
        ("three triangles at an edge", OBJ, shape(OBJ, lambda s: (
            np.r_[s.vertices, [s.vertices.mean(axis=0)]],
         np.r_[s.faces, [[0, 1, 8]]])), S, "expected a closed surface"),
        ("inside out", STL, shape(STL, lambda s: (s.vertices, s.faces[:, ::-1])), S, "normals that point outwards"),
        ("one triangle turned", VTP, shape(VTP, lambda s: (s.vertices, np.r_[s.faces[:1, ::-1], s.faces[1:]])), S,
         "wound in opposite senses|expected a closed surface"),
        ("two bodies", OBJ, shape(OBJ, lambda s: (
            np.r_[s.vertices, s.vertices + 300.0], np.r_[s.faces, s.faces + 8])), S, "expected one body, found 2"),
        ("flat", PLY, shape(PLY, lambda s: (s.vertices * [1, 1, 0], s.faces)), S, "expected a closed surface"),
        ("points only", OBJ, content(OBJ, "v 1 2 3\n" * 9), S, "expected triangles, found none"),
    ],
    "27 coordinates that are none": [
        ("NaN in STL", STL, stl_number(12, np.nan), S, "expected coordinates within ±10000 mm, found larger"),
        ("infinity in STL", STL, stl_number(12, np.inf), S, "expected coordinates within"),
        ("1e38 in STL", STL, stl_number(12, 1e38), S, "expected coordinates within"),
        ("NaN in PLY", PLY, lone_corner(PLY, "nan"), S, "coordinates within"),
        ("1e400 in OBJ", OBJ, added(OBJ, b"v 1e400 0 0\n"), S, "expected coordinates within"),
        ("NaN in VTP", VTP, lone_corner(VTP, "nan"), S, "coordinates within"),
        ("NaN in text", STL, content(STL, text_stl(box()).replace("vertex", "vertex nan #", 1)), S, "expected a facet"),
    ],
    "28 counts of triangles": [
        ("fewer", STL, stl_count(3), S, "bytes for the 3 triangles that it states"),
        ("more", STL, stl_count(13), S, "bytes for the 13 triangles that it states"),
        ("none", STL, content(STL, bytes(84)), S, "expected triangles, found none"),
        ("cut off", STL, kept(STL, 0.7), S, "the file is cut off"),
        ("binary that begins with solid, cut off", STL, changes(header(b"solid x\0"), kept(STL, 0.7)), S, "is cut off"),
        ("text, cut off", STL, content(STL, text_stl(box())[:-40]), S, "expected one solid and its endsolid"),
        ("an empty file", STL, content(STL, b""), S, "of 84 bytes for the 0 triangles that it states, found 0"),
        ("PLY, cut off", PLY, kept(PLY, 0.8), S, "expected one line for each of|numbers for each"),
        ("a web page", STL, content(STL, "<html>404</html>" * 50), S, "expected a binary STL"),
    ],
    "29 3MF that is more than a body, and corners that are not there": [
        ("a corner that is not there", THREEMF, model('v1="[0-9]+"', 'v1="99"'), S, "expected a 3MF model that can",
         OWN),
        ("mirrored as it is placed", THREEMF, model("<item ", '<item transform="-1 0 0 0 1 0 0 0 1 0 0 0" '), S,
         "expected no transform in the 3MF, found one that mirrors|expected a 3MF model that can be read"),
        ("built twice", THREEMF, model("</build>", '<item objectid="1"/></build>'), S, "and 2 build items|can be read"),
        ("not built", THREEMF, model("<item [^>]*>", ""), S, "and 0 build items"),
        ("an extension", THREEMF, model("<model ", '<model requiredextensions="p" '), S, "needs extensions"),
        ("two models", THREEMF, repacked(lambda parts: parts | {"3D/o.model": b"<model/>"}), S, "found 2; export one"),
        ("OBJ", OBJ, added(OBJ, b"f 1 2 99\n"), S, "expected triangles between its 8 vertices"),
        ("PLY", PLY, swap(PLY, "\n3 0 1 3\n", "\n3 0 1 99\n"), S, "between its 8 vertices"),
        ("VTP", VTP, swap(VTP, ">0 1 3 ", ">0 1 99 "), S, "between its 8 vertices"),
    ],
    "30 sequences within each other": [
        ("17 deep", "seg", deep(17), V, "expected at most 16 sequences within each other, found more"),
        ("400 deep", "seg", deep(400), V, "expected at most 16 sequences within each other"),
        ("100 000 deep", "seg", deep(100_000), V, "expected at most 16 sequences within each other", OWN),
    ],
    "31 the case file": [
        ("a key with a slip", NRRD, toml("femur = 1", "fermur = 1"), C, "did you mean 'femur'"),
        ("a way out of the folder", NRRD, toml('"labels.nrrd"', '"../labels.nrrd"'), C, "found a way out of it"),
        ("an absolute path", NRRD, toml('"labels.nrrd"', '"/etc/hostname"'), C, "found an absolute one"),
        ("a file that is not there", NRRD, toml('"labels.nrrd"', '"other.nrrd"'), C, "found none"),
        ("no TOML", NRRD, content("case.toml", b"\xff\xfe\0"), C, "expected TOML in UTF-8"),
        ("lists without end", NRRD, content("case.toml", "a = " + "[" * 100_000), C, "expected TOML in UTF-8"),
        ("a large one", NRRD, content("case.toml", "# x\n" * 300_000), C, "at most 1 MiB"),
        ("no side", NRRD, toml('side = "left"\n', ""), C, r"patient\.side: expected a value, found nothing"),
        ("one label for two", NRRD, toml("lesion = 3", "lesion = 1"), L, "expected a label of its own"),
        ("an entry far away", NRRD, toml("[lesion]", "[order]\nentry_mm = [1e9, 0, 0]\n\n[lesion]"), C,
         "three numbers"),
    ],
    "32 descriptions of labels": [
        ("no description", NRRD, changes(content("n.txt", "hello\n"), toml("femur = 1", 'femur = 1\nnames = "n.txt"')),
         L,
         "expected lines IDX R G B A VIS MSH"),
        ("a name twice", NRRD, changes(content("n.txt", ''.join(f'{k} 0 0 0 1 1 1 "a"\n' for k in (1, 2))),
                                       toml("femur = 1", 'femur = 1\nnames = "n.txt"')), L, "expected each name once"),
        ("a name that it has not", NRRD, changes(content("n.txt", '1 0 0 0 1 1 1 "a"\n'), toml(
            "femur = 1", 'femur = "b"\nnames = "n.txt"')), L, r"bone\.femur: expected"),
    ],
    "33 what is no file": [
        ("a pipe", "seg", lambda folder: os.mkfifo(folder / "ct" / "pipe"), C, "ct/pipe.: expected a file"),
        ("a link among slices", "seg", lambda folder: (folder / "ct" / "x.dcm").symlink_to("/dev/zero"), C,
         "found a way out"),
        ("a link out of the folder", NRRD, linked(NRRD, "/etc/hostname"), C, "found a way out of it"),
        ("a link to itself", NRRD, linked(NRRD, NRRD), C, "a path that cannot be followed|found none"),
        ("a folder", NRRD, lambda folder: ((folder / NRRD).unlink(), (folder / NRRD).mkdir()), C, "found a folder"),
    ],
}
# fmt: on


def bad_cases() -> Iterator[Bad]:
    for kind, rows in TABLE.items():
        for name, good, change, error, match, *step in rows:
            yield Bad(kind, name, good, change, error, match, step[0] if step else READ)


BAD = tuple(bad_cases())
