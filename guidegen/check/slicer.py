"""The real slicer, PrusaSlicer, on the print file: what it sees in it, and whether it slices it.

PrusaSlicer is another program under another licence, and stays one: it is run by its command line, in a folder and
with settings of its own, and gets nothing but a print file that holds a model and no more, and a profile that is
shipped. What it finds depends on whether a machine has it; so it is no part of a result's findings.json, and a run
does not ask it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from io import BytesIO
from pathlib import Path

import numpy as np

from guidegen.check.asked import read_plan
from guidegen.check.files import read_json
from guidegen.check.finding import Finding, at_least, at_most
from guidegen.check.print_file import read_print
from guidegen.errors import SlicerError, TemplateError
from guidegen.frames import FloatArray

PROGRAM = "prusa-slicer"
INSTALL = "sudo apt-get install --no-install-recommends prusa-slicer"
# A guide is looked at in 0.3 s and sliced in 4 to 12 s; a program that takes longer than this hangs.
LOOK_SECONDS = 60
SLICE_SECONDS = 600
# All that a 3MF of ours holds. Settings and scripts would be further parts, and slicers act on them (CVE-2023-47268).
PLAIN_PARTS = {"[Content_Types].xml", "_rels/.rels", "3D/3dmodel.model"}
# Without what stands round the guide, what is printed is the guide.
BARE = {"SLA": "supports_enable = 0\npad_enable = 0\n", "FFF": "support_material = 0\nskirts = 0\nbrim_width = 0\n"}
SUFFIX = {"SLA": ".sl1", "FFF": ".gcode"}
EXPORT = {"SLA": "--export-sla", "FFF": "--export-gcode"}
# Both volumes are sums over the same triangles, and over layers of 0.1 mm of them.
VOLUME_PERCENT = 1.0
# Lines of filament overlap, and a stroke is no narrower than its nozzle: solid guides take 2 to 3 % more than they are.
FILAMENT_PERCENT = 5.0
SIZE_MM = 0.01
SAID = r"^(\w+) = +(.+?)\s*$"

WHY_MANIFOLD = "A slicer that has to mend a file prints what it makes of it, not what was checked."
WHY_PARTS = "What the slicer takes for two parts it may place apart."
WHY_VOLUME = "Another volume in the slicer is another body, or the same in another unit."
WHY_SLICED = "A file that cannot be sliced, or loses or gains walls in it, is not the guide that was checked."


def is_installed() -> bool:
    """Whether this machine has PrusaSlicer."""
    return shutil.which(PROGRAM) is not None


def profile_of(folder: Path) -> str | None:
    """The profile that a result's printer is sliced with; None for one whose process PrusaSlicer does not know."""
    return read_plan(read_json(folder / "plan.json")).printing.slicer_profile


def slicer_findings(folder: Path, profile: str | None = None) -> tuple[Finding, ...]:
    """What PrusaSlicer sees in a result's guide.3mf, and, with a profile, what it makes of it; none for a rejected
    guide. SlicerError where the program is not installed.
    """
    printed = read_print(folder)
    if printed is None:
        return ()
    with _room(folder / "guide.3mf") as room:
        looked = _looked_at(room, printed)
        return looked if profile is None else (*looked, _sliced_finding(room, printed, profile))


def slice_print(threemf: Path, profile: str) -> bytes:
    """What PrusaSlicer makes of a print file with a shipped profile, its supports included: the bytes of a .gcode or
    .sl1 file. SlicerError where it does not.
    """
    with _room(threemf) as room:
        return _sliced(room, profile, bare=False)


def _looked_at(room: Path, printed_mm: FloatArray) -> tuple[Finding, ...]:
    seen: Mapping[str, str] = {}
    missing = "the print file holds no body"
    if len(printed_mm):
        try:
            seen = dict(re.findall(SAID, _answer(room, LOOK_SECONDS, "--info", "guide.3mf"), re.MULTILINE))
            missing = "the slicer said something else"
        except SlicerError as error:
            missing = str(error)
    manifold = None if "manifold" not in seen else float(seen["manifold"] == "yes")
    sizes = [_number(seen, f"size_{axis}") for axis in "xyz"]
    whole = [size for size in sizes if size is not None]
    size_off = float(np.abs(whole - np.ptp(printed_mm.reshape(-1, 3), axis=0)).max()) if len(whole) == 3 else None
    volume_off = _percent_off(_number(seen, "volume"), printed_mm)
    parts = _number(seen, "number_of_parts")
    return (
        at_least("slicer: manifold", manifold, 1, "", WHY_MANIFOLD, missing),
        at_most("slicer: parts", parts, 1, "", WHY_PARTS, missing),
        at_most("slicer: volume off ours", volume_off, VOLUME_PERCENT, "%", WHY_VOLUME, missing),
        at_most("slicer: size off ours", size_off, SIZE_MM, "mm", WHY_VOLUME, missing),
    )


def _sliced_finding(room: Path, printed_mm: FloatArray, profile: str) -> Finding:
    """How far the volume of what is printed, without supports, lies from that of the guide."""
    technology = _technology(_profile(profile))
    limit = VOLUME_PERCENT if technology == "SLA" else FILAMENT_PERCENT
    used, missing = None, "the print file holds no body"
    if len(printed_mm):
        try:
            used = _used_mm3(_sliced(room, profile, bare=True), technology)
            missing = "the sliced file does not say how much it prints"
        except SlicerError as error:
            missing = str(error)
    off = _percent_off(used, printed_mm)
    return at_most(f"slicer: sliced by {profile}, volume off ours", off, limit, "%", WHY_SLICED, missing)


@contextmanager
def _room(threemf: Path) -> Iterator[Path]:
    """A folder of the slicer's own with the print file in it, and nothing else."""
    if not is_installed():
        raise SlicerError(f"expected PrusaSlicer ({PROGRAM}) to slice with, found none; to install it: {INSTALL}")
    with tempfile.TemporaryDirectory(prefix="guidegen-slicer-") as name:
        room = Path(name)
        if threemf.exists():
            shutil.copyfile(threemf, room / "guide.3mf")
        yield room


def _require_plain(threemf: Path) -> None:
    try:
        with zipfile.ZipFile(threemf) as archive:
            parts = set(archive.namelist())
    except (OSError, zipfile.BadZipFile) as error:
        raise SlicerError(f"expected a 3MF to slice, found {error}; run the case again") from error
    if parts != PLAIN_PARTS:
        more = ", ".join(sorted(parts - PLAIN_PARTS)) or "less"
        raise SlicerError(
            f"expected a 3MF that holds a model and nothing else, found {more}; such a file is not given to the slicer"
        )


def _answer(room: Path, seconds: int, *arguments: str) -> str:
    """What PrusaSlicer prints to these arguments; SlicerError where it fails or takes too long."""
    _require_plain(room / "guide.3mf")
    command = [PROGRAM, "--loglevel", "1", "--datadir", str(room / "settings"), *arguments]
    path = {"PATH": str(Path(shutil.which(PROGRAM) or PROGRAM).parent), "HOME": str(room), "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            command, cwd=room, env=path, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SlicerError(f"expected an answer of PrusaSlicer, found {error}; try again") from error
    said = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        last = (said + done.stderr.decode(errors="replace")).strip().splitlines()[-1:]
        raise SlicerError(
            f"expected PrusaSlicer to take guide.3mf, found that it ended with {done.returncode}: {''.join(last)}"
        )
    return said


def _sliced(room: Path, profile: str, bare: bool) -> bytes:
    text = _profile(profile)
    technology = _technology(text)
    (room / "profile.ini").write_text(text, encoding="utf-8")
    (room / "bare.ini").write_text(BARE[technology], encoding="utf-8")
    result = f"sliced{SUFFIX[technology]}"
    load = ["--load", "profile.ini", *(["--load", "bare.ini"] if bare else [])]
    _answer(room, SLICE_SECONDS, *load, "--output", result, EXPORT[technology], "guide.3mf")
    if not (room / result).is_file():
        raise SlicerError(f"expected a {SUFFIX[technology]} file of PrusaSlicer, found none; look at {profile}.ini")
    return (room / result).read_bytes()


def _profile(name: str) -> str:
    """The text of a shipped profile; TemplateError where there is none of this name."""
    folder = resources.files("guidegen.templates") / "slicer"
    known = {path.name.removesuffix(".ini"): path for path in folder.iterdir() if path.name.endswith(".ini")}
    if name not in known:
        raise TemplateError(
            f"expected one of the slicer profiles {', '.join(sorted(known))}, found {name!r}; choose one of them"
        )
    return known[name].read_text(encoding="utf-8")


def _technology(profile: str) -> str:
    found = re.search(r"^printer_technology = (SLA|FFF)$", profile, re.MULTILINE)
    if found is None:
        raise TemplateError("expected a slicer profile with printer_technology = SLA or FFF, found none; mend the file")
    return found[1]


def _used_mm3(sliced: bytes, technology: str) -> float | None:
    """The volume that a sliced file says it prints."""
    if technology == "SLA":
        with zipfile.ZipFile(BytesIO(sliced)) as archive:
            said = re.search(r"^usedMaterial = ([0-9.]+)$", archive.read("config.ini").decode(), re.MULTILINE)
    else:
        said = re.search(r"^; filament used \[cm3\] = ([0-9.]+)$", sliced.decode(errors="replace"), re.MULTILINE)
    return None if said is None else 1000.0 * float(said[1])


def _number(seen: Mapping[str, str], name: str) -> float | None:
    try:
        return float(seen[name])
    except (KeyError, ValueError):
        return None


def _percent_off(volume_mm3: float | None, printed_mm: FloatArray) -> float | None:
    """How far a volume lies from that of the closed triangles (M, 3, 3)."""
    if volume_mm3 is None or len(printed_mm) == 0:
        return None
    a, b, c = np.moveaxis(printed_mm - printed_mm[0, 0], 1, 0)
    ours = float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)
    return 100.0 * abs(volume_mm3 / ours - 1.0) if ours > 0.0 else None
