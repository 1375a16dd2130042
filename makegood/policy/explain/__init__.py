"""An outcome explained: for each amount and each refusal what it rests on, in Chinese or English."""

from __future__ import annotations

from makegood.policy.explain.building import explain
from makegood.policy.explain.shapes import Explanation

__all__ = ["Explanation", "explain"]
