"""The documents of merging."""

from __future__ import annotations

from pydantic import Field

from makegood.cases.api_shapes import Short
from makegood.cases.commands.merging import MergePreview
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
