"""Classes by extent: of the head's volume, of the necrotic angle, of the index, of the depression."""

from __future__ import annotations

from guidegen.lesion.definitions import Definitions
from guidegen.lesion.grade import Grade, Measured, just_above

STEINBERG = "Steinberg / ARCO 1994 size, of the head sphere"
STEINBERG_CUT = "Steinberg / ARCO 1994 size, of the head beyond its junction"
KERBOUL = "modified Kerboul grade"
KERBOUL_RISK = "risk group by modified Kerboul angle"
KOO_KIM = "Koo–Kim extent"
DEPRESSION = "ARCO 2019 depression of the head"


def steinberg(share: Measured, definitions: Definitions, system: str = STEINBERG) -> Grade:
    """A below 15 % of the head, B from 15 to 30 %, C above; ARCO 1994 has the same borders."""
    low, high = definitions.size_borders
    return Grade.of_range(system, share, (low, just_above(high)), ("A", "B", "C"))


def kerboul_grade(angle: Measured, definitions: Definitions) -> Grade:
    """1 below 200°, 2 from 200°, 3 from 250°, 4 from 300° (Ha 2006)."""
    return Grade.of_range(KERBOUL, angle, definitions.kerboul_borders_deg, ("1", "2", "3", "4"))


def kerboul_risk(angle: Measured, definitions: Definitions) -> Grade:
    """The groups in which Ha 2006 counted collapses: up to 190°, between, from 240°."""
    low, high = definitions.kerboul_risk_borders_deg
    return Grade.of_range(KERBOUL_RISK, angle, (just_above(low), high), ("low", "moderate", "high"))


def koo_kim_extent(index: Measured, definitions: Definitions) -> Grade:
    """Low below 30, high above 40."""
    low, high = definitions.koo_kim_borders
    return Grade.of_range(KOO_KIM, index, (low, just_above(high)), ("low", "moderate", "high"))


def depression_class(depression: Measured, definitions: Definitions) -> Grade:
    """The split of ARCO 2019 stage III. The stage itself needs a fracture line, which no label shows."""
    border = just_above(definitions.depression_border_mm)
    return Grade.of_range(DEPRESSION, depression, (border,), ("up to 2 mm (IIIA)", "more than 2 mm (IIIB)"))
