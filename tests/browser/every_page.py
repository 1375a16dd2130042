"""Every page there is, by the table of addresses, with examples from the demo shop and somebody who may see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.module_loading import import_string

from makegood.accounts.actors import Actor
from makegood.accounts.queries import actor_of_staff, merchant_id_by_slug, staff_list
from makegood.cases import queries as cases
from makegood.cases.tracking import tracking_token
from makegood.conversations.models import Conversation, RawMail
from makegood.conversations.notices import choice_link
from makegood.customers.models import Contact
from makegood.demo.load import SLUG, load_demo
from makegood.demo.people import PASSWORD, STAFF
from makegood.kit import db, tenancy
from makegood.policy import commands as policies
from makegood.webhooks import commands as webhooks

OWNER = "owner"
# Addresses that are no page: they take forms only, or answer programs, or hand out files.
NO_PAGE = {
    "set_language", "portal:leave", "portal:act", "desk:act", "desk:attend", "desk:sign_out", "desk:passkey_options",
    "desk:passkey_begin", "desk:passkey_add", "portal:explanation_pdf", "portal:receipt", "portal:evidence",
    "portal:thumbnail", "desk:explanation_pdf", "desk:receipt", "desk:evidence", "desk:thumbnail", "desk:message_file",
    "desk:policy_trial_file",
    "desk:mail",
    "desk:policy_check",
    "portal:live", "desk:live", "desk:presence", "desk:presences", "desk:take_back", "desk:next_case",
    "desk:unmerge",
    "desk:call_transcript", "desk:call_recording", "desk:overview_file", "desk:hand_over",
    "chat:widget", "chat:begin", "chat:said", "chat:say", "chat:typing", "chat:hear", "chat:code", "chat:prove",
    "chat:vouch",
    "desk:delivery",  # tests/browser/test_administration_pages.py looks at it, with a receiver that answers
    "desk:second_step",  # the same, and tests/browser/test_passkeys.py
    "portal:code",  # seen on the way in, by the tours
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Visit:
    """One page for one person: nobody, a member of staff by role, or a customer by number."""

    name: str
    path: str
    who: str | int = ""


def routes() -> Iterator[tuple[str, Sequence[str]]]:
    """Name and parameters of every address outside the API."""
    yield from _walk(get_resolver(), "")


def _walk(resolver: URLResolver, space: str) -> Iterator[tuple[str, Sequence[str]]]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            if str(one.pattern) != "api/v1/":
                yield from _walk(one, one.namespace or space)
        elif isinstance(one, URLPattern) and one.name:
            yield f"{space}:{one.name}" if space else one.name, list(one.pattern.converters)


def load(*, at: datetime | None = None) -> int:
    """The demo shop with what else pages need: a draft of a policy, an endpoint. The merchant's id."""
    now = at or datetime.now(UTC)
    load_demo(at=now, base_url="http://127.0.0.1:8000")
    merchant_id = merchant_id_by_slug(SLUG)
    with tenancy.acting_for(merchant_id):
        owner = staff("owner")
        if not _first("select 1 as n from webhooks_endpoint"):
            webhooks.add_endpoint(url="https://hooks.shop.example/in", label="ERP", actor=owner, at=now)
        if not _first("select 1 as n from policy_policydraft"):
            policies.start_draft(pack_id="house", actor=owner, at=now)
    return merchant_id


def staff(role: str) -> Actor:
    return actor_of_staff(next(one for one in staff_list() if one.role == role))


@db.query
def _first(sql: str) -> Any:
    row = db.fetch_one(sql, [])
    return next(iter(row.values())) if row else None


def visits() -> list[Visit]:
    """Each page at least once; pages of cases once for every way a case of the demo stands."""
    with tenancy.acting_for(merchant_id_by_slug(SLUG)), db.atomically():
        found = list(_visits())
    clients = {who: client_of(who, language="en") for who in {one.who for one in found}}
    return [one for one in found if _is_page(clients[one.who].get(one.path))]


def without_example() -> list[str]:
    """Addresses nobody looks at: name each in ``NO_PAGE``, or give an example of its parameters."""
    with tenancy.acting_for(merchant_id_by_slug(SLUG)), db.atomically():
        row = next(row for row in cases.cases_page(cases.Filters(), limit=200).rows if row.order_number)
        examples = _examples(row)
    return [
        name
        for name, parameters in routes()
        if name not in NO_PAGE
        and name != "portal:ask"
        and not {"ref", "number"} <= set(parameters)
        and not set(parameters) - {"slug"} <= examples.get(name, examples[""]).keys()
    ]


def _is_page(answer: Any) -> bool:
    """Parts of pages, which scripts ask for, are looked at where they stand."""
    return not answer.streaming and (answer.status_code in {301, 302} or b"<html" in answer.content)


def _visits() -> Iterator[Visit]:
    by_status: dict[tuple[str, str], cases.CaseRow] = {}
    for row in cases.cases_page(cases.Filters(), limit=200).rows:
        by_status.setdefault((row.status, row.goods_state if row.status in {"with_you", "with_us"} else ""), row)
    shown = list(by_status.values())
    with_order = next(row for row in shown if row.order_number)
    examples = _examples(with_order)
    for name, parameters in routes():
        if name in NO_PAGE:
            continue
        space, _colon, page = name.rpartition(":")
        if page in {"case", "explanation"} and list(parameters) == ["ref"]:
            for row in shown:
                if page == "explanation" and not _told(row.ref, anybody=space == "desk"):
                    continue
                path = reverse(name, args=[SLUG, row.ref])
                yield Visit(f"{name}-{row.status}", path, OWNER if space == "desk" else _customer_of(row.ref))
        elif name == "portal:ask":
            for situation in ("cancel", "change", "refused", "return", "exchange", "problem", "service", "idea"):
                path = reverse(name, args=[SLUG, situation, with_order.order_number])
                yield Visit(f"{name}-{situation}", path, _customer_of(with_order.ref))
        else:
            known = examples.get(name, examples[""])
            if not set(parameters) - {"slug"} <= known.keys() or {"ref", "number"} <= set(parameters):
                continue  # test_languages tells which address has no example; a number beside a reference is a file
            given = {one: known[one] for one in parameters if one in known}
            if space:
                given["slug"] = SLUG
            yield Visit(name, reverse(name, kwargs=given), _who(name, with_order))


def _who(name: str, row: cases.CaseRow) -> str | int:
    if name in {"desk:sign_in", "desk:forgotten", "desk:welcome"}:
        return ""
    if name.startswith("desk:"):
        return OWNER
    return _customer_of(row.ref) if name in {"portal:mine", "portal:order", "portal:write"} else ""


def _examples(row: cases.CaseRow) -> Mapping[str, Mapping[str, Any]]:
    contact = Contact.objects.filter(kind="email").order_by("id").first()
    mail = RawMail.objects.order_by("id").first()
    talk = Conversation.objects.order_by("id").first()
    assert contact is not None
    assert mail is not None
    assert talk is not None
    link = choice_link(tenancy.require_merchant_id(), contact.id)
    return {
        "": {
            "ref": row.ref, "number": row.order_number, "person": _customer_of(row.ref), "pack": "house",
            "draft": _first("select ref from policy_policydraft order by id limit 1"), "mail": mail.id,
            "situation": "service", "view": 1,
        },
        "estimate_of": {"slug": "never-arrived"},
        "desk:call": {"ref": _first("select ref from calls_call where verified_at is not null order by id limit 1")},
        "track": {"token": tracking_token(row.ref)},
        "mail_choice": {"token": link.rsplit("/", 1)[1]},
        "desk:conversation": {"ref": talk.ref},
        "desk:webhook": {"ref": _first("select ref from webhooks_endpoint order by id limit 1")},
        "desk:welcome": {"token": "too-old"},
    }  # fmt: skip


def _customer_of(ref: str) -> int:
    return int(cases.case_view(ref).customer_id)


def _told(ref: str, *, anybody: bool) -> bool:
    decisions = cases.case_view(ref).decisions
    return bool(decisions) and (anybody or any(one.communicated_at is not None for one in decisions))


def client_of(who: str | int, *, language: str) -> Client:
    """Somebody with a browser: signed in, or known to the portal as a customer."""
    client = Client(headers={"Accept-Language": language})
    if isinstance(who, int):
        engine = import_string(f"{settings.SESSION_ENGINE}.SessionStore")()
        engine["customer"] = {"merchant": merchant_id_by_slug(SLUG), "id": who}
        engine.save()
        client.cookies[settings.SESSION_COOKIE_NAME] = engine.session_key
    elif who:
        email = f"{who}@duskanddawn.example"
        with db.atomically():
            db.execute("delete from accounts_tries")  # counted by address, which all tests share
        answer = client.post(f"/desk/{SLUG}/sign-in", {"email": email, "password": PASSWORD})
        assert answer.status_code == 302, answer.content.decode()
    return client


def enter(context: Any, who: str | int, address: str, *, language: str) -> None:
    """Give a browser the session of somebody who is known."""
    cookie = client_of(who, language=language).cookies.get(settings.SESSION_COOKIE_NAME)
    if cookie is not None:
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])


def of_roles() -> list[Visit]:
    """What differs most by role: the queue and the overview."""
    others = [one.role for one in STAFF if one.role != OWNER]
    named = [(name, reverse(f"desk:{name}", args=[SLUG])) for name in ("queue", "overview")]
    return [Visit(f"desk:{name}-{role}", path, role) for role in others for name, path in named]
