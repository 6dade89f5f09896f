"""What a grade has meant in published series: rates with their numbers and sources, and nothing more.

Every figure stands beside the paper that it is from. A statement says what was seen
in a group of patients; what is done for this one is the surgeon's decision.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from guidegen.lesion.grade import Grade
from guidegen.lesion.location_types import ARCO_2021, CJFH, JIC
from guidegen.lesion.size_class import KERBOUL, KERBOUL_RISK, STEINBERG

SUPPORT = (
    "Decision support: figures of published groups of patients, measured by their authors' own means. They say "
    "nothing certain of one hip and do not advise for or against an operation."
)


@dataclass(frozen=True)
class Statement:
    """What was published on one class of one system. `n` is the number of hips in the series, None where not known."""

    system: str
    grade: str
    text: str
    n: int | None
    source: str


@dataclass(frozen=True)
class Series:
    """A published series: its source, its hips, and what was seen per class."""

    system: str
    n: int | None
    source: str
    seen: dict[str, str]


_HA = "Ha 2006, modified Kerboul method on MR, doi 10.2106/JBJS.F.00535"
_JIC = "pre-collapse hips by JIC type, PMC6825048"
_ARCO = "ARCO 2021 types, doi 10.1186/s12891-023-06587-4"
_CJFH = "CJFH against JIC classification, 153 hips, read as abstract"
_CJFH_GRAFT = "bone grafting by CJFH type, PMC4902236"
_ACD = "advanced core decompression with autograft, doi 10.1186/s12891-017-1811-y"
_BMAC = "core decompression with bone marrow concentrate, doi 10.1302/2633-1462.211.BJO-2021-0132.R1"
_NISHII = "Nishii 2002, volume of the necrosis, PubMed 11853079"

_UP_TO_30 = "9 of 35 hips with a necrosis under 30 % of the head collapsed."
_FROM_30 = "24 of 30 hips with a necrosis of 30 % of the head or more collapsed."
_GOOD_BMAC = "Of grades 1 and 2, 96 % were free of collapse and hip replacement 7 years after decompression."
_POOR_BMAC = "Of grades 3 and 4, 40 % were free of collapse and hip replacement 7 years after decompression."
_L2_L3 = "Of types L2 and L3, 95.3 % collapsed."
_UP_TO_L1 = "Bone grafting failed in 1.7 % of types M, C and L1."

SERIES = (
    Series(
        KERBOUL_RISK,
        37,
        _HA,
        {
            "low": "None of 4 hips with an angle up to 190° collapsed.",
            "moderate": "4 of 8 hips with an angle between 190° and 240° collapsed.",
            "high": "25 of 25 hips with an angle of 240° or more collapsed.",
        },
    ),
    Series(KERBOUL, None, _BMAC, {"1": _GOOD_BMAC, "2": _GOOD_BMAC, "3": _POOR_BMAC, "4": _POOR_BMAC}),
    Series(
        JIC,
        212,
        _JIC,
        {
            "A": "0 % of type A hips had collapsed at 2 years and 0 % at 5 years.",
            "B": "7.9 % of type B hips had collapsed at 2 years and 7.9 % at 5 years.",
            "C1": "23.2 % of type C1 hips had collapsed at 2 years and 36.6 % at 5 years.",
            "C2": "57.8 % of type C2 hips had collapsed at 2 years and 84.8 % at 5 years.",
        },
    ),
    Series(
        ARCO_2021,
        122,
        _ARCO,
        {
            "1": "0 % of type 1 hips failed (44 months).",
            "2": "19 % of type 2 hips failed (44 months).",
            "3": "87 % of type 3 hips failed (44 months).",
        },
    ),
    Series(CJFH, 153, _CJFH, {"L2": _L2_L3, "L3": _L2_L3}),
    Series(
        CJFH,
        None,
        _CJFH_GRAFT,
        {
            "M": _UP_TO_L1,
            "C": _UP_TO_L1,
            "L1": _UP_TO_L1,
            "L2": "Bone grafting failed in 38.9 % of type L2.",
            "L3": "Bone grafting failed in 39 % of type L3.",
        },
    ),
    Series(STEINBERG, 65, _NISHII, {"A": _UP_TO_30, "B": _UP_TO_30, "C": _FROM_30}),
    Series(
        STEINBERG,
        None,
        _ACD,
        {
            "A": "Advanced decompression of Steinberg 2A hips succeeded in 100 % (30 months).",
            "B": "Advanced decompression of Steinberg 2B hips succeeded in 84.6 % (30 months).",
            "C": "Advanced decompression of Steinberg 2C hips succeeded in 61.5 % (30 months).",
        },
    ),
)


def statements(grades: Iterable[Grade]) -> tuple[Statement, ...]:
    """What is published on each grade and on each other class that its doubt allows, the grade itself first."""
    found = []
    for grade in grades:
        classes = sorted(grade.possible, key=lambda each: each != grade.value)
        for series in SERIES:
            if series.system == grade.system:
                found += [
                    Statement(series.system, each, series.seen[each], series.n, series.source)
                    for each in classes
                    if each in series.seen
                ]
    return tuple(found)
