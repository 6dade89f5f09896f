"""Every error that guidegen raises on purpose.

    GuidegenError                  exit  the code the command line leaves with
    ├── InputError                  2    what came in cannot be used
    │   ├── CaseFileError                the case file itself
    │   ├── VolumeError                  an image or a label map
    │   ├── LabelError                   a label that is missing, unknown or empty
    │   ├── SurfaceError                 a surface file, or a surface that is no closed bone
    │   ├── AnatomyError                 the bone is no proximal femur, or its landmarks cannot be found
    │   ├── SideError                    order, images and shape of the femur disagree on the side
    │   ├── IdentityError                the files are not of one patient, study or frame
    │   ├── ContainmentError             a file took more memory or time than any hip needs, or broke its reader
    │   ├── LesionError                  the lesion is not in the femur
    │   ├── RegistrationError            the MR femur does not fit the bone well enough
    │   ├── TemplateError                a kit, guide or printer template
    │   ├── SlicerError                  the slicer is not installed, or did not slice
    │   ├── OutputError                  the place for the results cannot be written
    │   ├── ReviewError                  an account, a password or an event that cannot be
    │   ├── DatabaseError                the database of the review cannot be opened, or is of another version
    │   └── AccessError                  who asks may not: unknown, wrong password, ended session, other role
    │       └── TooManyGuesses           too many wrong passwords; says how long to wait
    ├── NoSafePlan                  3    no tunnel keeps all the rules; says which rule ruled
    ├── NoSafeGuide                 3    no guide can be built that keeps its own rules
    ├── ApprovalError               4    not approved, or altered; lists every reason
    │   └── ChainError                   the audit chain is not what was written
    └── ResultError                 2    a result folder is incomplete or was altered

A message says what was expected, what was found and what to do. The case id and
the stage are attached once, at the boundary of a stage (`at_stage`), so that inner
code need not know them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class GuidegenError(Exception):
    """The root. `exit_code` is what the command line leaves with."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.stage: str | None = None

    def __str__(self) -> str:
        return f"{self.stage}: {self.message}" if self.stage else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        """From one process to another an error travels as it is: it would be made anew from its message alone."""
        return _travelled, (type(self), self.args), self.__dict__


def _travelled(kind: type[GuidegenError], args: tuple[Any, ...]) -> GuidegenError:
    return kind.__new__(kind, *args)


class InputError(GuidegenError):
    """What came in cannot be used; nothing was written."""

    exit_code = 2


class CaseFileError(InputError):
    """The case file is missing, is no TOML, or says something that cannot be."""


class VolumeError(InputError):
    """An image or label map cannot be read or is not what it must be."""


class LabelError(InputError):
    """A label is missing, unknown or empty."""


class SurfaceError(InputError):
    """A surface file cannot be read, lacks its unit, or is no closed bone."""


class AnatomyError(InputError):
    """The bone is no proximal femur, or a landmark cannot be found on it."""


class SideError(InputError):
    """The ordered side, what the images say and the shape of the femur disagree."""


class IdentityError(InputError):
    """The files of one case are not of one patient, one study or one frame of reference."""


class ContainmentError(InputError):
    """The process that parsed a file reached its limit of memory or time, or broke down."""


class LesionError(InputError):
    """The lesion does not lie in the femur."""


class RegistrationError(InputError):
    """The femur of the MR does not fit the femur of the CT well enough."""


class TemplateError(InputError):
    """A kit, guide or printer template is missing or impossible."""


class SlicerError(InputError):
    """The slicer that was asked for is not installed, or did not take the print file."""


class OutputError(InputError):
    """The place for the results is no folder, or cannot be written."""


class ReviewError(InputError):
    """What was asked of the review cannot be: a name, a password, an event or a figure."""


class DatabaseError(InputError):
    """The database of the review cannot be opened or written, or is of another version."""


class AccessError(InputError):
    """Who asks may not: unknown, with a wrong password, with a session that ended, or in another role."""


class TooManyGuesses(AccessError):
    """Too many wrong passwords came before: nothing is tried for the next `wait_s` seconds."""

    def __init__(self, message: str, wait_s: int) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class ResultError(InputError):
    """A result folder is incomplete, or its files are not those its record names."""


class NoSafePlan(GuidegenError):
    """No tunnel keeps every rule. `rule` rules it out; `figures` are the best that was reached."""

    exit_code = 3

    def __init__(self, message: str, rule: str, figures: dict[str, float]) -> None:
        super().__init__(message)
        self.rule = rule
        self.figures = figures


class NoSafeGuide(NoSafePlan):
    """The plan is safe, but no guide for it keeps its own rules."""


class ApprovalError(GuidegenError):
    """Not approved, or altered. `reasons` are all that speaks against it, a sentence each."""

    exit_code = 4

    def __init__(self, message: str, reasons: tuple[str, ...] = ()) -> None:
        super().__init__("\n".join([message, *(f"- {reason}" for reason in reasons)]))
        self.reasons = reasons or (message,)


class ChainError(ApprovalError):
    """The audit chain is not what was written: an entry was changed, removed, moved or added by hand."""


@contextmanager
def at_stage(name: str) -> Iterator[None]:
    """Attach the stage's name to every guidegen error raised inside, unless it has one."""
    try:
        yield
    except GuidegenError as error:
        if error.stage is None:
            error.stage = name
        raise
