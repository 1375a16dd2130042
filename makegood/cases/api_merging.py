"""The documents of merging, and of cases that may be the same."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import Field

from makegood.cases.api_shapes import CaseBrief, Short, brief, some_of
from makegood.cases.commands.merging import MergePreview
from makegood.cases.duplicates import Duplicate
from makegood.cases.models import Case
from makegood.kit.telling import tell
from makegood.kit.wire import Plain


class MergeIn(Plain):
    into: Short = Field(description="The case that goes on.", examples=["C-7KMP3QXR"])


class MergePreviewOut(Plain):
    """What merging would do; nothing is changed."""

    refused: str | None = Field(description="Code of what merging would refuse.")
    why: str | None
    messages: int
    files: int
    waits: list[str] = Field(description="Deadlines that would stand still.")
    units: int = Field(description="Units asked for that would be free again.")


def merge_preview_out(found: MergePreview) -> MergePreviewOut:
    refusal = found.refusal
    return MergePreviewOut(
        refused=refusal.code if refusal else None,
        why=tell(refusal) if refusal else None,
        messages=found.messages,
        files=found.files,
        waits=list(found.waits),
        units=found.units,
    )


class DuplicateOut(Plain):
    """A case of the same customer that is probably about the same; nothing is merged by itself."""

    ref: str
    kind: str
    reason: str
    status: str
    order: str
    opened_at: datetime
    closed_at: datetime | None
    score: int = Field(description="Out of a hundred.")
    why: list[str] = Field(description="Codes: same_order, same_line, same_reason, same_problem, same_days, …")


class CaseFiled(CaseBrief):
    possible_duplicates: list[DuplicateOut]


def filed(case: Case, found: Iterable[Duplicate]) -> CaseFiled:
    alike = [DuplicateOut(**some_of(DuplicateOut, one, order=one.order_number, why=list(one.why))) for one in found]
    return CaseFiled(**brief(case).model_dump(), possible_duplicates=alike)
