"""What a run records in English, told in Turkish: no sentence of a usual run may fall back, or come out half of each.

recorded.txt holds what the dossiers of four runs quote (one tunnel twice, a fan, a guide wire), one of each kind; what
the code can say beyond that is asked of the code, or collected from it: a new check without a Turkish reason fails.
"""

from __future__ import annotations

import re
import string
import tomllib
from datetime import date
from itertools import product
from pathlib import Path

import pytest
from said_in_code import missing, notes, reasons, refusals

from guidegen.check.finding import at_most
from guidegen.check.loads import MODULI_MPA
from guidegen.intake.agreement import age_warnings
from guidegen.lesion.meaning import SERIES
from guidegen.plan.explain import WORDS
from guidegen.plan.instruments import Fittings, instrument_sequence
from guidegen.plan.rules import TABLE
from guidegen.plan.templates import Kit, Printer, load_template
from guidegen.seat.seat import motion_in_words
from guidegen.show.dossier.words import load_words

RECORDED = (Path(__file__).parent / "recorded.txt").read_text(encoding="utf-8").splitlines()
KITS = ["core-8", "core-9", "core-10", "curette-10", "multiple-3.2", "cannulated-9", "expandable-8"]
PRINTERS = ["sla", "sls-pa12", "mjf", "fdm", "ti"]
# Words that stand in English sentences, and in no Turkish one.
ENGLISH = re.compile(
    r"\b(the|of|names|and|with|off|from|than|were|was|is|are|no|not|to|its|bore|insert|sleeve|tunnel|wire|guide|bone|print|"
    r"steam|through|reaches|hips?|angle|failed|collapsed|open|faces|least|most|gap|play|way|room|edges?|label|turns|"
    r"slides|trephine|reamer|curette|flange|a|it|that|which|for|by|be|or|this|one|another|expected|found|choose|where|may|"
    r"must|lesion|file|drill|rests)\b(?!\.\w)"  # but for the names of files
)


TEMPLATES = Path(__file__).parents[3] / "templates" / "dossier"


def left_english(text: str) -> list[str]:
    """The English words that are left of a text told in Turkish."""
    return ENGLISH.findall(load_words("tr").told(text))


def test_what_is_left_in_english_is_found() -> None:
    assert left_english("A new sentence of the plan.") == ["of", "the"]
    assert left_english("insert 1 bore off the roof")  # half known


@pytest.mark.parametrize("text", RECORDED, ids=range(len(RECORDED)))
def test_nothing_that_a_usual_run_records_falls_back_to_english(text: str) -> None:
    assert left_english(text) == []


@pytest.mark.parametrize("name", KITS)
def test_every_step_of_every_kit_is_told(name: str) -> None:
    kit = load_template(Kit, name)[0]
    leads = ("printed", "metal") if kit.guide_wire else ("printed", "metal", "insert")  # an insert holds no reducer
    for lead, built in product(leads, (True, False)):
        wires = (25.0, 25.0), (34.0, 35.5)
        for step in instrument_sequence(kit, 83.4, 128.4, Fittings(lead, 2.0, *(wires if built else ()))):
            for text in (step.tool, step.through, step.stopped_by, step.guide):
                assert left_english(text) == [], text


def test_every_published_figure_and_its_source_is_told() -> None:
    for series in SERIES:
        for text in (series.system, series.source, *series.seen.values()):
            assert left_english(text) == [], text


@pytest.mark.parametrize("strategy", WORDS)
def test_every_strategy_is_explained(strategy: str) -> None:
    (sentence,) = [each for each in RECORDED if each.startswith("The tunnel through the lesion's centroid is")][:1]
    if strategy != "multiple":  # whose first tunnel is told in words of its own
        assert left_english(sentence.replace(WORDS["centroid"], WORDS[strategy])) == []


def test_every_motion_is_told() -> None:
    for turned, slid in product(product((0.0, 0.4), repeat=3), product((0.0, 1.2), repeat=3)):
        text = motion_in_words([*slid, *turned])
        assert left_english(text) == [], text


@pytest.mark.parametrize("name", PRINTERS)
def test_every_cycle_and_material_is_told(name: str) -> None:
    printer = load_template(Printer, name)[0]
    for cycle in printer.sterilisation:
        assert left_english(cycle.text) == [], cycle.text


@pytest.mark.parametrize("why", reasons())
def test_every_reason_of_a_check_is_told(why: str) -> None:
    assert load_words("tr").told(why) != why
    assert left_english(why) == []


@pytest.mark.parametrize("reason", missing())
def test_why_something_was_not_measured_is_told_with_what_it_guards_against(reason: str) -> None:
    finding = at_most("open edges", None, 0, "", "A small seat fits in more than one place.", reason)
    told = load_words("tr").told(finding.why)
    assert told.startswith("Ölçülmedi: ")
    assert told.endswith(". Küçük oturuş birden çok yere uyar.")
    assert left_english(finding.why) == []


@pytest.mark.parametrize("refusal", refusals())
def test_every_refusal_is_told(refusal: str) -> None:
    assert load_words("tr").told(refusal) != refusal
    assert left_english(f"There is no guide: {refusal}") == []


@pytest.mark.parametrize("note", notes())
def test_every_note_and_warning_is_told(note: str) -> None:
    assert load_words("tr").told(note) != note
    assert left_english(note) == []


def test_what_is_collected_from_the_code_is_all_of_it() -> None:
    assert [len(found()) for found in (reasons, missing, refusals, notes)] > [100, 25, 25, 50]
    assert "A guide that bends under the drill, in the autoclave or in the hand no longer aims." in reasons()
    assert "Only on the stated side does the lesser trochanter stand behind the plane of shaft and neck." in reasons()
    assert "there is no trial_bone.stl beside the guide" in missing()
    assert "The vastus ridge lies too far from the rim for a notch." in notes()


def test_an_old_image_is_told() -> None:
    (warning,) = age_warnings([{"file": "ct/1.dcm", "acquisition_date": "2025-01-20"}], date(2025, 12, 1))
    assert left_english(warning) == []


def test_what_an_expert_overruled_is_told() -> None:
    changed = "head_center_mm by 3.1 mm, neck_axis by 2.0 °, the registration, avoid need not be kept away from"
    assert load_words("tr").told(f"Overruled by Ann Kaya: {changed}. The reason given: Eski kırık.") == (
        "Ann Kaya şunları değiştirdi: başın merkezi 3,1 mm, boyun ekseni 2,0°, çakıştırma, kaçınılacak bölge: uzak "
        "durulması gerekmez. Verilen gerekçe: Eski kırık."
    )


def test_words_of_a_kit_that_nobody_has_translated_are_not_told_by_half() -> None:
    for text in ("chuck key", "stop ring of brass", "wire cutter", "sleeve of another maker", "drill bit"):
        assert load_words("tr").told(text) == text


def test_a_rule_is_told_by_its_words_wherever_it_is_named() -> None:
    say = load_words("tr")
    for rule in TABLE:
        text = f"{rule.name} is 4.25 {rule.unit}, limit 5, short by 0.75"
        unit = "yarı genişlik" if rule.unit == "half widths" else rule.unit
        told = f"{say.rule(rule.name)}: 4,25 {unit}, sınır 5, fark 0,75"
        assert say.told(f"{text}; {text}; {text}") == f"{told}; {told}; {told}"


def test_a_material_without_a_modulus_is_told() -> None:
    assert all(source for _, _, source in MODULI_MPA)  # these stand in no dossier
    assert left_english("no modulus is known for PEEK (FDM)") == []


def test_every_turkish_sentence_takes_what_stands_in_the_english_one() -> None:
    file = tomllib.loads((TEMPLATES / "tr.toml").read_text(encoding="utf-8"))
    for english, turkish in [*file["recorded"].items(), *file["lettering"].items()]:
        holes = english.count("{}") + english.count("{#}")
        taken = [name for _, name, _, _ in string.Formatter().parse(turkish) if name is not None]
        assert len(taken) == holes, english
        assert sorted(taken) in ([""] * holes, sorted(map(str, range(holes)))), english
