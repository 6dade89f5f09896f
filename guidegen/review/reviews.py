"""The door to the review: everything that is looked up or done goes through here.

    with Reviews.open("output") as reviews:
        reviews.submit(folder, Credentials("ann", password))
        reviews.approve(folder, Credentials("bora", other), Confirmation(...))
        reviews.approval_of(folder)  # from the chain and the disk each time; ApprovalError says why there is none

Files are made durable first, then one row of the chain names them by hash: a crash in between leaves the old state.
"""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from guidegen import results
from guidegen.check.finding import Finding
from guidegen.errors import ApprovalError, ChainError, OutputError, ResultError
from guidegen.review import audit, export
from guidegen.review.approval import Approval, find_approval
from guidegen.review.chain import Entry
from guidegen.review.confirmation import Confirmation, approved_record, waiting_submission
from guidegen.review.database import open_database
from guidegen.review.desk import Desk, Standing, enter
from guidegen.review.events import STEPS, AnyEvent, LotState
from guidegen.review.history import History, cases_of, histories, states
from guidegen.review.keys import MANIFEST_TYPE
from guidegen.review.lots import lots_of, release_of
from guidegen.review.objections import draft_objections, objections, release_objections
from guidegen.review.people import Credentials
from guidegen.review.persons import persons_from
from guidegen.review.policy import LoadedPolicy, load_policy
from guidegen.review.records import Record, Released, WaiverDecision, record_from
from guidegen.review.revision import FINDINGS_FILE, Revision, place_of, read_revision
from guidegen.review.signed import unseal
from guidegen.review.states import Act, State, role_among, role_for
from guidegen.review.times import Clock, system_clock

Measure = Callable[[Path], Sequence[Finding]]


def measure_files(folder: Path) -> Sequence[Finding]:
    """What a stranger measures on the files of a result today."""
    from guidegen.check.battery import check_result

    return check_result(folder)


@dataclass(frozen=True)
class Signature:
    """A signature in base64 on the manifest of a release, with the key that it is checked by."""

    signature: str
    fingerprint: str
    public_pem: str
    printed_name: str


class Reviews:
    """The review of all results in one folder."""

    def __init__(self, output: Path, desk: Desk, measure: Measure) -> None:
        self.output = output
        self.people = desk.people
        self.sessions = desk.sessions
        self.policy = desk.policy
        self._desk = desk
        self._measure = measure

    @classmethod
    def open(
        cls,
        output: str | Path = "output",
        database: str | None = None,
        policy: str | LoadedPolicy = "default",
        clock: Clock = system_clock,
        measure: Measure = measure_files,
        create: bool = True,
    ) -> Self:
        """Open the review of the results in `output`, its chain verified.

        `database`: a URL instead of GUIDEGEN_DATABASE or guidegen.db beside the results. `create`: make it where it is
        not there. DatabaseError, TemplateError, and ChainError where the chain is not what was written.
        """
        loaded = load_policy(policy) if isinstance(policy, str) else policy
        opened = open_database(Path(output), database, create)
        desk = Desk(opened, loaded, clock)
        try:
            desk.open()
        except BaseException:
            opened.close()
            raise
        return cls(Path(output), desk, measure)

    def close(self) -> None:
        """Let go of the database."""
        self._desk.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        self.close()

    # --- looking ---

    def entries(self, head: str | None = None) -> tuple[Entry, ...]:
        """The whole chain, verified; `head` is a hash noted outside that it must still hold. ChainError else."""
        return self._desk.entries(head)

    def verify(self, head: str | None = None) -> audit.Verified:
        """Verify the chain and every signature, role, sequence and key in it. ChainError names what is wrong."""
        return audit.verify(self.entries(head))

    def export_chain(self) -> dict[str, bytes]:
        """The chain, the public keys and a program that checks them without guidegen, by file name."""
        return export.exported(self.entries())

    def states(self) -> dict[str, State]:
        """The state of every revision that anything was done to, by `ID-SIDE/r001`."""
        entries = self.entries()
        found = {case: states(histories(entries, case)) for case in cases_of(entries)}
        return {f"{case}/{name}": state for case, each in found.items() for name, state in each.items()}

    def state_of(self, folder: Path) -> State:
        """The state of a revision; for whether it may be made, ask `approval_of`."""
        return self.history_of(folder).state

    def history_of(self, folder: Path) -> History:
        """What was done to a revision, and the submission, approval and release that count now."""
        place = place_of(self.output, folder)
        return histories(self.entries(), place.case).get(place.name, History())

    def record_of(self, entry: Entry) -> Record:
        """The signed record in an entry of the chain, its signature and all that binds it verified."""
        entries = self.entries()
        if entry not in entries:
            raise ChainError(f"expected an entry of the audit chain, found another one numbered {entry.seq}")
        return unseal(entry, persons_from(entries))

    def read(self, folder: Path) -> Revision:
        """What the files of a revision say: hashes, findings, warnings, waivers, prescription."""
        return read_revision(place_of(self.output, folder))

    def lots_of(self, folder: Path) -> dict[str, LotState]:
        """Where every printed lot of a revision stands."""
        return lots_of(self.history_of(folder), persons_from(self.entries()))

    def approval_of(self, folder: Path) -> Approval:
        """The approval of a revision that holds at this moment, verified anew from the chain and from the disk.

        ApprovalError, with every reason, where there is none.
        """
        place = place_of(self.output, folder)
        return find_approval(place, self.entries(), self.policy.rules, self._desk.clock())

    # --- acting ---

    def submit(self, folder: Path, credentials: Credentials) -> Entry:
        """Submit a revision for review, signing authorship; its files are measured anew before.

        Another submission of the case that waits is superseded. ApprovalError where a check fails.
        """
        signer, place = self._desk.signer(credentials), place_of(self.output, folder)
        role_for(Act.SUBMIT, signer.person.roles)
        revision = read_revision(place)
        against = draft_objections(revision) or self._measured(revision)
        if against:
            raise ApprovalError(f"{place.subject} cannot be submitted", against)
        _make_durable(place.folder)

        def record(standing: Standing) -> Record:
            files = dict(revision.files)
            return record_from({**standing.head, "files": files, "findings_sha256": files[FINDINGS_FILE]})

        entry = self._desk.act(place, signer, Act.SUBMIT, record)
        _make_read_only(place.folder)
        return entry

    def approve(self, folder: Path, credentials: Credentials, confirmation: Confirmation) -> Approval:
        """Approve a submitted revision; another approved or released one of the case is superseded.

        ApprovalError, with every reason, where anything is missing or changed: nothing is signed then.
        """
        signer, place = self._desk.signer(credentials), place_of(self.output, folder)
        role_for(Act.APPROVE, signer.person.roles)
        revision = read_revision(place)
        _make_durable(place.folder)

        def record(standing: Standing) -> Record:
            entry, submitted = waiting_submission(standing, confirmation.submission)
            approved = approved_record(revision, entry, submitted, signer, confirmation, self.policy, standing)
            against = objections(approved, revision, submitted, self.policy.rules, standing.now)
            if against:
                raise ApprovalError(f"{place.subject} cannot be approved", against)
            return approved

        self._desk.act(place, signer, Act.APPROVE, record)
        return self.approval_of(folder)

    def reject(
        self,
        folder: Path,
        credentials: Credentials,
        submission: str,
        reason: str,
        waivers: Sequence[WaiverDecision] = (),
    ) -> Entry:
        """Reject a submission, by the hash of its entry, for a reason, which may ask for a change."""
        signer, place = self._desk.signer(credentials), place_of(self.output, folder)

        def record(standing: Standing) -> Record:
            entry, _ = waiting_submission(standing, submission)
            return record_from({**standing.head, "submission": entry.hash, "reason": reason, "waivers": tuple(waivers)})

        return self._desk.act(place, signer, Act.REJECT, record)

    def void(self, folder: Path, credentials: Credentials, reason: str) -> Entry:
        """Declare a revision void, for good; its folder need not be whole, nor be there any more."""
        signer, place = self._desk.signer(credentials), place_of(self.output, folder)

        def record(standing: Standing) -> Record:
            if not standing.history.entries and not place.folder.is_dir():
                raise ResultError(f"expected a result, found none at {folder}; name another folder")
            return record_from({**standing.head, "reason": reason})

        return self._desk.act(place, signer, Act.VOID, record)

    def release(
        self, folder: Path, credentials: Credentials, files: Mapping[str, str], manifest_sha256: str, destination: str
    ) -> Entry:
        """Record that files left the house under an approval, after they are durable there.

        `files`: SHA-256 of every released file by its path, the manifest among them; `destination`: where to, in words.
        """
        signer, place = self._desk.signer(credentials), place_of(self.output, folder)

        def record(standing: Standing) -> Record:
            approval = find_approval(place, standing.entries, self.policy.rules, standing.now)
            fields = {"files": dict(files), "manifest_sha256": manifest_sha256, "destination": destination}
            released = record_from({**standing.head, "approval": approval.entry.hash, **fields})
            assert isinstance(released, Released), "the act of a release"
            against = release_objections(released, approval.record)
            if against:
                raise ApprovalError(f"{place.subject} cannot be released so", against)
            return released

        return self._desk.act(place, signer, Act.RELEASE, record)

    def record_event(self, folder: Path, credentials: Credentials, event: AnyEvent) -> Entry:
        """Record what became of a printed lot; ApprovalError where that cannot come now."""
        signer, place = self._desk.signer(credentials), place_of(self.output, folder)
        role = role_among(STEPS[event.event].roles, signer.person.roles, event.event)
        with self._desk.standing(place, signer, event.event, role) as (connection, standing):
            release = release_of(place, standing, event, self.policy.rules)
            record = record_from({**standing.head, "release": release, "event": event})
            return enter(connection, place, signer, standing, record)

    def sign_manifest(self, credentials: Credentials, payload: bytes) -> Signature:
        """Sign the manifest of a release: DSSE over an in-toto statement, by an engineer or a surgeon."""
        signer = self._desk.signer(credentials)
        role_for(Act.RELEASE, signer.person.roles)
        signature = signer.key.sign(MANIFEST_TYPE, payload)
        return Signature(signature, signer.key.fingerprint, signer.key.public_pem, signer.person.printed_name)

    def _measured(self, revision: Revision) -> tuple[str, ...]:
        """What fails on the files today, or is not what their run recorded, to the last digit: the same files give it
        on any machine.
        """
        recorded = {finding.name: finding for finding in revision.findings}
        fresh = {finding.name: finding for finding in self._measure(revision.place.folder)}
        failed = (
            f"the check '{each.name}' fails on the files: {each.why}" for each in fresh.values() if not each.passed
        )
        missing = (f"the check '{name}' was not made by the run" for name in fresh if name not in recorded)
        unknown = (f"the check '{name}' of the run is none that is made" for name in recorded if name not in fresh)
        other = (
            f"the check '{name}' was recorded otherwise than the files give it: {_apart(recorded[name], finding)}"
            for name, finding in fresh.items()
            if name in recorded and recorded[name] != finding
        )
        twice = () if len(recorded) == len(revision.findings) else ("a check is recorded twice",)
        return (*failed, *missing, *unknown, *other, *twice)


def _apart(recorded: Finding, found: Finding) -> str:
    """The fields in which a record is not what was found."""
    pairs = {name: (was, getattr(found, name)) for name, was in vars(recorded).items()}
    return ", ".join(f"{name} {was!r}, not {now!r}" for name, (was, now) in pairs.items() if was != now)


def _make_durable(folder: Path) -> None:
    try:
        results.make_durable(folder)
    except OSError as error:
        raise OutputError(f"expected {folder} on the disk, found: {error.strerror}; nothing was signed") from error


def _make_read_only(folder: Path) -> None:
    """A courtesy, where the system grants it: the hashes are what counts."""
    writable = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
    with contextlib.suppress(PermissionError):
        for path in (*folder.rglob("*"), folder):
            path.chmod(path.stat().st_mode & ~writable)
