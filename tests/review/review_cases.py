"""A folder of results as a run leaves it, without geometry, and the people who review it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from guidegen import results
from guidegen.check.finding import Finding, at_least
from guidegen.results import hashes
from guidegen.review import database, passwords
from guidegen.review.approval import Approval
from guidegen.review.confirmation import Confirmation
from guidegen.review.passwords import Cost
from guidegen.review.people import Credentials
from guidegen.review.persons import Role
from guidegen.review.policy import LoadedPolicy, load_policy
from guidegen.review.records import Shown, WaiverDecision
from guidegen.review.reviews import Reviews

SHIPPED, SHIPPED_PRAGMAS = passwords.COST, database.PRAGMAS  # before the tests make them cheap
START = datetime(2025, 12, 1, 9, 0, tzinfo=UTC)
IMAGED = date(2025, 11, 20)
CASE = "Z019L-left"
PLAN_HASH = "1a2b3c4d"
LOT, OTHER_LOT = (f"{PLAN_HASH}-r001-{number:02d}" for number in (1, 2))


# user id: printed name and roles. Gül has both; Ann's other account is one person with two keys.
PEOPLE: Mapping[str, tuple[str, tuple[Role, ...]]] = {
    "ann": ("Ann Kaya", (Role.ENGINEER,)),
    "emre": ("Emre Ak", (Role.ENGINEER,)),
    "bora": ("Bora Demir", (Role.SURGEON,)),
    "dila": ("Dila Er", (Role.SURGEON,)),
    "cem": ("Cem Usta", (Role.ADMIN,)),
    "gul": ("Gül Tan", (Role.ENGINEER, Role.SURGEON)),
}

WARNING = "The tool comes within 3 mm of the joint in 2 % of operations; the policy allows 1 %."
WAIVER = {"rule": "wall_min_mm", "author": "Ann Kaya", "reason": "The neck is thin everywhere."}


@contextmanager
def quick() -> Iterator[None]:
    """Passwords cost nothing inside, and nobody waits for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "COST", Cost(passes=1, memory_kib=8, lanes=1))
        patch.setattr(database, "PRAGMAS", tuple(each.replace("=FULL", "=OFF") for each in SHIPPED_PRAGMAS))
        patch.setattr(results, "_sync", lambda _path: None)
        yield


def password_of(user: str) -> str:
    """A password that is not the name."""
    return f"correct horse battery {user[::-1]}"


@dataclass
class FakeClock:
    """A clock that moves only when it is told to, and a microsecond each time it is read."""

    now: datetime = START

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def forward(self, **duration: float) -> None:
        """Let time pass."""
        self.now += timedelta(**duration)


def finding(name: str = "tunnel 1 wall to the cortex", measured: float = 4.6) -> Finding:
    """A check of at least 3 mm."""
    return at_least(name, measured, 3.0, "mm", "A thin wall breaks.")


def plan(
    warnings: Sequence[str] = (),
    waivers: Sequence[Mapping[str, str]] = (),
    imaged: date | None = IMAGED,
    side: str = "left",
    entry_mm: Sequence[float] = (1.0, 2.5, -3.0),
    guide_warnings: Sequence[str] = (),
) -> dict[str, Any]:
    """As much of plan.json as the review reads."""
    identity = {"file": "ct/1.dcm", "modality": "CT", "acquisition_date": imaged.isoformat() if imaged else None}
    return {
        "schema": "guidegen.plan/1",
        "case_id": "Z019L",
        "side": side,
        "inputs": {"identities": [identity]},
        "tunnels": [{"entry_mm": list(entry_mm), "target_mm": [40.0, 5.0, 61.25], "diameter_mm": 8.0}],
        "plan": {
            "chosen": {"kit": "core-8", "warnings": list(warnings)},
            "waivers_proposed": [dict(waiver) for waiver in waivers],
        },
        "guide": {"thickness_mm": 3.0, "warnings": list(guide_warnings), "plan_hash": PLAN_HASH},
    }


def make_revision(
    output: Path,
    name: str = "r001",
    content: Mapping[str, Any] | None = None,
    findings: Sequence[Finding] | None = None,
    files: Mapping[str, bytes] = {},  # never changed
    case: str = CASE,
) -> Path:
    """A result folder with its record; `files` go over those that a guide has."""
    folder = output / case / name
    written: dict[str, bytes] = {
        "plan.json": json.dumps(plan() if content is None else content, indent=1).encode(),
        "findings.json": json.dumps([asdict(each) for each in (findings or (finding(),))]).encode(),
        "femur.stl": b"femur " * 40,
        "guide.stl": b"guide " * 40 + name.encode(),
        "guide.3mf": b"packed " * 40,
        "dossier.pdf": b"%PDF dossier",
        "preview/guide.png": b"\x89PNG guide",
        "timings.json": b"{}",
        **files,
    }
    for path, content_ in written.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content_)
    record(folder)
    return folder


def record(folder: Path) -> None:
    """run.json of the files as they are."""
    run = {"fingerprint": "f", "parameters": {"order": {"size": "M"}}, "outputs_sha256": hashes(folder)}
    (folder / "run.json").write_text(json.dumps(run))


def measured(folder: Path) -> tuple[Finding, ...]:
    """What a measurement of the fake files finds: what stands in findings.json, unless the guide is marked as bad."""
    recorded = tuple(Finding(**each) for each in json.loads((folder / "findings.json").read_text()))
    if b"bad" in (folder / "guide.stl").read_bytes():
        return (*recorded[1:], finding(measured=1.0))
    return recorded


@dataclass
class World:
    """A folder of results under review."""

    output: Path
    reviews: Reviews
    clock: FakeClock
    policy: LoadedPolicy
    made: dict[str, Path] = field(default_factory=dict)

    def who(self, user: str, **changes: Any) -> Credentials:
        """The right credentials of a user."""
        return Credentials(**{"user": user, "password": password_of(user), **changes})

    def revision(self, name: str = "r001", **changes: Any) -> Path:
        """A revision, made when it is first asked for."""
        if name not in self.made:
            self.made[name] = make_revision(self.output, name, **changes)
        return self.made[name]

    def submit(self, name: str = "r001", user: str = "ann", **changes: Any) -> Path:
        """A revision that waits for review."""
        folder = self.revision(name, **changes)
        self.reviews.submit(folder, self.who(user))
        return folder

    def confirmation(self, folder: Path, **changes: Any) -> Confirmation:
        """Everything a surgeon confirms of a revision, as it should be."""
        revision, submission = self.reviews.read(folder), self.reviews.history_of(folder).submission
        assert revision.prescription is not None
        fields: dict[str, Any] = {
            "submission": "0" * 64 if submission is None else submission.hash,
            "patient_id": "Z019L",
            "side": "left",
            "warnings": revision.warnings(self.clock.now.date()),
            "waivers": tuple(
                WaiverDecision(**each.model_dump(), accepted=True, surgeon_reason="I have seen it on the CT.")
                for each in revision.waivers
            ),
            "prescription": revision.prescription,
            "shown": shown(folder),
        }
        return Confirmation(**{**fields, **changes})

    def approve(self, folder: Path, user: str = "bora", **changes: Any) -> Approval:
        """Approve a revision with everything confirmed."""
        return self.reviews.approve(folder, self.who(user), self.confirmation(folder, **changes))

    def approved(self, name: str = "r001", **changes: Any) -> Path:
        """An approved revision."""
        folder = self.submit(name, **changes)
        self.approve(folder)
        return folder

    def release(self, folder: Path, user: str = "ann") -> Mapping[str, str]:
        """Release an approved revision; returns the released files."""
        files = {"guide.stl": self.reviews.approval_of(folder).files["guide.stl"], "manifest.json": "ab" * 32}
        self.reviews.release(folder, self.who(user), files, "ab" * 32, "a memory stick")
        return files

    def released(self, name: str = "r001", **changes: Any) -> Path:
        """A released revision."""
        folder = self.approved(name, **changes)
        self.release(folder)
        return folder


def shown(folder: Path, **strings: str) -> Shown:
    """What a page showed of a revision."""
    picture = (folder / "preview/guide.png").read_bytes()
    texts = {"patient_id": "Z019L", "side": "left", "revision": folder.name, "wall": "4.6 mm"}
    return Shown(strings={**texts, **strings}, pictures={"preview/guide.png": hashlib.sha256(picture).hexdigest()})


def populate(output: Path) -> None:
    """A database with everybody in it."""
    with Reviews.open(output, clock=FakeClock()) as reviews:
        for user, (name, roles) in PEOPLE.items():
            reviews.people.add(user, name, roles, password_of(user), "command line: test")


@pytest.fixture(scope="session")
def populated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database that has everybody in it, to be copied."""
    folder = tmp_path_factory.mktemp("populated")
    with quick():
        populate(folder)
    return folder


def open_world(output: Path, database: str | None = None, policy: LoadedPolicy | None = None) -> World:
    """The world of a folder of results; everybody must be in its database already."""
    clock, policy = FakeClock(START + timedelta(minutes=1)), policy or load_policy()
    reviews = Reviews.open(output, database, policy, clock, measured)
    return World(output, reviews, clock, policy)


WorldMaker = Callable[..., World]


def copy_database(source: Path, output: Path) -> None:
    """Put a closed database beside results."""
    output.mkdir(parents=True, exist_ok=True)
    shutil.copy(source / "guidegen.db", output / "guidegen.db")
