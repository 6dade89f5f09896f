"""Instructions, inspection sheet, labels and signature page: every word and number on them is the plan's."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pypdf
import pytest
from release_cases import INSERT, PLAN, PLAN_HASH, Done, changed_plan, released
from review_cases import WARNING, World

from guidegen.errors import TemplateError
from guidegen.guide.gauges import gauges_of
from guidegen.plan.templates import Printer, load_template
from guidegen.release import words
from guidegen.release.instructions import page_content
from guidegen.release.source import Source
from guidegen.release.words import LANGUAGES, load_words
from guidegen.review.lots import LABELS, labelled_lots

PRINTER = load_template(Printer, "sls-pa12")[0]


def text_of(path: Path) -> str:
    """The text of a PDF, with single spaces."""
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pypdf.PdfReader(path).pages))


def test_patient_and_side_stand_on_every_page(done: Done) -> None:
    for path in done.folder.glob("*.pdf"):
        if path.name == "dossier.pdf":
            continue
        sides = ("SOL",) if ".tr." in path.name else ("LEFT",)
        for page in pypdf.PdfReader(path).pages:
            text = page.extract_text()
            assert "Z019L" in text
            assert "r001" in text
            assert any(side in text for side in sides), path.name
            assert not any(other in text for other in ("RIGHT", "SAĞ")), path.name


def test_the_inspection_asks_for_every_hole_with_its_two_gauges() -> None:
    faces, sleeve, pin = gauges_of(PLAN["guide"], PRINTER)
    assert (faces.name, faces.nominal_mm, faces.tolerance_mm) == ("calliper faces", 20.0, 2 * PRINTER.rms_error_mm)
    assert (sleeve.nominal_mm, sleeve.tolerance_mm) == (10.2, PRINTER.bores.insert_tolerance_mm)
    assert (sleeve.go_mm, sleeve.no_go_mm) == (10.1, 10.3)
    assert (pin.nominal_mm, pin.go_mm, pin.no_go_mm) == (2.2, 2.05, 2.35)


def test_a_printed_bore_has_the_drills_tolerance() -> None:
    sleeve = {**PLAN["guide"]["sleeves"][0], "kind": "printed"}
    plan = changed_plan(guide={"sleeves": [sleeve], "calliper": None})
    assert [each.tolerance_mm for each in gauges_of(plan["guide"], PRINTER)] == [
        PRINTER.bores.drill_tolerance_mm, PRINTER.bores.pin_tolerance_mm,
    ]  # fmt: skip


def test_the_inspection_sheet_says_what_the_form_says(done: Done) -> None:
    form, text = done.read("inspection.json"), text_of(done.folder / "inspection.pdf")
    assert (form["case_id"], form["side"], form["revision"], form["plan_hash"]) == ("Z019L", "left", "r001", PLAN_HASH)
    assert form["lot"] is None
    places = [text.find(line["name"]) for line in form["lines"]]
    assert places == sorted(places)
    assert min(places) > 0
    asked = {line["name"]: line for line in form["lines"]}
    assert asked["calliper faces"] == {
        "name": "calliper faces", "nominal_mm": 20.0, "under_mm": 0.22, "over_mm": 0.22, "measured_mm": None,
    }  # fmt: skip
    assert "calliper faces 20.00 mm ± 0.22" in text
    assert asked["sleeve 1 hole"] == {
        "name": "sleeve 1 hole", "go_mm": 10.1, "no_go_mm": 10.3, "go_goes_in": None, "no_go_stays_out": None,
    }  # fmt: skip
    assert "sleeve 1 hole 10.10 10.30 0.001" in text
    grams = 23.331145 * PRINTER.build.density_g_cm3
    (weight,) = (line for line in form["lines"] if "measured_g" in line)
    assert (weight["nominal_g"], weight["tolerance_g"]) == (round(grams, 1), round(0.05 * grams, 1))
    assert f"23.33 cm³ at {PRINTER.build.density_g_cm3:g} g/cm³ {grams:.1f} g ± {0.05 * grams:.1f}" in text
    assert [line["name"] for line in form["lines"] if "seen" in line][:2] == [
        f"reads: Z019L / LEFT / {PLAN_HASH}", "open: every window (1), every probe hole (1), every bore",
    ]  # fmt: skip
    assert asked["sleeve-1 bore"] == {
        "name": "sleeve-1 bore", "nominal_mm": 8.1, "under_mm": 0.0, "over_mm": 0.022, "measured_mm": None,
    }  # fmt: skip
    assert "sleeve-1 bore 8.10 mm 0 +0.022" in text


def test_each_label_says_all_that_it_must(done: Done) -> None:
    text = text_of(done.folder / "labels.pdf")
    lots = labelled_lots(done.world.reviews.approval_of(done.result))
    assert all(text.count(lot) == 1 for lot in lots)
    for word in (
        "Sterilise only by", "Yalnız şununla sterilize edin", "SINGLE USE", "TEK KULLANIMLIK", "NON-STERILE",
        "STERİL DEĞİLDİR", "steam, 134 °C, 4 min", "PA12",
        "2026-01-30 09:01 UTC", "r001",
    ):  # fmt: skip
        assert text.count(word) >= LABELS, word
    assert "alidated" not in text
    assert len(set(lots)) == LABELS


def test_the_signature_page_quotes_dossier_chain_and_signature(done: Done) -> None:
    approval = done.world.reviews.approval_of(done.result)
    text = text_of(done.folder / "signature.pdf").replace(" ", "")
    for said in (
        approval.files["dossier.pdf"], approval.entry.prev_hash, approval.entry.hash, approval.signature,
        approval.record.signer.fingerprint, "BoraDemir", "surgeon", "2026-01-3009:01UTC", approval.record.time_utc,
        approval.record.meaning.replace(" ", ""), WARNING.replace(" ", ""), "AnnKaya", *approval.files.values(),
    ):  # fmt: skip
        assert said in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_instructions_name_the_plans_figures(done: Done, language: str) -> None:
    text = text_of(done.folder / f"instructions.{language}.pdf")
    for said in (
        f"Z019L / LEFT / {PLAN_HASH}", "134 °C, 4", "PA12", "68 mm", "0.30 mm", "20.8 mm", "3.3 mm", "132°",
        "2.0 mm", "25 mm", "8.0 mm", "40 mm", "trephine", "stop at 140.0 mm", WARNING,
    ):  # fmt: skip
        in_turkish = re.sub(r"(?<=\d)\.(?=\d+ mm)", ",", said)  # but for a sentence that nobody has translated
        assert said in text or (language == "tr" and in_turkish in text), said


def every_number(sentences: list[str]) -> set[str]:
    return {each.replace(",", ".") for each in re.findall(r"\d+(?:[.,]\d+)?", " ".join(sentences))}


def test_both_languages_say_the_same_numbers(done: Done) -> None:
    source = Source.of(done.world.reviews.approval_of(done.result))
    english, turkish = (page_content(source, language) for language in LANGUAGES)
    for (_, ours), (_, theirs) in zip(english["sections"], turkish["sections"], strict=True):
        assert [every_number([each]) for each in ours] == [every_number([each]) for each in theirs]
    assert (english["side_word"], turkish["side_word"]) == ("LEFT hip", "SOL kalça")


def test_what_a_run_records_is_told_in_turkish(done: Done) -> None:
    source = Source.of(done.world.reviews.approval_of(done.result))
    stop = "its stop, set at 128.3 mm (8.3 mm past the mark 120), on the metal sleeve's flange"
    step = {"number": 1, "tool": "trephine of 8 mm", "through": "the metal sleeve", "stopped_by": stop, "guide": "on"}
    changed = changed_plan(
        tunnels=[{**PLAN["tunnels"][0], "depth_reading_mm": 128.25, "instruments": [step]}],
        printing={"material": "polyamide 12", "sterilisation": {"text": "steam, 134 °C, 3.5 min"}},
    )
    warned = (
        SimpleNamespace(text="The vastus ridge lies too far from the rim for a notch."),
        SimpleNamespace(
            text="The tunnel reaches the lesion with a probability of 94.96%, less than the 95% asked for."
        ),
    )
    waived = SimpleNamespace(rule="wall_min_mm", reason="The neck is thin.", surgeon_reason="I have seen it.")
    record = SimpleNamespace(warnings=warned, waivers=(waived,))
    record.signer = source.approval.record.signer
    signed = {name: getattr(source.approval, name) for name in ("place", "expires", "entry")}
    approval = SimpleNamespace(record=record, **signed)
    content = page_content(Source(approval, changed, source.findings, source.printer), "tr")
    assert "yalnız şununla sterilize edin: buhar, 134 °C, 3,5 dk. Bu programda poliamid 12" in str(content["sections"])
    assert content["tunnels"][0]["steps"] == [[
        "1", "8 mm trepan", "metal kovan",
        "128,3 mm'ye ayarlı durdurucusu (120 işaretini 8,3 mm geçince), metal kovanın flanşında", "takılı",
    ]]  # fmt: skip
    assert content["warnings"] == [
        "Vastus sırtı, çentik için kenardan çok uzakta.",
        "Tünel lezyona %94,96 olasılıkla ulaşır; istenen en az %95.",
        "dış kortekse duvar: The neck is thin. / I have seen it.",
    ]


def test_halves_go_up_in_the_instructions_as_they_do_on_the_guide(done: Done) -> None:
    pin = {**PLAN["guide"]["pins"][0], "depth_mm": 28.25, "wire_diameter_mm": 2.25}
    tunnel = {**PLAN["tunnels"][0], "diameter_mm": 8.25, "entry_above_lesser_trochanter_mm": 3.25}
    said = content_of(done, guide={"pins": [pin]}, tunnels=[tunnel])
    assert "2.3 mm, 28.3 mm deep" in said
    assert "3.3 mm above the lesser trochanter" in said


def content_of(done: Done, **parts: Any) -> str:
    source = Source.of(done.world.reviews.approval_of(done.result))
    changed = Source(source.approval, changed_plan(**parts), source.findings, source.printer)
    return str(page_content(changed, "en")["sections"])


def test_sentences_that_do_not_apply_are_not_said(done: Done) -> None:
    as_it_is = content_of(done)
    assert "put in the metal sleeve" in as_it_is
    assert "Take all soft tissue and periosteum off" in as_it_is
    sleeve = {**PLAN["guide"]["sleeves"][0], "kind": "printed"}
    other = content_of(
        done,
        guide={
            "sleeves": [sleeve],
            "periosteum_mm": 0.25,
            "pointer": None,
            "windows": [],
            "seat": {"incision_mm": None},
        },
    )
    assert "rests on the printed top" in other
    assert "The periosteum may stay: of the gap of 0.30 mm, 0.25 mm are for it" in other
    for said in ("metal sleeve", "notch", "every window", "every probe hole", "incision"):
        assert said in as_it_is
        assert said not in other


def count_of(done: Done, language: str, **guide: Any) -> str:
    source = Source.of(done.world.reviews.approval_of(done.result))
    changed = Source(source.approval, changed_plan(guide=guide), source.findings, source.printer)
    return str(page_content(changed, language)["after"][1][1])


def test_the_pieces_are_counted_and_none_is_left_out(done: Done) -> None:
    (sleeve,), (pin,) = PLAN["guide"]["sleeves"], PLAN["guide"]["pins"]
    assert count_of(done, "en") == "Count the pieces: 1 guide, 1 metal sleeve, 1 stop collar, 1 wire."
    assert count_of(done, "tr") == "Parçaları sayın: 1 kılavuz, 1 metal kovan, 1 durdurucu bilezik, 1 tel."
    several = {"sleeves": 2 * [sleeve], "pins": 3 * [pin]}
    assert count_of(done, "en", **several) == "Count the pieces: 1 guide, 2 metal sleeves, 1 stop collar, 3 wires."
    fan = {"sleeves": [{**sleeve, "kind": "printed"}], "inserts": 2 * [INSERT], "pins": []}
    assert count_of(done, "en", **fan) == "Count the pieces: 1 guide, 2 inserts, 1 stop collar."
    assert count_of(done, "tr", **fan) == "Parçaları sayın: 1 kılavuz, 2 takma parça, 1 durdurucu bilezik."


def test_an_insert_is_asked_for_where_there_is_no_sleeve(done: Done) -> None:
    guide = {"sleeves": [], "inserts": [INSERT, {**INSERT, "tunnel": 1}], "calliper": None, "pins": []}
    measures = gauges_of(changed_plan(guide=guide)["guide"], PRINTER)
    assert [each.name for each in measures] == ["insert 1 bore", "insert 2 bore"]
    assert {(each.nominal_mm, each.tolerance_mm) for each in measures} == {(3.4, PRINTER.bores.drill_tolerance_mm)}
    said = content_of(done, guide=guide)
    assert "Insert 2, on which stands 1 Ø3.2 / 140.0: put it into the socket until its flange rests on the rim" in said
    assert "for tunnel 2 alone" in said
    assert "The stop of the 3.2 mm drill, set at 140.0 mm, rests on its top" in said
    assert "Sleeve" not in said


def test_a_guide_wire_is_read_at_its_reducer_and_all_its_pieces_are_counted(done: Done) -> None:
    reducer = {"drill_diameter_mm": 3.2, "flange_height_mm": 2.0}
    sleeve = {**PLAN["guide"]["sleeves"][0], "reducer": reducer, "wire_reading_mm": 142.0}
    source = Source.of(done.world.reviews.approval_of(done.result))
    changed = Source(source.approval, changed_plan(guide={"sleeves": [sleeve]}), source.findings, source.printer)
    content = page_content(changed, "en")
    assert "The 3.2 mm guide wire has a stop of its own, set at 142.0 mm from its tip" in str(content["sections"])
    assert "flange stands 2.0 mm higher than the drill's stop will" in str(content["sections"])
    counted = "1 guide, 1 metal sleeve, 1 reducer, 2 stop collars, 2 wires"
    assert counted in str(content["after"])
    assert "1 guide, 1 metal sleeve, 1 stop collar, 1 wire" in str(page_content(source, "en")["after"])


def test_a_wire_s_depth_is_told_by_what_stands_out_of_its_boss(done: Done) -> None:
    said = content_of(done)
    assert "33.7 mm from the wire's tip to the top of its boss, so that 36.3 of its 70 mm stand out of it" in said


def test_a_warning_that_looks_like_markup_stays_text(world: World, tmp_path: Path) -> None:
    warning = '#panic("no") *bold* $x$ \\ [link] "quoted"'
    plan = changed_plan(plan={"chosen": {"kit": "core-8", "warnings": [warning]}})
    done = released(world, tmp_path / "out", plan=plan)
    for name in ("signature.pdf", "instructions.en.pdf"):
        assert '#panic("no") *bold* $x$ \\ [link]' in text_of(done.folder / name)


def test_waivers_stand_with_both_reasons(world: World, tmp_path: Path) -> None:
    waiver = {"rule": "wall_min_mm", "author": "Ann Kaya", "reason": "The neck is thin everywhere."}
    plan = changed_plan(plan={"chosen": PLAN["plan"]["chosen"], "waivers_proposed": [waiver]})
    done = released(world, tmp_path / "out", plan=plan)
    for name in ("signature.pdf", "instructions.en.pdf"):
        text = text_of(done.folder / name)
        assert "wall to the outer cortex" in text
        assert "wall_min_mm" not in text
        assert "The neck is thin everywhere." in text
        assert "I have seen it on the CT." in text


def test_a_language_that_lacks_a_sentence_or_a_figure_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    real = words._read

    def read(language: str) -> dict[str, str]:
        found = copy.deepcopy(real(language))
        if language == "tr":
            found["incision"] = "Kesi."
            del found["hold"]
        return found

    monkeypatch.setattr(words, "_read", read)
    with pytest.raises(TemplateError, match=r"expected instructions.tr.toml .* found others: hold, incision; mend"):
        load_words("tr")
    with pytest.raises(TemplateError, match=r"expected a usable instructions.xx.toml"):
        real("xx")


def test_a_right_hip_is_called_so_in_turkish(done: Done) -> None:
    source = Source.of(done.world.reviews.approval_of(done.result))
    right = Source(source.approval, changed_plan(side="right"), source.findings, source.printer)
    assert page_content(right, "tr")["side_word"] == "SAĞ kalça"
