"""Mailboxes at the desk: connected, tried, changed, let go; for who manages the merchant."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from makegood.accounts.actors import Actor, require
from makegood.accounts.models import Merchant
from makegood.accounts.states import May
from makegood.conversations import commands, queries
from makegood.conversations.commands.mailboxes import MailboxMalformed, Server
from makegood.conversations.models import Mailbox
from makegood.desk.members import for_staff
from makegood.desk.rendering import page
from makegood.kit import errors, outgoing

PORTS = {"imap": 993, "smtp": 465}
SECURITIES = ("tls", "starttls")


@require_http_methods(["GET", "POST"])
@for_staff
def mailboxes(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """Every mailbox with how it is doing, and the form that connects one or, with ``?change=``, changes one."""
    require(actor, May.MANAGE)
    refusal: errors.DomainError | None = None
    if request.method == "POST":
        act = ACTIONS.get(request.POST.get("do", ""), _connect)
        try:
            act(request, actor)
        except errors.DomainError as refused:
            refusal = refused
        else:
            return redirect("desk:mailboxes", merchant.slug)
    found = queries.mailboxes()
    changed = next((one for one in found if one.address == request.GET.get("change")), None)
    return page(
        request,
        merchant,
        "mailboxes",
        actor=actor,
        refusal=refusal,
        administering="mailboxes",
        mailboxes=[one for one in found if one.active],
        changed=changed,
        form=request.POST if refusal else _form_of(changed),
        securities=SECURITIES,
    )


def _form_of(known: Mailbox | None) -> dict[str, object]:
    """What the form begins with, by the names of its fields."""
    if known is None:
        return {"imap_port": PORTS["imap"], "smtp_port": PORTS["smtp"], "plus_addresses": "1"}
    names = ("address", "name", "imap_host", "imap_port", "imap_security", "imap_user", "folder",
             "smtp_host", "smtp_port", "smtp_security", "smtp_user", "results_from")  # fmt: skip
    told: dict[str, object] = {name: getattr(known, name) for name in names}
    return {**told, "aliases": ", ".join(known.aliases), "plus_addresses": "1" if known.plus_addresses else ""}


def _connect(request: HttpRequest, actor: Actor) -> None:
    """Store it, then try it: what does not work is said at once, and what was typed is kept all the same."""
    sides = {what: _server(request.POST, what) for what in PORTS}
    if not any(side.host for side in sides.values()):
        raise MailboxMalformed("", field="imap_host", rule="a_server_to_read_or_to_send")
    for what, side in sides.items():
        if side.host:
            outgoing.check_host(side.host, field=f"{what}_host")
    connected = commands.connect_mailbox(
        address=request.POST.get("address", ""),
        imap=sides["imap"],
        smtp=sides["smtp"],
        name=request.POST.get("name", ""),
        folder=request.POST.get("folder", "").strip()[:200],
        aliases=[one for one in request.POST.get("aliases", "").replace("，", ",").replace(",", " ").split() if one],
        plus_addresses=bool(request.POST.get("plus_addresses")),
        results_from=request.POST.get("results_from", ""),
        keep_passwords=True,
        actor=actor,
        at=timezone.now(),
    )
    _say_how_it_works(request, connected)


def _server(posted: QueryDict, what: str) -> Server:
    host = posted.get(f"{what}_host", "").strip()
    user, password = posted.get(f"{what}_user", "").strip(), posted.get(f"{what}_password", "")
    if what == "smtp" and posted.get("same_sign_in"):
        user, password = (
            posted.get("imap_user", "").strip() or posted.get("address", ""),
            posted.get("imap_password", ""),
        )
    return Server(host, _port(posted, what), posted.get(f"{what}_security", "tls"), user[:200], password[:500])


def _port(posted: QueryDict, what: str) -> int:
    told = posted.get(f"{what}_port", "").strip()
    if told and not (told.isascii() and told.isdecimal() and len(told) < 6):
        raise MailboxMalformed(told[:20], field=f"{what}.port", rule="1_to_65535")
    return int(told or PORTS[what])


def _try(request: HttpRequest, _actor: Actor) -> None:
    _say_how_it_works(request, queries.mailbox(request.POST.get("mailbox", "")))


def _say_how_it_works(request: HttpRequest, known: Mailbox) -> None:
    tried = commands.try_mailbox(known)
    if tried.works:
        messages.success(request, _("%(address)s works: its servers let us in.") % {"address": known.address})
    if tried.fetching:
        messages.error(request, _("Reading does not work: %(why)s") % {"why": tried.fetching})
    if tried.sending:
        messages.error(request, _("Sending does not work: %(why)s") % {"why": tried.sending})


def _disconnect(request: HttpRequest, actor: Actor) -> None:
    address = request.POST.get("mailbox", "")
    commands.disconnect_mailbox(address=address, actor=actor)
    messages.success(request, _("%(address)s is let go; what came stays.") % {"address": address})


ACTIONS: dict[str, Callable[[HttpRequest, Actor], None]] = {"try": _try, "disconnect": _disconnect}
