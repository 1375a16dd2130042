"""One case for one problem, over HTTP: merge, look first, take out again."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from makegood.accounts.api import actor_of, bearer, once
from makegood.accounts.states import May
from makegood.cases import commands
from makegood.cases.api_shapes import CaseBrief, Short, brief
from makegood.cases.commands.merging import MergePreview
from makegood.kit.telling import tell
from makegood.kit.wire import Plain

router = Router(tags=["cases"])


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


def _now() -> datetime:
    return datetime.now(UTC)


@router.post("/cases/{ref}/merge", auth=bearer(May.HANDLE), response={200: CaseBrief})
@once
def merge_case(request: HttpRequest, ref: str, body: MergeIn) -> CaseBrief:
    """Make the case part of another of the same customer, which goes on; nothing is lost, and it can be undone."""
    return brief(commands.merge_case(ref=ref, into=body.into, actor=actor_of(request), at=_now()))


@router.post("/cases/{ref}/merge/preview", auth=bearer(May.HANDLE), response={200: MergePreviewOut})
def preview_merge(request: HttpRequest, ref: str, body: MergeIn) -> MergePreviewOut:
    """What merging would do, or why it is refused; nothing is changed."""
    return merge_preview_out(commands.preview_merge(ref=ref, into=body.into, actor=actor_of(request)))


@router.post("/cases/{ref}/unmerge", auth=bearer(May.HANDLE), response={200: CaseBrief})
@once
def unmerge_case(request: HttpRequest, ref: str) -> CaseBrief:
    """Take the case out again: it stands as before, with what was written to it meanwhile."""
    return brief(commands.unmerge_case(ref=ref, actor=actor_of(request), at=_now()))
