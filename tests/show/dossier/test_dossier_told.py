"""What a run records in English, told in Turkish: no sentence of a usual run may fall back, or come out half of each.

recorded.txt holds what the dossiers of four runs quote (one tunnel twice, a fan, a guide wire), one of each kind; what
the code can say beyond that is asked of the code.
"""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from guidegen.lesion.meaning import SERIES
from guidegen.plan.explain import WORDS
from guidegen.plan.instruments import Fittings, instrument_sequence
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
    r"slides|trephine|reamer|curette|flange)\b"
)


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
