"""The dossier on the hip: the images it was read from, how the MR lies on the bone, anatomy, and the lesion."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from guidegen.intake.agreement import DERIVED, OLD_DAYS
from guidegen.show.dossier.reader import (
    PLAN,
    Block,
    Cell,
    Reader,
    Row,
    beside,
    pictures,
    pointer,
    section,
    table,
    text,
)
from guidegen.show.dossier.tunnels import point

LANDMARKS = (
    "head_center_mm",
    "neck_isthmus_center_mm",
    "greater_trochanter_mm",
    "lesser_trochanter_mm",
    "vastus_ridge_mm",
)


def images_section(read: Reader, drawn: frozenset[str]) -> dict[str, Any]:
    """Which files were used, how old they are, what says the side, and how the MR was laid on the bone."""
    return section(
        "images",
        read.say("images"),
        [
            table(
                _image_rows(read),
                None,
                [read.say(k) for k in ("file", "kind", "taken", "study", "old_on")],
                align="lllll",
            )
            if read.at("inputs/identities")
            else None,
            text(
                [read.say("age_at_signature", days=OLD_DAYS) if read.at("inputs/identities") else read.say("no_dates")]
            ),
            beside(
                [table(_side_rows(read), read.say("what_says_side"), [read.say("source"), read.say("says")])],
                [table(_bone_rows(read), read.say("bone_surface")), *_on_image(read)],
                share=0.58,
            ),
            table(_registration_rows(read), read.say("registration"), widths=[2, 3])
            if read.has("lesion/registration")
            else text([read.say("same_frame")], read.say("registration")),
            pictures(read, ("contours.png", "checkerboard.png"), drawn, width=0.7),
        ],
    )


def _image_rows(read: Reader) -> list[Row]:
    """One row for each file that says whom it shows; the day on which it is as old as an image may be."""
    rows = []
    for number in read.count("inputs/identities"):
        place = f"inputs/identities/{number}"
        taken = "acquisition_date" if read.has(f"{place}/acquisition_date") else "study_date"
        old: Cell = "–"
        if read.has(f"{place}/{taken}") and read.at(f"{place}/modality") not in DERIVED:
            day = date.fromisoformat(read.at(f"{place}/{taken}")) + timedelta(days=OLD_DAYS)
            old = read.worked(day.isoformat(), "day the image is old", f"{place}/{taken}")
        rows.append(
            [*(read.quote(f"{place}/{name}") for name in ("file", "modality", "acquisition_date", "study_date")), old]
        )
    return rows


def _side_rows(read: Reader) -> list[Row]:
    place = "inputs/side_sources"
    return [
        [
            read.quote(f"{place}/{n}/source"),
            {"text": read.say(read.at(f"{place}/{n}/says")), "from": pointer(PLAN, f"{place}/{n}/says")},
        ]
        for n in read.count(place)
    ]


def _bone_rows(read: Reader) -> list[Row]:
    rows: list[Row] = [[read.say("bone_volume"), read.figure("bone/volume_mm3", 0, "mm³")]]
    if not read.has("bone/label_fit"):
        return [*rows, [read.say("label_fit"), read.say("surface_given")]]
    return [
        *rows,
        [read.say("label_fit_rms"), read.figure("bone/label_fit/rms_mm", 2)],
        [read.say("label_fit_p99"), read.figure("bone/label_fit/p99_mm", 2)],
    ]


def _on_image(read: Reader) -> list[Block]:
    place = "inputs/on_image"
    rows: list[Row] = [
        [
            read.quote(f"{place}/{n}/kind"),
            read.figure(f"{place}/{n}/explained", 2, ""),
            read.figure(f"{place}/{n}/least", 2, ""),
        ]
        for n in read.count(place)
    ]
    return (
        [table(rows, read.say("on_image"), ["", read.say("explained"), read.say("at_least")], align="lrr")]
        if rows
        else []
    )


def _registration_rows(read: Reader) -> list[Row]:
    place = "lesion/registration"
    rows: list[Row] = [
        [read.say("reg_rms"), read.figure(f"{place}/rms_mm", 2)],
        [read.say("reg_p95"), read.figure(f"{place}/p95_mm", 2)],
        [read.say("reg_overlap"), read.share(f"{place}/overlap_fraction")],
        [read.say("reg_starts"), read.figure(f"{place}/starts_agree_mm", 2)],
        [read.say("reg_doubt"), read.figure(f"{place}/lesion_doubt_95_mm", 2)],
        [read.say("reg_how"), read.say("reg_on_images" if read.at(f"{place}/on_images") else "reg_by_surfaces")],
    ]
    return rows + ([[read.say("note"), read.quote(f"{place}/note")]] if read.has(f"{place}/note") else [])


def anatomy_section(read: Reader, drawn: frozenset[str]) -> dict[str, Any]:
    """Landmarks and axes, each with its doubt, and what an expert overruled."""
    head = [read.say(key) for key in ("landmark", "place_lps", "doubt_95")]
    return section(
        "anatomy",
        read.say("anatomy"),
        [
            pictures(read, ("axes.png",), drawn, width=0.7),
            beside(
                [table([_landmark(read, name) for name in LANDMARKS], read.say("landmarks"), head, align="lrr")],
                [table(_angle_rows(read), read.say("sizes_and_angles"), ["", "", read.say("doubt_95")], align="lrr")],
                share=0.58,
            ),
            _overrides(read),
        ],
        fresh=False,
    )


def _doubt(read: Reader, name: str, unit: str) -> Cell:
    place = f"anatomy/uncertainty_95/{name}"
    return {"parts": ["±", read.figure(place, 1, unit)], "join": " "} if read.has(place) else read.say("not_stated")


def _landmark(read: Reader, name: str) -> Row:
    return [read.say(name.removesuffix("_mm")), point(read, f"anatomy/{name}"), _doubt(read, name, "mm")]


def _angle_rows(read: Reader) -> list[Row]:
    return [
        [read.say("head_radius"), read.figure("anatomy/head_radius_mm"), _doubt(read, "head_radius_mm", "mm")],
        [read.say("head_fit"), read.figure("anatomy/head_rms_mm", 2), ""],
        [
            read.say("neck_shaft_angle"),
            read.figure("anatomy/neck_shaft_angle_deg", 0, "°"),
            _doubt(read, "neck_shaft_angle_deg", "°"),
        ],
        [
            read.say("neck_version"),
            read.figure("anatomy/neck_version_deg", 0, "°"),
            _doubt(read, "neck_version_deg", "°"),
        ],
        [read.say("neck_axis"), "", _doubt(read, "neck_axis_deg", "°")],
        [read.say("shaft_axis"), "", _doubt(read, "shaft_axis_deg", "°")],
    ]


def _overrides(read: Reader) -> Block | None:
    """What an expert gave in place of what was computed."""
    if not read.has("overrides"):
        return None
    place = "overrides/values"
    rows: list[Row] = [
        [read.quote(f"{place}/{n}/name"), read.figure(f"{place}/{n}/apart", 1, read.at(f"{place}/{n}/unit"))]
        for n in read.count(place)
    ]
    rows += [[read.say("author"), read.quote("overrides/author")], [read.say("reason"), read.quote("overrides/reason")]]
    return table(rows, read.say("overruled"))


def lesion_section(read: Reader, drawn: frozenset[str]) -> dict[str, Any]:
    """Size, place and grades of the lesion, each with its doubt, and what such lesions have meant."""
    grades = [read.say(key) for key in ("system", "grade", "possible")]
    return section(
        "lesion",
        read.say("lesion"),
        [
            pictures(
                read, ("coronal.png", "sagittal.png", "acetabular.png", "polar.png"), drawn, columns=2, width=0.66
            ),
            beside(
                [
                    table(
                        _measure_rows(read),
                        read.say("measures"),
                        ["", "", read.say("range")],
                        align="lrr",
                        widths=[5, 2.6, 4.2],
                    )
                ],
                [table(_grade_rows(read), read.say("grades"), grades, align="lll", widths=[5.6, 3.5, 3.5])],
                share=0.5,
            ),
            _statements(read),
            text([read.quote("lesion/grades/support")]),
        ],
    )


def _measure_rows(read: Reader) -> list[Row]:
    place = "lesion/grades"

    def row(word: str, name: str, decimals: int, unit: str = "", share: bool = False) -> Row:
        return [read.say(word), *read.measured(f"{place}/{name}", decimals, unit, share)]

    return [
        [read.say("volume"), read.figure("lesion/volume_mm3", 0, "mm³"), ""],
        row("sphere_share", "sphere_share_fraction", 0, share=True),
        row("cut_share", "cut_share_fraction", 0, share=True),
        row("weight_share", "weight_bearing_share_fraction", 0, share=True),
        row("arc_coronal", "arcs/coronal_deg", 0, "°"),
        row("arc_sagittal", "arcs/sagittal_deg", 0, "°"),
        row("kerboul", "arcs/kerboul_deg", 0, "°"),
        row("koo_kim", "arcs/koo_kim_index", 0),
        row("depression", "depression_mm", 1, "mm"),
        [read.say("least_depth"), read.figure(f"{place}/least_depth_mm"), ""],
        [read.say("centroid_depth"), read.figure(f"{place}/centroid_depth_mm"), ""],
        [read.say("pieces"), read.figure("lesion/pieces", 0, ""), ""],
    ]


def _grade_rows(read: Reader) -> list[Row]:
    rows: list[Row] = [[read.say("octant"), read.quote("lesion/grades/place/octant"), ""]]
    for name in read.at("lesion/grades/classes"):
        place = f"lesion/grades/classes/{name}"
        if read.has(f"{place}/value"):
            possible: Cell = {
                "parts": [read.quote(f"{place}/possible/{n}") for n in read.count(f"{place}/possible")],
                "join": ", ",
            }
            rows.append([read.quote(f"{place}/system"), read.quote(f"{place}/value"), possible])
        else:
            rows.append([read.quote(f"{place}/system"), "–", read.quote(f"{place}/reason")])
    return rows


def _statements(read: Reader) -> Block | None:
    """What was published on each class, and what such figures are worth."""
    place = "lesion/grades/statements"
    if not read.at(place):
        return None
    alike: dict[tuple[str, str], list[int]] = {}  # one sentence may tell of several classes
    for n in read.count(place):
        alike.setdefault((read.at(f"{place}/{n}/system"), read.at(f"{place}/{n}/text")), []).append(n)
    rows: list[Row] = []
    for numbers in alike.values():
        first = f"{place}/{numbers[0]}"
        classes: Cell = {"parts": [read.quote(f"{place}/{n}/grade") for n in numbers], "join": ", "}
        system: Cell = {"parts": [read.quote(f"{first}/system"), classes], "join": ": "}
        rows.append([system, read.quote(f"{first}/text"), read.quote(f"{first}/source")])
    head = [read.say(key) for key in ("seen_of", "was_seen", "source")]
    return table(rows, read.say("what_it_means"), head, align="lll", widths=[3, 4.2, 3.8], small=True)
