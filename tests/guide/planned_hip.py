"""All that a guide is made from, as one value that tests can change."""

from __future__ import annotations

from dataclasses import dataclass

from guidegen.bone.anatomy import Anatomy
from guidegen.bone.surface import Bone
from guidegen.guide.guide import Guide, make_guide
from guidegen.keep_out import NOTHING, KeepOut
from guidegen.plan.fit import fit
from guidegen.plan.templates import GuideTemplate, Kit, Printer
from guidegen.plan.tunnel import Tunnel


@dataclass(frozen=True, eq=False)
class Planned:
    """All that a guide is made from, except the patient's id."""

    bone: Bone
    anatomy: Anatomy
    tunnel: Tunnel
    kit: Kit
    template: GuideTemplate
    printer: Printer

    def guide(self, patient_id: str = "T001L", size: str = "M", keep_out: KeepOut = NOTHING) -> Guide:
        """The guide for it."""
        gap = fit(self.printer, self.bone.error_mm, None, None, self.template)
        return make_guide(
            self.bone.surface, gap, self.anatomy, self.tunnel, patient_id, size, self.kit,
            self.template, self.printer, keep_out=keep_out,
        )  # fmt: skip
