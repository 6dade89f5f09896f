"""What is shipped: every package, every template, and the versions that were tested."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_package_is_named() -> None:
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "guidegen").rglob("*.py")}
    found = {".".join(folder.parts) for folder in folders}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == found | {"guidegen.templates"}


def test_every_template_is_shipped() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["guidegen.templates"]
    shipped = {path for pattern in patterns for path in (ROOT / "templates").glob(pattern)}
    here = {path for path in (ROOT / "templates").rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert shipped
    assert here == shipped


def test_everything_on_the_review_page_is_shipped() -> None:
    folder = ROOT / "guidegen" / "review" / "web"
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["guidegen.review.web"]
    shipped = {path for pattern in patterns for path in folder.glob(pattern)}
    assert {path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")} == shipped


def test_the_installed_package_finds_its_templates() -> None:
    found = files("guidegen.templates")
    for path in (ROOT / "templates").rglob("*.toml"):
        assert found.joinpath(*path.relative_to(ROOT / "templates").parts).read_bytes() == path.read_bytes()


def test_every_dependency_is_pinned() -> None:
    pinned = {
        _name(line) for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if "==" in line
    }
    project = PROJECT["project"]
    needed = {_name(line) for line in project["dependencies"] + project["optional-dependencies"]["dev"]}
    assert needed <= pinned


def test_every_import_is_a_dependency() -> None:
    declared = {_name(line) for line in PROJECT["project"]["dependencies"]}
    distributions = packages_distributions()
    for path in (ROOT / "guidegen").rglob("*.py"):
        for module in _imports(path) - sys.stdlib_module_names - {"guidegen"}:
            # a library of one compiled file (manifold3d) is listed nowhere, and bears its own name
            assert declared & {_name(found) for found in distributions.get(module, [module])}, (
                f"{path} imports {module}"
            )


def _imports(path: Path) -> set[str]:
    """The outermost packages that a file imports, inside its functions too."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    whole = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    parts = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in whole | parts}


def _name(requirement: str) -> str:
    """The name in a requirement, as package indexes compare it."""
    found = re.match(r"[\w.-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()
