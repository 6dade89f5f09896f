"""The case file: what is accepted, and that every fault is named."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from guidegen.case import LABEL_SUFFIXES, is_file, load_case
from guidegen.errors import CaseFileError

PATIENT = '[patient]\nid = "Z019L"\nside = "left"\n'
BONE = '[bone]\nlabels = "labels.nii.gz"\nfemur = 1\n'
LESION = '[lesion]\nlabels = "labels.nii.gz"\nlesion = 2\n'
ORDER = "[order]\n"
FULL = PATIENT + BONE + LESION


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the files that the cases below name; their content is not looked at."""
    monkeypatch.chdir(tmp_path)
    for name in ("labels.nii.gz", "mr.nii.gz", "femur_left.nii.gz", "femur.stl", "ct.nii.gz"):
        Path(name).write_bytes(b"content")


def write(text: str) -> Path:
    Path("case.toml").write_text(text, encoding="utf-8")
    return Path("case.toml")


def test_everything_that_design_shows() -> None:
    case = load_case(
        write(
            PATIENT
            + BONE
            + 'pelvis = "Left Pelvis"\nimage = "ct.nii.gz"\n'
            + '[lesion]\nlabels = "mr.nii.gz"\nlesion = 2\nfemur = 1\nimage = "mr.nii.gz"\n'
            + '[order]\nsurgeon = "Dr. Ångström"\nkit = "core-8"\nguide = "lateral"\nprinter = "sla"\nsize = "L"\n'
            + 'strategy = "centroid"\nentry_mm = [1, -2.5, 3]\ntarget_mm = [0.0, 0.0, 0.0]\n'
        )
    )
    assert (case.patient.id, case.patient.side) == ("Z019L", "left")
    assert (case.bone.femur, case.bone.pelvis, case.lesion.femur) == (1, "Left Pelvis", 1)
    assert case.order.surgeon == "Dr. Ångström"
    assert case.order.entry_mm == (1.0, -2.5, 3.0)
    assert all(isinstance(value, float) for value in case.order.entry_mm)
    assert case.files == ("labels.nii.gz", "ct.nii.gz", "mr.nii.gz")


def test_what_an_order_is_when_nothing_is_ordered() -> None:
    order = load_case(write(FULL)).order
    assert order.kit is None  # the strategy's own
    assert (order.guide, order.printer, order.policy, order.size, order.strategy) == (
        "lateral",
        "sla",
        "default",
        "M",
        "centroid",
    )


def test_a_fit_and_a_sterilisation_may_be_ordered() -> None:
    order = load_case(write(FULL)).order
    assert (order.sterilisation, order.clearance_mm, order.periosteum_mm) == (None, None, None)
    lines = 'sterilisation = "steam-121-15"\nclearance_mm = 0.25\nperiosteum_mm = 0\n'
    order = load_case(write(FULL + ORDER + lines)).order
    assert (order.sterilisation, order.clearance_mm, order.periosteum_mm) == ("steam-121-15", 0.25, 0.0)


def test_waivers_are_read_one_by_one() -> None:
    text = '[[waivers]]\nrule = "{}"\nauthor = "Dr. A"\nreason = "No other way in."\n'
    waivers = load_case(write(FULL + text.format("wall_min_mm") + text.format("obliquity_max_deg"))).waivers
    assert [waiver.rule for waiver in waivers] == ["wall_min_mm", "obliquity_max_deg"]
    assert (waivers[0].author, waivers[0].reason) == ("Dr. A", "No other way in.")
    assert load_case(write(FULL)).waivers == ()


def test_an_order_without_entry_or_target_has_none() -> None:
    order = load_case(write(FULL)).order
    assert order.surgeon is order.entry_mm is order.target_mm is None


def test_a_file_per_structure_needs_no_labels() -> None:
    case = load_case(write(PATIENT + '[bone]\nfemur = "femur_left.nii.gz"\n[lesion]\nlesion = "./mr.nii.gz"\n'))
    assert case.files == ("femur_left.nii.gz", "./mr.nii.gz")
    assert case.resolve("./mr.nii.gz") == Path("mr.nii.gz").resolve()


def test_a_file_per_structure_beside_labels() -> None:
    case = load_case(
        write(PATIENT + '[bone]\nlabels = "labels.nii.gz"\nfemur = "femur_left.nii.gz"\npelvis = 2\n' + LESION)
    )
    assert case.files == ("labels.nii.gz", "femur_left.nii.gz")


def test_surface_with_unit_and_space() -> None:
    case = load_case(write(PATIENT + '[bone]\nsurface = "femur.stl"\nunit = "cm"\nspace = "RAS"\n' + LESION))
    assert (case.bone.surface, case.bone.unit, case.bone.space) == ("femur.stl", "cm", "RAS")


def test_labels_written_with_a_label_ending_are_files() -> None:
    assert all(is_file(f"x{ending}") and is_file(f"x{ending.upper()}") for ending in LABEL_SUFFIXES)
    assert not is_file("femur left")
    assert not is_file(3)
    assert not is_file(None)


def test_windows_line_ends_and_byte_order_mark() -> None:
    Path("case.toml").write_bytes(b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode())
    assert load_case("case.toml").patient.id == "Z019L"


def test_a_case_cannot_be_changed() -> None:
    case = load_case(write(FULL))
    with pytest.raises(ValueError, match="frozen"):
        case.patient.side = "right"


@pytest.mark.parametrize("patient_id", ["Z019L", "0", "a.b_c-d", "x" * 64])
def test_ids_that_may_name_a_folder(patient_id: str) -> None:
    assert load_case(write(FULL.replace("Z019L", patient_id))).patient.id == patient_id


@pytest.mark.parametrize("patient_id", ["", ".x", "-x", "_x", "a b", "a/b", "é", "x" * 65, "a\\n", "..", "a\\u0000"])
def test_ids_that_may_not(patient_id: str) -> None:
    with pytest.raises(CaseFileError, match=r"patient\.id: expected letters, digits, \. _ -, first a letter or digit"):
        load_case(write(FULL.replace("Z019L", patient_id)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FULL.replace('"left"', '"Left"'), r"patient\.side: expected 'left' or 'right', found 'Left'"),
        (FULL.replace('side = "left"\n', ""), r"patient\.side: expected a value, found nothing"),
        (FULL + ORDER + "surgeon = 5\n", r"order\.surgeon: expected a valid string, found 5"),
        (BONE + LESION, r"patient: expected a section, found nothing"),
        ("patient = 3\n" + BONE + LESION, r"patient: expected a section \[patient\], found 3"),
        (FULL.replace("femur = 1", "femur = 0"), r"bone\.femur: expected a label number of 1 or more, .* found 0"),
        (FULL.replace("femur = 1", "femur = true"), r"bone\.femur: expected a label number .* found True"),
        (FULL.replace("femur = 1", "femur = 1.0"), r"bone\.femur: expected a label number .* found 1\.0"),
        (FULL.replace("femur = 1", 'femur = "a\\nb"'), r"bone\.femur: expected one line of 1 to 200 printable"),
        (FULL.replace("femur = 1", 'femur = " "'), r"bone\.femur: expected one line"),
        (FULL.replace("femur = 1\n", ""), r"bone\.femur: expected a label number, name or file \(or \"surface\""),
        (FULL.replace("lesion = 2\n", ""), r"lesion\.lesion: expected a label number, name or file"),
        (PATIENT + "[bone]\nfemur = 1\npelvis = 2\n" + LESION, r"bone\.labels: .* has the label of femur and pelvis"),
        (FULL.replace("femur = 1", "femr = 1"), r"bone\.femr: expected no such key; did you mean 'femur'\?"),
        (FULL + "[zzz]\n", r"zzz: expected no such key; known are patient, bone, lesion, order"),
        (PATIENT + BONE + 'unit = "mm"\n' + LESION, r"bone\.unit: expected nothing without \"surface\", found 'mm'"),
        (
            PATIENT + '[bone]\nsurface = "femur.stl"\nspace = "LPS"\n' + LESION,
            r"bone\.unit: expected \"mm\", .* nothing",
        ),
        (
            PATIENT + '[bone]\nsurface = "femur.stl"\nunit = "mm"\n' + LESION,
            r"bone\.space: expected \"LPS\" or \"RAS\"",
        ),
        (
            PATIENT + '[bone]\nsurface = "femur.stl"\nunit = "um"\nspace = "LPS"\n' + LESION,
            r"bone\.unit: expected 'mm', 'cm', 'm' or 'inch', found 'um'",
        ),
        (
            PATIENT + BONE + 'surface = "femur.stl"\nunit = "mm"\nspace = "LPS"\n' + LESION,
            r"bone\.labels: expected nothing beside \"surface\", found 'labels\.nii\.gz'; keep one",
        ),
        (
            FULL + ORDER + 'strategy = "best"\n',
            r"order\.strategy: expected 'centroid', 'coverage' or 'multiple', found 'best'",
        ),
        (
            FULL + '[[waivers]]\nrule = "subchondral_rim_mm"\nauthor = "A"\nreason = "B"\n',
            r"waivers\.0\.rule: expected one of wall_min_mm, .* 'subchondral_rim_mm', a rule that nobody may waive",
        ),
        (
            FULL + '[[waivers]]\nrule = "wall"\nauthor = "A"\nreason = "B"\n',
            r"waivers\.0\.rule: expected one of wall_min_mm, .* found 'wall', no rule of the plan",
        ),
        (FULL + '[[waivers]]\nrule = "wall_min_mm"\nauthor = "A"\n', r"waivers\.0\.reason: expected a value"),
        (FULL + ORDER + 'size = "XL"\n', r"order\.size: expected 'S', 'M' or 'L', found 'XL'"),
        (FULL + ORDER + 'kit = "../kit"\n', r"order\.kit: expected the name of a template"),
        (FULL + ORDER + 'sterilisation = "Steam 121"\n', r"order\.sterilisation: expected the name of a sterilisation"),
        (FULL + ORDER + "sterilisation = 121\n", r"order\.sterilisation: expected a valid string, found 121"),
        (FULL + ORDER + "clearance_mm = -0.1\n", r"order\.clearance_mm: expected a number from 0 to 10, found -0\.1"),
        (FULL + ORDER + 'clearance_mm = "0.3"\n', r"order\.clearance_mm: expected a number from 0 to 10, found '0\.3'"),
        (FULL + ORDER + "clearance_mm = nan\n", r"order\.clearance_mm: expected a number from 0 to 10, found nan"),
        (FULL + ORDER + "periosteum_mm = 11\n", r"order\.periosteum_mm: expected a number from 0 to 10, found 11"),
        (FULL + ORDER + "periosteum_mm = true\n", r"order\.periosteum_mm: expected a number from 0 to 10, found True"),
        (FULL + ORDER + "entry_mm = [1, 2]\n", r"order\.entry_mm: expected three numbers .* found \[1, 2\]"),
        (FULL + ORDER + "entry_mm = [1, 2, nan]\n", r"order\.entry_mm: expected three numbers .* nan"),
        (FULL + ORDER + "entry_mm = [1, 2, inf]\n", r"order\.entry_mm: expected three numbers .* inf"),
        (FULL + ORDER + "target_mm = [1, 2, true]\n", r"order\.target_mm: expected three numbers .* True"),
        (FULL + ORDER + f"target_mm = [1, 2, 1{'0' * 400}]\n", r"order\.target_mm: expected three numbers"),
        (FULL + ORDER + 'surgeon = "\\u202e"\n', r"order\.surgeon: expected one line"),
        ("[patient\n", r"case\.toml: expected TOML in UTF-8, found something else: .*line 1"),
        ("x = " + "[" * 5000, r"expected TOML in UTF-8"),
        ("x = " + "1" * 5000, r"expected TOML in UTF-8"),
        ("#" * (1 << 20) + "\n", r"expected a case file of at most 1 MiB"),
    ],
)
def test_every_fault_is_named(text: str, message: str) -> None:
    with pytest.raises(CaseFileError, match=message):
        load_case(write(text))


def test_all_faults_at_once_one_a_line() -> None:
    text = FULL.replace('"left"', "1").replace("femur = 1", "femur = -1").replace("lesion = 2", "leson = 2")
    with pytest.raises(CaseFileError) as caught:
        load_case(write(text))
    first, *lines = str(caught.value).splitlines()
    assert first == "case.toml: 3 problems in the case file"
    assert [line.split(":")[0] for line in lines] == ["patient.side", "bone.femur", "lesion.leson"]


def test_text_that_is_not_utf8() -> None:
    Path("case.toml").write_bytes(FULL.replace("Z019L", "Zé").encode("latin-1"))
    with pytest.raises(CaseFileError, match="expected TOML in UTF-8"):
        load_case("case.toml")


def test_no_case_file() -> None:
    with pytest.raises(CaseFileError, match=r"none\.toml: expected a case file, found none that can be read"):
        load_case("none.toml")
    with pytest.raises(CaseFileError, match="expected a case file, found a folder"):
        load_case(Path.cwd())


def test_missing_files_are_named_as_written() -> None:
    with pytest.raises(CaseFileError) as caught:
        load_case(write(FULL.replace('"labels.nii.gz"', '"./scan/l.nii.gz"') + ORDER))
    assert "1 problem with the files it names\n'./scan/l.nii.gz': expected a file" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/etc/hostname", "found an absolute one"),
        ("//host/share/l.nii.gz", "found an absolute one"),
        ("C:\\\\scan\\\\l.nii.gz", "found an absolute one"),
        ("\\\\\\\\host\\\\share\\\\l.nii.gz", "found an absolute one"),
        ("../l.nii.gz", "found a way out of it"),
        ("a/../../l.nii.gz", "found a way out of it"),
        ("a\\\\..\\\\..\\\\l.nii.gz", "found a way out of it"),
        ("a/../labels.nii.gz", "found a way out of it"),
        (".", "found a folder"),
        ("inside", "found a folder"),
        ("link.nii.gz", "found a way out of it"),
        ("linked/secret.nii.gz", "found a way out of it"),
        ("loop.nii.gz", "a path that cannot be followed|found none"),
        (f"{'x' * 190}/{'y' * 9}", "found none"),
    ],
)
def test_paths_stay_in_the_folder(name: str, message: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.nii.gz"
    outside.write_bytes(b"secret")
    Path("inside").mkdir()
    Path("link.nii.gz").symlink_to(outside)
    Path("linked").symlink_to(outside.parent)
    Path("loop.nii.gz").symlink_to("loop.nii.gz")
    with pytest.raises(CaseFileError, match=message):
        load_case(write(PATIENT + BONE + f'image = "{name}"\n' + LESION))


def test_a_link_inside_the_folder_is_a_file_like_any_other() -> None:
    Path("same.nii.gz").symlink_to("labels.nii.gz")
    case = load_case(write(FULL.replace("labels.nii.gz", "same.nii.gz")))
    assert case.resolve("same.nii.gz") == Path("labels.nii.gz").resolve()


def test_paths_start_at_the_case_file_not_at_the_working_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    case, here = load_case(write(FULL)), Path.cwd()
    monkeypatch.chdir("/")
    assert case.resolve("labels.nii.gz") == here / "labels.nii.gz"


def test_the_coordinate_limit_is_a_number() -> None:
    edge = load_case(write(FULL + ORDER + "entry_mm = [10000, -10000, 0]\n")).order.entry_mm
    assert edge is not None
    assert math.isclose(edge[0], 10_000)
    with pytest.raises(CaseFileError, match="within ±10000 mm"):
        load_case(write(FULL + ORDER + "entry_mm = [10000.1, 0, 0]\n"))
