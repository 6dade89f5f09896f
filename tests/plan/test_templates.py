"""Every shipped template is usable; what is missing or impossible is refused by name."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path

import pytest
from pydantic import ValidationError

from guidegen.errors import TemplateError
from guidegen.plan.templates import FOLDERS, GuideTemplate, Kit, PinShape, Policy, Printer, load_template

SHIPPED = [
    (kind, path.name.removesuffix(".toml"))
    for kind, folder in FOLDERS.items()
    for path in sorted((resources.files("guidegen.templates") / folder).iterdir(), key=lambda path: path.name)
    if path.name.endswith(".toml")
]

KIT = """\
name = "A kit"
sleeve_offsets_mm = [40.0]
[drill]
diameter_mm = 8.0
end = "flat"
length_mm = 200.0
mark_step_mm = 5.0
rotating = true
chuck_diameter_mm = 30.0
chuck_length_mm = 60.0
[pin]
diameter_mm = 2.0
depth_mm = 25.0
length_mm = 150.0
[[steps]]
tool = "drill"
through = "the sleeve"
stopped_by = "its stop at {reading_mm} mm"
guide = "on"
"""

POLICY = """\
name = "A policy"
reaches_lesion_min = 0.9
joint_within_3_mm_max = 0.02
tip_p95_max_mm = 3.5
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The templates of a hospital: one kit and one policy, in a folder of their own."""
    for name in FOLDERS.values():
        (tmp_path / name).mkdir()
    (tmp_path / "kits" / "ours.toml").write_text(KIT, encoding="utf-8")
    (tmp_path / "policies" / "ours.toml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "kits" / "notes.txt").write_text("no template", encoding="utf-8")
    monkeypatch.setattr("guidegen.plan.templates.resources.files", lambda _package: tmp_path)
    return tmp_path


@pytest.mark.parametrize(("kind", "name"), SHIPPED)
def test_every_shipped_template_loads(kind, name) -> None:
    template, digest = load_template(kind, name)
    file = resources.files("guidegen.templates") / FOLDERS[kind] / f"{name}.toml"
    assert isinstance(template, kind)
    assert template.name
    assert digest == hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_names_of_the_contract_are_shipped() -> None:
    assert {(Kit, "core-8"), (GuideTemplate, "lateral"), (Printer, "sla"), (Policy, "default")} <= set(SHIPPED)


def test_a_kit_is_what_its_name_says() -> None:
    for name, diameter_mm in (("core-8", 8.0), ("core-10", 10.0)):
        kit, _ = load_template(Kit, name)
        assert kit.drill.diameter_mm == diameter_mm
        assert kit.pin.diameter_mm < kit.drill.diameter_mm


def test_the_default_policy_is_the_one_that_is_documented() -> None:
    policy, _ = load_template(Policy, "default")
    assert (policy.reaches_lesion_min, policy.joint_within_3_mm_max, policy.tip_p95_max_mm) == (0.95, 0.01, 4.0)


def test_a_template_does_not_change() -> None:
    kit, _ = load_template(Kit, "core-8")
    with pytest.raises(ValidationError, match="frozen"):
        kit.drill.diameter_mm = 12.0


@pytest.mark.parametrize("name", ["core-7", "Core-8", "core-8.toml", "", "../kits/core-8", "sla"])
def test_an_unknown_name_is_refused_with_those_that_are_known(name) -> None:
    with pytest.raises(
        TemplateError, match=r"expected one of the kits .*core-10, core-8, core-9, .*, found '.*'; choose one of them"
    ):
        load_template(Kit, name)


@pytest.mark.usefixtures("folder")
def test_a_hospital_s_own_template_is_read() -> None:
    kit, digest = load_template(Kit, "ours")
    assert (kit.drill.diameter_mm, kit.pin.diameter_mm, kit.pin.depth_mm) == (8.0, 2.0, 25.0)
    assert digest == hashlib.sha256(KIT.encode()).hexdigest()
    with pytest.raises(TemplateError, match="expected one of the kits ours, found 'notes'"):
        load_template(Kit, "notes")


@pytest.mark.usefixtures("folder")
def test_a_hospital_s_own_policy_is_read() -> None:
    policy, digest = load_template(Policy, "ours")
    assert (policy.name, policy.reaches_lesion_min, policy.tip_p95_max_mm) == ("A policy", 0.9, 3.5)
    assert digest == hashlib.sha256(POLICY.encode()).hexdigest()


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("0.9", "90.0", r"reaches_lesion_min: expected less than or equal to 1, found 90"),  # per cent is no share
        ("0.02", "-0.02", r"joint_within_3_mm_max: expected greater than or equal to 0"),
        ("3.5", "0.0", r"tip_p95_max_mm: expected greater than 0, found 0"),
        ("tip_p95_max_mm = 3.5\n", "", r"tip_p95_max_mm: expected a value, found nothing"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(folder, old, new, place) -> None:
    (folder / "policies" / "ours.toml").write_text(POLICY.replace(old, new, 1), encoding="utf-8")
    match = rf"(?s)expected a usable template policies/ours\.toml, found: .*{place}.*; mend the file"
    with pytest.raises(TemplateError, match=match):
        load_template(Policy, "ours")


def test_any_edit_changes_the_hash(folder) -> None:
    (folder / "kits" / "ours.toml").write_text(KIT + "# a comment\n", encoding="utf-8")
    assert load_template(Kit, "ours")[1] != hashlib.sha256(KIT.encode()).hexdigest()


BROKEN = {
    "no length": (("8.0", "0.0"), r"drill\.diameter_mm: expected a number from 1\.5 to 16, found 0"),
    "negative": (("25.0", "-25.0"), r"pin\.depth_mm: expected a number from 5 to 100, found -25"),
    "not a number": (("8.0", "nan"), r"drill\.diameter_mm: expected a number from 1\.5 to 16, found nan"),
    "endless": (("8.0", "inf"), r"drill\.diameter_mm: expected a number from 1\.5 to 16, found inf"),
    "a number as text": (("8.0", '"8.0"'), r"drill\.diameter_mm: expected a number from 1\.5 to 16, found '8\.0'"),
    "text": (("8.0", '"eight"'), r"drill\.diameter_mm: expected a number from 1\.5 to 16, found 'eight'"),
    "a missing line": (("depth_mm = 25.0\n", ""), r"pin\.depth_mm: expected a value, found nothing"),
    "a line too many": (("25.0", "25.0\ncolour = 'red'"), r"pin\.colour: expected no such line, found 'red'"),
    "a misspelt section": (("[drill]", "[dril]"), r"drill: expected a value, found nothing"),
    "no TOML": (('"A kit"', "A kit"), "Invalid value"),
    "a line twice": (("8.0", "8.0\ndiameter_mm = 9.0"), "Cannot overwrite a value"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_template_is_refused_with_the_place(folder, name) -> None:
    (old, new), place = BROKEN[name]
    assert old in KIT
    (folder / "kits" / "ours.toml").write_text(KIT.replace(old, new, 1), encoding="utf-8")
    match = rf"(?s)expected a usable template kits/ours\.toml, found: .*{place}.*; mend the file"
    with pytest.raises(TemplateError, match=match):
        load_template(Kit, "ours")


def test_a_template_that_is_no_text_is_refused(folder) -> None:
    (folder / "kits" / "ours.toml").write_bytes(b"\xff\xfe" + KIT.encode("utf-16-le"))
    with pytest.raises(TemplateError, match=r"expected a usable template kits/ours\.toml, .* mend the file"):
        load_template(Kit, "ours")


def test_all_faults_are_named_one_a_line(folder) -> None:
    text = KIT.replace("8.0", "-8.0", 1).replace("depth_mm = 25.0\n", "", 1).replace('"flat"', '"round"', 1)
    (folder / "kits" / "ours.toml").write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError, match="expected a usable template") as refusal:
        load_template(Kit, "ours")
    first, *others = refusal.value.message.splitlines()
    assert first.startswith("expected a usable template kits/ours.toml, found: drill.diameter_mm: expected a number")
    assert [line.split(":")[0] for line in others] == ["drill.end", "pin.depth_mm"]
    assert "pydantic" not in refusal.value.message


@pytest.mark.parametrize(
    "text",
    [
        KIT.replace("[drill]", f"deep = {5000 * '['}{5000 * ']'}\n[drill]"),
        KIT.replace("diameter_mm = 8.0", f"diameter_mm = 1{5000 * '0'}"),
        KIT.replace("A kit", "A\\nkit"),
        KIT.replace("A kit", "A \\u202ekit"),
        KIT.replace("A kit", 65 * "x"),
        KIT.replace('"drill"', '"dr\\u0007ill"'),
    ],
    ids=["nested", "a number without end", "two lines", "turned", "too long", "a bell"],
)
def test_what_is_nested_endless_or_not_what_it_looks_like_is_refused(folder, text) -> None:
    (folder / "kits" / "ours.toml").write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError, match=r"expected a usable template kits/ours\.toml"):
        load_template(Kit, "ours")


def test_a_switch_is_no_number_of_cortices() -> None:
    whole = load_template(GuideTemplate, "lateral")[0].pins.model_dump()
    with pytest.raises(ValidationError, match="expected 1 or 2, found True"):
        PinShape.model_validate(whole | {"cortices": True})
