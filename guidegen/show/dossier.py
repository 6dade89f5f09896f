"""The dossier: A4 pages with all a surgeon decides by, and the hashes of the files it speaks of."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.bone.trochanters import ShaftFrame
from guidegen.show.dossier_plan import Rows, numbered, plan_words
from guidegen.show.wording import figure_text, percent_text

DISCLAIMER = "No medical device. Not for use in patients without a surgeon's approval."
STATUS = "Not yet approved"
PLAN_PICTURES = ("cuts.png", "trade_off.png", "strategies.png")  # those that stand beside the plan's figures

# Measured and limit are told apart down to this many decimals.
MOST_DECIMALS = 6


def dossier_bytes(
    plan: Mapping[str, Any],
    findings: Sequence[Mapping[str, Any]],
    pictures: Mapping[str, bytes],
    hashes: Mapping[str, str],
    revision: str,
    template: str,
) -> bytes:
    """The dossier as PDF; the same arguments give the same bytes.

    `plan`, `findings`: as in plan.json, with a chosen plan and a guide, and findings.json; `pictures`: PNG by file
    name, drawn in this order, those of the plan beside its figures; `hashes`: SHA-256 by file name;
    `template`: the source of a Typst document such as templates/dossier/plain.typ. What comes from the case reaches the
    document as data alone, so no name or note can act as markup.
    """
    import typst

    content = json.dumps(_content(plan, findings, list(pictures), hashes, revision))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "dossier.typ").write_text(template, encoding="utf-8")
        for picture, png in pictures.items():
            (folder / picture).write_bytes(png)
        return typst.compile(
            folder / "dossier.typ", root=folder, ignore_system_fonts=True, sys_inputs={"dossier": content}
        )


def _content(
    plan: Mapping[str, Any],
    findings: Sequence[Mapping[str, Any]],
    pictures: list[str],
    hashes: Mapping[str, str],
    revision: str,
) -> dict[str, Any]:
    """All words and numbers of the dossier, as the template names them."""
    words = plan_words(plan)
    return {
        "patient": plan["case_id"],
        "side": plan["side"],
        "version": plan["version"],
        "revision": revision,
        "disclaimer": DISCLAIMER,
        "status": STATUS,
        "lesion": _lesion_rows(plan["lesion"]),
        "guide": _guide_rows(plan["guide"], plan["keep_out"]),
        "tunnels": _tunnel_rows(plan["tunnels"]),
        "entries": _entries(plan),
        "findings": [_finding(finding) for finding in findings],
        "passed": [sum(bool(finding["passed"]) for finding in findings), len(findings)],
        "plan": words,
        "notes": [note for note in plan["notes"] if note not in (words["explanation"], *words["warnings"])],
        "hashes": list(hashes.items()),
        "pictures": [name for name in pictures if name not in PLAN_PICTURES],
        "plan_pictures": [name for name in pictures if name in PLAN_PICTURES],
    }


def _lesion_rows(lesion: Mapping[str, Any]) -> Rows:
    registration = lesion["registration"]
    return [
        ["volume", figure_text(lesion["volume_mm3"], 0, "mm³")],
        ["share of the head", percent_text(lesion["head_fraction"])],
        ["MR on bone, rms", "same frame" if registration is None else figure_text(registration["rms_mm"], 2, "mm")],
    ]


def _guide_rows(guide: Mapping[str, Any], keep_out: Sequence[str]) -> Rows:
    rows = [
        ["thickness", figure_text(guide["thickness_mm"], 1, "mm")],
        ["clearance to the bone", figure_text(guide["clearance_mm"], 2, "mm")],
        ["contact", figure_text(guide["contact_area_mm2"], 0, "mm²")],
    ]
    for sleeve in guide["sleeves"]:
        rows.append(["drill in sleeve", f"{sleeve['drill_diameter_mm']:.1f} in {sleeve['inner_diameter_mm']:.2f} mm"])
        rows.append(["drill guided over", figure_text(sleeve["guided_length_mm"], 1, "mm")])
    for wire, hole in sorted({(pin["wire_diameter_mm"], pin["hole_diameter_mm"]) for pin in guide["pins"]}):
        rows.append(["wire in hole", f"{wire:.1f} in {hole:.2f} mm"])
    if keep_out:
        rows.append(["kept out", ", ".join(keep_out)])
    rows += [["marked", " / ".join(label["lines"])] for label in guide["labels"]]
    return rows


def _tunnel_rows(tunnels: Sequence[Mapping[str, Any]]) -> Rows:
    """One column per tunnel."""
    rows = [
        ["diameter", *(figure_text(tunnel["diameter_mm"], 1, "mm") for tunnel in tunnels)],
        ["length", *(figure_text(tunnel["length_mm"], 1, "mm") for tunnel in tunnels)],
        ["angle to the shaft", *(figure_text(tunnel["shaft_angle_deg"], 0, "°") for tunnel in tunnels)],
        ["least wall of the neck", *(figure_text(tunnel["wall_min_mm"], 1, "mm") for tunnel in tunnels)],
        ["bone left under the joint", *(figure_text(tunnel["subchondral_mm"], 1, "mm") for tunnel in tunnels)],
        ["lesion reached", *(percent_text(tunnel["lesion_reached_fraction"]) for tunnel in tunnels)],
        [
            "misses the lesion's centre by",
            *(figure_text(tunnel["centroid_distance_mm"], 1, "mm") for tunnel in tunnels),
        ],
    ]
    return numbered(rows, len(tunnels))


def _entries(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Where tunnels and wires enter the bone, in words a surgeon can measure by."""
    anatomy = {name: np.asarray(value) for name, value in plan["anatomy"].items() if name.endswith(("_mm", "_axis"))}
    frame = ShaftFrame.of(anatomy["head_center_mm"], anatomy["shaft_point_mm"], anatomy["shaft_axis"])
    posterior = frame.posterior(plan["side"])

    def row(name: str, point_mm: npt.ArrayLike) -> list[str]:
        point = np.asarray(point_mm, dtype=np.float64)
        marks = ("greater_trochanter_mm", "vastus_ridge_mm", "lesser_trochanter_mm")
        heights = [_way(float((point - anatomy[mark]) @ frame.up), "above", "below", "level") for mark in marks]
        return [name, *heights, _way(float((point - frame.origin_mm) @ posterior), "behind", "in front", "in line")]

    tunnels = [row(f"tunnel {number}", tunnel["entry_mm"]) for number, tunnel in enumerate(plan["tunnels"], 1)]
    wires = [row(f"wire {number}", pin["point_mm"]) for number, pin in enumerate(plan["guide"]["pins"], 1)]
    head = ["", "tip of the greater trochanter", "vastus ridge", "lesser trochanter", "shaft axis"]
    return {"head": head, "rows": tunnels + wires}


def _finding(finding: Mapping[str, Any]) -> dict[str, Any]:
    """The finding with its numbers as text."""
    measured, limit = _told_apart(finding["measured"], finding["limit"])
    words = {name: finding[name] for name in ("name", "unit", "why", "passed")}
    return words | {"measured": measured, "limit": limit}


def _told_apart(measured: float | None, limit: float) -> tuple[str, str]:
    """Both numbers with as many decimals as are needed to tell them apart, at least two below 10 and none from 100."""
    decimals = 2 if abs(limit) < 10 else 1 if abs(limit) < 100 else 0
    if measured is None:
        return "none", f"{limit:.{decimals}f}"
    while f"{measured:.{decimals}f}" == f"{limit:.{decimals}f}" and measured != limit and decimals < MOST_DECIMALS:
        decimals += 1
    return f"{measured:.{decimals}f}", f"{limit:.{decimals}f}"


def _way(distance_mm: float, positive: str, negative: str, none: str) -> str:
    """A distance along a direction in words, such as "62 below"; `none` where it rounds to 0."""
    way_mm = round(abs(distance_mm))
    return f"{way_mm} {positive if distance_mm > 0 else negative}" if way_mm else none
