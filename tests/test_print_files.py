"""The files of guide and inserts: under which names, bound to which STL, and what is left of them after a failure."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import manifold3d as m3
import numpy as np
import pytest

from guidegen.check.files import read_inserts
from guidegen.frames import LPS, RigidTransform
from guidegen.guide.solids import to_surface
from guidegen.print_files import insert_files, print_files, reject
from guidegen.stl import stl_bytes
from guidegen.threemf import PRINTER

CONTENT: dict[str, Any] = {
    "case_id": "T001L", "side": "left", "version": "0.1.0", "guide": {"revision": "r001", "inserts": [{}, {}]},
}  # fmt: skip


def box(size_mm: float) -> Any:
    return to_surface(m3.Manifold.cube((size_mm, 20.0, 10.0)))


@pytest.fixture
def guide() -> Any:
    """A guide with two inserts of other sizes."""
    pose = RigidTransform(np.eye(3), np.zeros(3), LPS, PRINTER)
    inserts = tuple(SimpleNamespace(surface=box(size), print_pose=pose) for size in (5.0, 6.0))
    return SimpleNamespace(surface=box(40.0), print_down=np.array([0.0, 0.0, -1.0]), inserts=inserts)


@pytest.fixture
def written(guide: Any, tmp_path: Path) -> Path:
    """Its result folder."""
    (tmp_path / "plan.json").write_text("{}", encoding="utf-8")
    (tmp_path / "guide.stl").write_bytes(stl_bytes(guide.surface))
    (tmp_path / "inserts").mkdir()
    for make in (insert_files, lambda guide: print_files(CONTENT, guide, tmp_path)):
        for name, content in make(guide).items():
            (tmp_path / name).write_bytes(content)
    return tmp_path


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_each_insert_has_the_number_of_its_tunnel(written: Path) -> None:
    inserts = {f"inserts/insert-{number}.{ending}" for number in (1, 2) for ending in ("stl", "3mf")}
    assert names(written) == {"plan.json", "guide.stl", "guide.3mf"} | inserts
    sizes = [np.ptp(insert.bounds_mm, axis=0)[0] for insert in read_inserts(written, CONTENT)]
    assert sizes == [5.0, 6.0]


def test_each_print_file_names_the_stl_that_was_measured(written: Path) -> None:
    for stem in ("guide", "inserts/insert-1", "inserts/insert-2"):
        digest = hashlib.sha256((written / f"{stem}.stl").read_bytes()).hexdigest()
        with zipfile.ZipFile(io.BytesIO((written / f"{stem}.3mf").read_bytes())) as archive:
            model = next(archive.read(name) for name in archive.namelist() if name.endswith(".model"))
        assert digest in model.decode()


def test_what_travels_along_says_whose_it_is(written: Path) -> None:
    with zipfile.ZipFile(written / "inserts" / "insert-2.3mf") as archive:
        model = archive.read("3D/3dmodel.model").decode()
    for said in ("T001L LEFT insert 2", "r001", hashlib.sha256(b"{}").hexdigest()):
        assert f">{said}</metadata>" in model


def test_nothing_that_failed_can_be_printed_by_mistake(written: Path) -> None:
    reject(written)
    rejected = {f"inserts/rejected-{number}.stl" for number in (1, 2)}
    assert names(written) == {"plan.json", "rejected.stl"} | rejected
    assert len(read_inserts(written, CONTENT)) == 2  # what is rejected can still be measured again
