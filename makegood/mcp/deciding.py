"""Tools that decide: the policy decides, the caller's limit approves. Beyond the policy no tool goes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from makegood.accounts.states import May
from makegood.cases import commands
from makegood.cases.commands.approving import NothingToApprove
from makegood.kit import errors
from makegood.kit.money import Money
from makegood.mcp import documents
from makegood.mcp.asking import shown
from makegood.mcp.documents import Document
from makegood.mcp.reading import Ref, now
from makegood.mcp.session import Session
from makegood.mcp.toolbox import tool


class TotalDiffers(errors.Malformed):
    code = "total_differs"
    message = "You typed {value}; the decision grants {rule}. Nothing was approved."


@tool(May.HANDLE, for_customers=False)
def record_finding(
    session: Session,
    case: Ref,
    fact: Annotated[str, Field(max_length=120, description="Of the policy's vocabulary, such as findings.fault.")],
    value: str | int | bool,  # noqa: FBT001 - an argument of the tool
    how: Annotated[str, Field(min_length=1, max_length=200, description="How it was established.")],
) -> Document:
    """State what verification established. What a customer says is evidence or a message, never a finding."""
    found = session.case(case)
    commands.record_finding(ref=found.ref, fact=fact, value=value, how=how, actor=session.actor, at=now())
    return shown(session, found.ref)


@tool(May.HANDLE, again=True)
def decide_case(session: Session, case: Ref) -> Document:
    """Let the policy decide on the facts as they are; the proposal still has to be approved or told as a denial."""
    found = session.case(case)
    commands.decide_case(ref=found.ref, actor=session.actor, at=now())
    return decided(session, found.ref)


def decided(session: Session, ref: str) -> Document:
    """The case's coarse state with the decision in force."""
    found = session.case(ref)
    told: Document = {"case": found.ref, "state": found.state, "status": found.status, "waiting_on": found.waiting_on}
    if found.decision:
        told["decision"] = documents.decision(found.decision)
    needed = next((event for event in reversed(found.events) if event.kind == "evidence_asked"), None)
    if needed and found.state == "verifying":
        told["evidence_needed"] = needed.data.get("needed", [])
    return told


@tool(May.APPROVE, gives=True)
def approve_case(
    session: Session,
    case: Ref,
    decision: Annotated[int, Field(ge=1, le=2**62, description="The decision that was seen.")],
    total: Annotated[str, Field(max_length=30, description="Its total, as a decimal, such as 59.90.")],
) -> Document:
    """Promise what the decision in force grants, within what the caller may approve; payment follows."""
    found = session.case(case)
    seen = found.decision
    if seen is None:
        raise NothingToApprove("none", field="decision", rule="decision_in_force")
    granted = Money(seen.total_minor, seen.currency)
    if Money.parse(total, seen.currency, field="total") != granted:
        raise TotalDiffers(total, field="total", rule=granted.amount())
    commands.approve_case(ref=found.ref, actor=session.actor, at=now(), decision_id=decision)
    return decided(session, found.ref)


@tool(May.APPROVE, gives=True)
def deny_case(
    session: Session,
    case: Ref,
    why: Annotated[str, Field(max_length=2_000, description="Words to the customer beside the rule's own.")] = "",
) -> Document:
    """Tell the customer no, where the decision in force denies; it can be appealed."""
    found = session.case(case)
    commands.deny_case(ref=found.ref, actor=session.actor, at=now(), why=why)
    return decided(session, found.ref)
