"""Tools by which something is asked or brought: requests, evidence, messages, appeals."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Annotated, Any

from django.conf import settings
from pydantic import Field

from makegood.accounts.actors import require
from makegood.accounts.queries import settings_of_merchant
from makegood.accounts.states import May
from makegood.cases import commands
from makegood.cases import queries as cases
from makegood.cases.duplicates import duplicates_of
from makegood.kit import files
from makegood.mcp import documents
from makegood.mcp.documents import Document
from makegood.mcp.reading import Code, KindName, Lines, Ref, now
from makegood.mcp.session import Session
from makegood.mcp.toolbox import ArgumentMalformed, tool

RequestKey = Annotated[
    str,
    Field(
        min_length=8,
        max_length=120,
        description="A new name for this request, such as a UUID. The same name again does the same thing only once.",
    ),
]
Words = Annotated[str, Field(max_length=20_000)]
ENCODED_MAX = 28_000_000  # base64 of the 20 MB that a file may have


def shown(session: Session, ref: str) -> Document:
    return documents.case(session, session.case(ref))


@tool(May.FILE, again=True)
def file_case(
    session: Session,
    kind: KindName,
    reason: Code,
    request_key: RequestKey,
    order: Annotated[str, Field(max_length=120, description="Only a complaint or suggestion may go without.")] = "",
    lines: Lines = [],  # noqa: B006 - never changed
    statement: Words = "",
    details: dict[str, Any] = {},  # noqa: B006 - same
    customer: Annotated[str, Field(max_length=120, description="Reference, where no order is named.")] = "",
) -> Document:
    """Ask for something in the customer's name; whoever decides comes later. Look at quote_request first."""
    about = session.order(order) if order else None
    case = commands.file_case(
        kind=kind,
        reason=reason,
        order_number=about.number if about else "",
        customer_id=None if about else session.customer(customer).id,
        asked=[one.asked() for one in lines],
        statement=statement,
        channel="api",
        language=session.language,
        details=details,
        request_key=session.key(request_key),
        actor=session.actor,
        at=now(),
    )
    alike = duplicates_of(cases.case_view(case.ref), at=now())
    named = [{"ref": one.ref, "kind": one.kind, "reason": one.reason, "why": list(one.why)} for one in alike]
    return shown(session, case.ref) | {"possible_duplicates": named}


@tool(May.HANDLE, again=True, gives=True, for_customers=False)
def merge_cases(
    session: Session,
    case: Ref,
    into: Annotated[str, Field(min_length=1, max_length=20, description="The case of the same customer that goes on.")],
) -> Document:
    """Make a case part of another about the same matter; it ends as a case of its own until unmerge_case."""
    found, goes_on = session.case(case), session.case(into)
    commands.merge_case(ref=found.ref, into=goes_on.ref, actor=session.actor, at=now())
    return shown(session, goes_on.ref)


@tool(May.HANDLE, for_customers=False)
def unmerge_case(session: Session, case: Ref) -> Document:
    """Take a case out of the one it was merged into: it stands as before, with what was written to it meanwhile."""
    found = session.case(case)
    commands.unmerge_case(ref=found.ref, actor=session.actor, at=now())
    return shown(session, found.ref)


@tool(May.FILE, again=True)
def add_evidence(
    session: Session,
    case: Ref,
    kind: Annotated[str, Field(max_length=40, description="As list_reasons or the case names it, such as photo.")],
    name: Annotated[str, Field(max_length=200, description="Name of the file.")],
    content_base64: Annotated[str, Field(max_length=ENCODED_MAX)],
    line: Annotated[str, Field(max_length=120)] = "",
) -> Document:
    """Put a file on a case; pictures are cleaned and encoded anew, everything is checked by its content."""
    found = session.case(case)
    try:
        content = base64.b64decode(content_base64, validate=True)
    except binascii.Error:
        raise ArgumentMalformed(None, field="content_base64", rule="base64") from None
    most = settings_of_merchant().evidence
    stored = files.store(
        io.BytesIO(content),
        declared_name=name or "file",
        uploads=settings.UPLOADS_DIR,
        owner=str(session.merchant_id),
        limits=files.Limits(file_bytes=most.bytes_max, pixels=most.pixels_max),
    )
    commands.add_evidence(
        ref=found.ref,
        kind=kind,
        file=stored,
        of_line=line,
        actor=session.actor,
        at=now(),
        files_max=most.files_max,
    )
    return shown(session, found.ref)


@tool(May.FILE)
def write_message(
    session: Session,
    case: Ref,
    body: Annotated[str, Field(min_length=1, max_length=20_000)],
    internal: bool = False,  # noqa: FBT001, FBT002 - an argument of the tool
) -> Document:
    """Write on a case. ``internal`` is a note for staff that never leaves; a customer's session has none."""
    found = session.case(case)
    if internal:
        if session.customer_id is not None:
            raise ArgumentMalformed("true", field="internal", rule="not_in_a_session_for_a_customer")
        require(session.actor, May.HANDLE)
    commands.add_message(ref=found.ref, body=body, internal=internal, actor=session.actor, at=now())
    return shown(session, found.ref)


@tool(May.FILE)
def file_appeal(
    session: Session, case: Ref, grounds: Annotated[str, Field(min_length=1, max_length=20_000)]
) -> Document:
    """Challenge the decision of a case, within its window and with evidence brought since; a person reviews it."""
    found = session.case(case)
    commands.file_appeal(ref=found.ref, grounds=grounds, actor=session.actor, at=now())
    return shown(session, found.ref)


@tool(May.FILE, gives=True)
def withdraw_case(session: Session, case: Ref) -> Document:
    """End a request that the customer no longer wants."""
    found = session.case(case)
    commands.withdraw_case(ref=found.ref, actor=session.actor, at=now())
    return shown(session, found.ref)


@tool(May.FILE)
def reopen_case(session: Session, case: Ref) -> Document:
    """Take a withdrawn or lapsed request up again."""
    found = session.case(case)
    commands.reopen_case(ref=found.ref, actor=session.actor, at=now())
    return shown(session, found.ref)


@tool(May.FILE)
def tell_return_parcel(
    session: Session,
    case: Ref,
    tracking: Annotated[str, Field(min_length=1, max_length=80)],
    carrier: Annotated[str, Field(max_length=60)] = "",
) -> Document:
    """Tell that the customer has sent the goods back, with the parcel's tracking number."""
    found = session.case(case)
    commands.ship_back(ref=found.ref, tracking=tracking, carrier=carrier, actor=session.actor, at=now())
    return shown(session, found.ref)
