"""What the real slicer makes of the approved print file, and what is said where it makes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import trimesh
from release_cases import approved, changed_plan
from review_cases import World

from guidegen.check import slicer
from guidegen.errors import SlicerError
from guidegen.release.print_job import PrintJob, print_job
from guidegen.release.source import Source
from guidegen.surfaces import Surface
from guidegen.threemf import threemf_bytes

needs_slicer = pytest.mark.skipif(
    not slicer.is_installed(), reason=f"PrusaSlicer is not installed: {slicer.INSTALL}"
)  # fmt: skip
PRINTING = {"printer": "fdm", "process": "FDM", "slicer_profile": "fdm"}


def box() -> bytes:
    """A box of 20 mm on the plate."""
    mesh = trimesh.creation.box((20.0, 20.0, 20.0))
    return threemf_bytes(Surface(np.array(mesh.vertices) + [0.0, 0.0, 10.0], np.array(mesh.faces, dtype=np.int64)), {})


def job_of(
    world: World, print_file: bytes, printing: dict[str, str] = PRINTING, inserts: Mapping[str, bytes] = {}
) -> PrintJob:
    folder = approved(world, plan=changed_plan(printing=printing), files={"guide.3mf": print_file, **inserts})
    return print_job(Source.of(world.reviews.approval_of(folder)))


@needs_slicer
def test_the_approved_file_is_sliced_with_the_printers_profile(world: World) -> None:
    job = job_of(world, box())
    assert job.said == "sliced by PrusaSlicer with the shipped profile fdm"
    (name, content), = job.files.items()  # fmt: skip
    assert name == "guide.gcode"
    used = slicer._used_mm3(content, "FFF")
    assert used == pytest.approx(8000.0, rel=0.2)  # and what stands round it


@needs_slicer
def test_a_print_file_that_the_slicer_sees_otherwise_is_not_sliced(world: World) -> None:
    with pytest.raises(SlicerError, match=r"expected the slicer to see the approved body in guide.3mf, found slicer"):
        job_of(world, b"no 3MF at all")


def test_without_the_slicer_the_release_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slicer, "is_installed", lambda: False)
    job = job_of(world, box())
    assert job.files == {}
    assert job.said == f"not sliced: PrusaSlicer is not installed ({slicer.INSTALL})"


def test_guide_and_inserts_are_sliced_each(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slicer, "is_installed", lambda: True)
    monkeypatch.setattr(slicer, "slicer_findings", lambda _folder: ())
    seen: list[tuple[bytes, str]] = []

    def slice_print(threemf: Path, profile: str) -> bytes:
        seen.append((threemf.read_bytes(), profile))
        return b"PK\x03\x04 layers"

    monkeypatch.setattr(slicer, "slice_print", slice_print)
    inserts = {"inserts/insert-1.3mf": b"first", "inserts/insert-2.3mf": b"second"}
    job = job_of(world, b"approved", {"printer": "sla", "process": "SLA", "slicer_profile": "sla"}, inserts)
    assert list(job.files) == ["guide.sl1", "inserts/insert-1.sl1", "inserts/insert-2.sl1"]
    assert seen == [(b"approved", "sla"), (b"first", "sla"), (b"second", "sla")]
