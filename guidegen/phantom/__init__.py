"""A made-up hip with known truth, for the demonstration and for tests."""

from guidegen.phantom.files import write_case
from guidegen.phantom.hip import Hip, Truth, make_hip
from guidegen.phantom.images import ct_volume, label_volume, mr_volume
from guidegen.phantom.thigh import Thigh

__all__ = ["Hip", "Thigh", "Truth", "ct_volume", "label_volume", "make_hip", "mr_volume", "write_case"]
