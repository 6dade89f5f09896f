"""All that a guide is made from, as one value that tests can change."""

from __future__ import annotations

from dataclasses import dataclass

from guidegen.bone.anatomy import Anatomy
from guidegen.bone.surface import Bone
from guidegen.guide.guide import Guide, make_guide
from guidegen.guide.marks import Identity
from guidegen.guide.order import Order
from guidegen.keep_out import NOTHING, KeepOut
from guidegen.plan.fit import fit
from guidegen.plan.sleeve_sizes import SleeveSizes
from guidegen.plan.templates import GuideTemplate, Kit, Printer
from guidegen.plan.tunnel import Tunnel


@dataclass(frozen=True, eq=False)
class Planned:
    """All that a guide is made from, except whose it is."""

    bone: Bone
    anatomy: Anatomy
    tunnel: Tunnel
    kit: Kit
    template: GuideTemplate
    printer: Printer

    @property
    def order(self) -> Order:
        """The order for this kit, shape and printer."""
        gap = fit(self.printer, self.bone.error_mm, None, None, self.template)
        sizes = SleeveSizes.of(self.kit, self.template, self.printer)
        return Order(self.kit, self.template, self.printer, gap.clearance_mm, sizes)

    def guide(self, size: str = "M", keep_out: KeepOut = NOTHING, patient_id: str = "T001L") -> Guide:
        """The guide for it."""
        identity = Identity(patient_id, "r001", "1a2b3c4d")
        return make_guide(
            self.bone.surface, self.anatomy, (self.tunnel,), identity, size, self.order, keep_out=keep_out
        )  # fmt: skip
