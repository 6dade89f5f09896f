"""What is shown at the terminal before an approval is asked for: the operation first, then what is to be looked at."""

from __future__ import annotations

from review_cases import START, WARNING, World, plan

from guidegen.check.finding import at_least, at_most
from guidegen.review.answers import Told, told_of

TODAY = START.date()
FINDINGS = (
    at_least("wall", 3.1, 3.0, "mm", "A wall must hold."),
    at_least("starts that end as intended", 0.72, 0.3, "", "It must seat."),
    at_most("bend", 0.077, 0.2, "mm", "It must not bend."),
    at_most("guide bodies", 2.0, 1.0, "", "A second piece is lost."),
    at_most("open edges", 0.0, 0.0, "", "It must be closed."),
)


def told(world: World) -> Told:
    content = plan(warnings=[WARNING], entry_mm=(1.04, -175.640667, 0.05))
    content["tunnels"][0] |= {"depth_reading_mm": 128.25, "length_mm": 88.25, "wall_min_mm": 3.1}
    content["guide"]["pins"] = [{"wire_diameter_mm": 2.0, "depth_mm": 25.0}]
    return told_of(world.reviews.read(world.revision(content=content, findings=FINDINGS)), TODAY)


def test_the_figures_of_the_theatre_come_first(world: World) -> None:
    assert [table.title for table in told(world).tables] == ["Prescription", "Tunnel", "Wires"]
    said = told(world).strings
    assert said["Tunnel: read on the drill"] == "128.3 mm"
    assert said["Tunnel: diameter of the drill"] == "8.0 mm"
    assert said["Tunnel: length"] == "88.3 mm"
    assert said["Wires: depth in bone"] == "25 mm"


def test_what_failed_or_passed_by_little_is_told_and_the_rest_counted(world: World) -> None:
    said = told(world)
    assert [finding.name for finding in said.findings] == ["wall", "guide bodies"]
    assert said.strings["check: wall"] == "3.10 mm, limit ≥ 3.00 mm: pass"
    assert said.strings["check: guide bodies"] == "2, limit ≤ 1: FAIL"
    assert said.strings["other checks"] == "3 passed"
    assert said.strings["warning 1"] == WARNING


def test_points_are_read_to_a_tenth_and_signed_as_recorded(world: World) -> None:
    assert told(world).strings["Prescription: tunnel 1, entry, LPS mm"] == "1.0, -175.6, 0.1"
    prescription = world.reviews.read(world.made["r001"]).prescription
    assert prescription is not None
    assert prescription.tunnels[0].entry_mm == (1.04, -175.640667, 0.05)
