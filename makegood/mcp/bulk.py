"""Many tool calls in one: where one call per case would be slow."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from makegood.accounts.states import May
from makegood.kit.wire import Plain
from makegood.mcp.documents import Document
from makegood.mcp.session import Session
from makegood.mcp.toolbox import answer, tool

CALLS_MAX = 100


class Call(Plain):
    tool: Annotated[str, Field(max_length=60)]
    arguments: dict[str, Any] = Field(default_factory=dict)


@tool(May.READ, gives=True)
def do_many(
    session: Session,
    calls: Annotated[list[Call], Field(min_length=1, max_length=CALLS_MAX)],
    stop_at_refusal: bool = False,  # noqa: FBT001, FBT002 - an argument of the tool
) -> Document:
    """Use up to 100 tools, one after the other, each by itself: what one refuses does not undo the others.

    The answers come in the order of the calls; each says whether it was done, and the document or the refusal.
    """
    results: list[Document] = []
    for call in calls:
        if call.tool == do_many.__name__:
            results.append({"done": False, "refusal": {"code": "tool_unknown", "detail": call.tool}})
        else:
            given = answer(session, call.tool, call.arguments)
            results.append(
                {"done": False, "refusal": given.document}
                if given.refused
                else {"done": True, "result": given.document}
            )
        if stop_at_refusal and not results[-1]["done"]:
            break
    done = sum(1 for one in results if one["done"])
    return {"results": results, "done": done, "refused": len(results) - done, "left_out": len(calls) - len(results)}
