"""Messages of gateways: verified, kept once, then read. A message about a refund is a reason to look, not a state."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.connectors.gateways import GatewayEvent, GatewayEventKind, WebhookForged
from makegood.kit import db, errors, jobs
from makegood.kit.money import Money
from makegood.settlement import gateways
from makegood.settlement.commands import disputing, sending
from makegood.settlement.commands.disputing import Told
from makegood.settlement.commands.rows import Row
from makegood.settlement.states import NoticeTrouble, PayoutState

READ_NOTICE = "settlement.read_notice"
# By then the job has read it, or died.
UNREAD_AFTER = timedelta(minutes=1)

_REFUNDS = frozenset(
    {GatewayEventKind.REFUND_SUCCEEDED, GatewayEventKind.REFUND_FAILED, GatewayEventKind.REFUND_UPDATED}
)


class NoticeUnknown(errors.Unknown):
    code = "gateway_notice_unknown"
    message = "There is no gateway message {value}."


def receive_webhook(*, name: str, headers: Mapping[str, str], body: bytes, at: datetime) -> int:
    """Verify the raw bytes for the merchant in sight, then keep what they say; how many messages were new.

    Nothing is read from bytes that no secret of the merchant has signed.
    Raises WebhookForged (also where the gateway is not connected), WebhookStale, WebhookMalformed.
    """
    secrets = gateways.webhook_secrets(name)
    if not secrets:
        raise WebhookForged(rule="no_known_secret_signed_it")
    events = gateways.connection_to(name).read_webhook(headers, body, secrets=secrets, at=at)
    return db.with_retries(lambda: keep_notices(gateway=name, events=events, at=at))


@db.command
def keep_notices(*, gateway: str, events: Sequence[GatewayEvent], at: datetime) -> int:
    """Store each message once, however often and however parallel it comes, and leave the job that reads it."""
    kept = 0
    for event in events:
        if event.kind is GatewayEventKind.IGNORED:
            continue
        row = db.fetch_one(
            "insert into settlement_gatewaynotice"
            " (gateway, event_id, kind, body, received_at, trouble, seen_by) values (%s, %s, %s, %s, %s, '', '')"
            " on conflict (merchant_id, gateway, event_id) do nothing returning id",
            [gateway, event.event_id[:200], event.kind, json.dumps(_as_json(event)), at],
        )
        if row is not None:
            jobs.leave(READ_NOTICE, queue="payout", notice_id=row["id"])
            kept += 1
    return kept


def _as_json(event: GatewayEvent) -> dict[str, Any]:
    names = event.payment_names or ((event.payment_reference,) if event.payment_reference else ())
    return {
        "reference": event.reference,
        "payment_names": list(names),
        "payout_key": event.payout_key,
        "amount_minor": event.amount.minor if event.amount else None,
        "currency": event.amount.currency if event.amount else None,
        "happened_at": event.happened_at.isoformat(),
        "detail": event.detail[:500],
    }


def read_notice(notice_id: int, *, at: datetime) -> None:
    """Put a message into effect; safe to repeat. One about a refund is answered by the gateway's own books."""
    notice = _unread(notice_id)
    if notice is None:
        return
    if notice["kind"] not in _REFUNDS:
        db.with_retries(lambda: _apply_dispute(notice_id=notice_id, at=at))
        return
    payout = _payout_of(notice)
    if payout is None:
        key = notice["body"]["payout_key"]
        trouble = NoticeTrouble.UNKNOWN_PAYOUT if key else NoticeTrouble.MADE_ELSEWHERE
        _finish(notice_id=notice_id, trouble=trouble, at=at)
        return
    # Also an accepted payout whose refund is still pending is told: there is nothing more to learn now.
    if sending.look_up(payout["id"], at=at, forced=True, resend=False):
        given_up = payout["state"] == PayoutState.VOID and notice["kind"] == GatewayEventKind.REFUND_SUCCEEDED
        _finish(notice_id=notice_id, trouble=NoticeTrouble.GIVEN_UP if given_up else "", at=at)


@db.query
def _unread(notice_id: int) -> Row | None:
    notice = db.fetch_one("select * from settlement_gatewaynotice where id = %s and applied_at is null", [notice_id])
    return None if notice is None else {**notice, "body": db.read_json(notice["body"])}


@db.query
def _payout_of(notice: Row) -> Row | None:
    body = notice["body"]
    found = db.fetch(
        "select id, state from settlement_payout where gateway = %s and (key::text = %s or gateway_reference = %s)"
        " order by (key::text = %s) desc, (state = 'void'), id desc limit 1",
        [notice["gateway"], body["payout_key"] or "", body["reference"] or "-", body["payout_key"] or ""],
    )
    return found[0] if found else None


@db.command
def _finish(*, notice_id: int, trouble: str, at: datetime) -> None:
    db.send(
        "update settlement_gatewaynotice set applied_at = %s, trouble = %s where id = %s and applied_at is null",
        [at, trouble, notice_id],
    )


@db.command
def _apply_dispute(*, notice_id: int, at: datetime) -> None:
    """Disputes, and what cannot be understood: effect and mark in one transaction."""
    locked = db.fetch_one(
        "select * from settlement_gatewaynotice where id = %s and applied_at is null for update", [notice_id]
    )
    if locked is None:
        return
    body = db.read_json(locked["body"])
    trouble: str = NoticeTrouble.UNCLEAR
    if body["amount_minor"] is not None and body["reference"]:
        told = Told(
            gateway=locked["gateway"],
            reference=body["reference"],
            payment_names=tuple(body["payment_names"]),
            amount=Money(body["amount_minor"], body["currency"]),
            at=datetime.fromisoformat(body["happened_at"]),
        )
        if locked["kind"] == GatewayEventKind.DISPUTE_OPENED:
            trouble = disputing.open_dispute(told, at=at)
        elif locked["kind"] in {GatewayEventKind.DISPUTE_WON, GatewayEventKind.DISPUTE_LOST}:
            trouble = disputing.end_dispute(told, won=locked["kind"] == GatewayEventKind.DISPUTE_WON, at=at)
    db.send("update settlement_gatewaynotice set applied_at = %s, trouble = %s where id = %s", [at, trouble, notice_id])


@db.command
def dismiss_notice(*, notice_id: int, actor: Actor, at: datetime) -> None:
    """A person has dealt with a message that needed one. Raises NotAllowed, NoticeUnknown."""
    del at
    require(actor, May.CONFIRM_PAYOUT)
    if not db.execute(
        "update settlement_gatewaynotice set seen_by = %s where id = %s and trouble <> ''", [actor.key, notice_id]
    ):
        raise NoticeUnknown(notice_id, field="notice", rule="waits_for_a_person")


@db.query
def merchants_with_notices(at: datetime, limit: int) -> list[int]:
    """Merchants with messages that nobody has read in time, whoever is in sight."""
    return [
        row["id"]
        for row in db.fetch(
            "select id from settlement_merchants_with_notices(%s, %s) as id", [at - UNREAD_AFTER, limit]
        )
    ]


def sweep_notices(at: datetime, *, limit: int = 50) -> int:
    """Read what was left unread: its job died, or the gateway did not answer; how many were read."""
    read = 0
    for notice_id in _left_unread(at, limit):
        read_notice(notice_id, at=at)
        read += _unread(notice_id) is None
    return read


@db.query
def _left_unread(at: datetime, limit: int) -> list[int]:
    return [
        row["id"]
        for row in db.fetch(
            "select id from settlement_gatewaynotice where applied_at is null and received_at <= %s"
            " order by received_at limit %s for update skip locked",
            [at - UNREAD_AFTER, limit],
        )
    ]
