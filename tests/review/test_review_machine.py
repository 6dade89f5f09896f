"""Random sequences of everything that people may do: what may be made is what was approved, after every step."""

from __future__ import annotations

from hypothesis import Phase, settings
from review_machine import ReviewMachine

TestReview = ReviewMachine.TestCase
TestReview.settings = settings(max_examples=12, stateful_step_count=25, phases=[Phase.generate])
