"""The subset of Stripe's API that refunds need, as strict as the original."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from makegood.connectors.simulator.faults import Fault
from makegood.connectors.simulator.ledger import Ledger, Row, new_id
from makegood.connectors.simulator.wire import (
    Params,
    Refusal,
    Reply,
    bad_parameter,
    done,
    metadata,
    only,
    whole_number,
)
from makegood.connectors.stripe.amounts import THREE_DECIMALS, WHOLE_UNITS_ONLY

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
BLOCKING_DISPUTES = ("needs_response", "under_review", "lost")


class StripeApi:
    """``handle`` runs inside the ledger's transaction; what it raises as Refusal is an answer too."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Reply]]] = [
            ("POST", re.compile(r"/v1/charges"), self._create_charge),
            ("GET", re.compile(r"/v1/charges/(\w+)"), self._get_charge),
            ("POST", re.compile(r"/v1/payment_intents"), self._create_intent),
            ("GET", re.compile(r"/v1/payment_intents/(\w+)"), self._get_intent),
            ("POST", re.compile(r"/v1/refunds"), self._create_refund),
            ("GET", re.compile(r"/v1/refunds"), self._list_refunds),
            ("GET", re.compile(r"/v1/refunds/(\w+)"), self._get_refund),
            ("POST", re.compile(r"/v1/refunds/(\w+)/cancel"), self._cancel_refund),
            ("GET", re.compile(r"/v1/disputes/(\w+)"), self._get_dispute),
        ]

    def handle(self, method: str, path: str, params: Params, key: str | None, fault: Fault | None) -> Reply:
        """Execute one call. Raises Refusal."""
        for verb, pattern, action in self._routes:
            match = pattern.fullmatch(path)
            if verb == method and match:
                return action(*match.groups(), params=params, key=key, fault=fault)
        raise Refusal(404, f"Unrecognized request URL ({method}: {path}).", saved=False)

    def _create_charge(self, *, params: Params, key: str | None, fault: Fault | None) -> Reply:
        del key
        only(params, "amount", "currency", "source", "description", "metadata", "capture")
        _inner_error(fault)
        payment = self._ledger.add_payment(
            amount=_charge_amount(params), currency=params["currency"], metadata=metadata(params), intent=None
        )
        self._ledger.add_event("charge.succeeded", charge_object(payment))
        return _after(done(charge_object(payment)), fault)

    def _get_charge(self, name: str, **_: Any) -> Reply:
        return done(charge_object(self._payment(name, "charge")))

    def _create_intent(self, *, params: Params, key: str | None, fault: Fault | None) -> Reply:
        del key
        known = ("amount", "currency", "payment_method", "confirm", "description", "metadata", "payment_method_types")
        only(params, *known, "automatic_payment_methods")
        if params.get("confirm") != "true":
            raise bad_parameter("confirm", "The simulator takes payments at once: confirm must be true")
        _inner_error(fault)
        payment = self._ledger.add_payment(
            amount=_charge_amount(params),
            currency=params["currency"],
            metadata=metadata(params),
            intent=new_id("pi"),
        )
        self._ledger.add_event("payment_intent.succeeded", intent_object(payment))
        return _after(done(intent_object(payment)), fault)

    def _get_intent(self, name: str, **_: Any) -> Reply:
        return done(intent_object(self._payment(name, "payment_intent")))

    def _create_refund(self, *, params: Params, key: str | None, fault: Fault | None) -> Reply:
        only(params, "charge", "payment_intent", "amount", "currency", "metadata", "reason")
        named = [field for field in ("charge", "payment_intent") if params.get(field)]
        if len(named) != 1:
            raise bad_parameter("charge", "One of charge and payment_intent is required.", "parameter_missing")
        if params.get("reason") not in (None, *REASONS):
            raise bad_parameter("reason", f"Invalid reason: must be one of {', '.join(REASONS)}")
        notes = metadata(params)
        asked = whole_number(params, "amount") if "amount" in params else None
        _inner_error(fault)
        payment = self._payment(str(params[named[0]]), named[0])
        amount = self._refundable(payment, asked, params)
        if fault is not None and fault.kind == "decline":
            raise _decline(fault)
        status, plan = _fate(fault)
        if fault is not None and fault.kind == "wrong_amount" and fault.settings.get("really"):
            amount = int(fault.settings["amount"])
        refund = self._ledger.add_refund(
            payment["id"],
            {
                "amount": amount,
                "status": status,
                "plan": plan,
                "reason": params.get("reason"),
                "metadata": notes,
                "key": key,
            },
        )
        self._ledger.add_event("refund.created", refund_object(refund))
        self._ledger.add_event("charge.refunded", charge_object(self._payment(payment["id"], "charge")))
        return _after(done(refund_object(refund)), fault)

    def _refundable(self, payment: Row, asked: int | None, params: Params) -> int:
        """The amount to refund. Raises Refusal where the payment does not allow it."""
        currency = payment["currency"]
        if params.get("currency", currency) != currency:
            message = f"The refund's currency {params['currency']} is not the charge's currency {currency}."
            raise Refusal(400, message, param="currency", code="currency_mismatch")
        dispute = self._ledger.row(
            f"SELECT id FROM disputes WHERE charge = ? AND status IN ({','.join('?' * len(BLOCKING_DISPUTES))})",
            *(payment["id"], *BLOCKING_DISPUTES),
        )
        if dispute is not None:
            message = f"Charge {payment['id']} has been charged back; cannot issue a refund."
            raise Refusal(400, message, code="charge_disputed")
        left = payment["captured"] - payment["refunded"]
        if left == 0:
            message = f"Charge {payment['id']} has already been refunded."
            raise Refusal(400, message, code="charge_already_refunded")
        amount = left if asked is None else asked
        if amount > left:
            message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
            raise Refusal(400, message, param="amount", code="amount_too_large")
        _check_step(amount, currency)
        return amount

    def _get_refund(self, reference: str, **_: Any) -> Reply:
        return done(refund_object(self._refund(reference)))

    def _cancel_refund(self, reference: str, *, params: Params, fault: Fault | None, **_: Any) -> Reply:
        only(params)
        _inner_error(fault)
        if self._refund(reference)["status"] != "requires_action":
            raise Refusal(400, "Only a refund that requires action can be canceled.", code="refund_not_cancelable")
        refund = refund_object(self._ledger.turn_refund(reference, "canceled", None))
        self._ledger.add_event("refund.updated", refund)
        return _after(done(refund), fault)

    def _list_refunds(self, *, params: Params, **_: Any) -> Reply:
        only(params, "charge", "payment_intent", "created", "limit", "starting_after", "ending_before")
        limit = whole_number(params, "limit", at_most=100) if "limit" in params else 10
        where, values = ["1=1"], []
        for field in ("charge", "payment_intent"):
            if field in params:
                where.append("p.id = ?")
                values.append(self._payment(params[field], field)["id"])
        created = params.get("created", {})
        bounds = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
        for name in created if isinstance(created, dict) else {"": created}:
            where.append(f"r.created {bounds.get(name, '=')} ?")
            values.append(whole_number(created, name, at_least=0) if name else whole_number(params, "created"))
        backwards = "ending_before" in params
        for name, sign in (("starting_after", "<"), ("ending_before", ">")):
            if name in params:
                where.append(f"r.seq {sign} ?")
                values.append(self._refund(params[name])["seq"])
        rows = self._ledger.rows(
            "SELECT r.*, p.currency, p.payment_intent FROM refunds r JOIN payments p ON p.id = r.charge"
            f" WHERE {' AND '.join(where)} ORDER BY r.seq {'ASC' if backwards else 'DESC'} LIMIT ?",
            *(*values, limit + 1),
        )
        page = [refund_object(row) for row in rows[:limit]]
        page = page[::-1] if backwards else page
        return done({"object": "list", "url": "/v1/refunds", "has_more": len(rows) > limit, "data": page})

    def _get_dispute(self, reference: str, **_: Any) -> Reply:
        try:
            return done(dispute_object(self._ledger.dispute(reference)))
        except KeyError:
            raise _missing("dispute", reference) from None

    def _payment(self, name: str, field: str) -> Row:
        found = self._ledger.payment(str(name)) if field == "charge" or str(name).startswith("pi_") else None
        if found is None or (field == "charge" and str(name).startswith("pi_")):
            raise _missing(field, str(name))
        return found

    def _refund(self, reference: str) -> Row:
        try:
            return self._ledger.refund(str(reference))
        except KeyError:
            raise _missing("refund", str(reference)) from None


def charge_object(row: Row) -> Row:
    return {
        "id": row["id"],
        "object": "charge",
        "amount": row["captured"],
        "amount_captured": row["captured"],
        "amount_refunded": row["refunded"],
        "captured": True,
        "created": row["created"],
        "currency": row["currency"],
        "disputed": row["disputed"] > 0,
        "livemode": False,
        "metadata": json.loads(row["metadata"]),
        "paid": True,
        "payment_intent": row["payment_intent"],
        "refunded": row["refunded"] == row["captured"],
        "status": "succeeded",
    }


def intent_object(row: Row) -> Row:
    return {
        "id": row["payment_intent"],
        "object": "payment_intent",
        "amount": row["captured"],
        "amount_received": row["captured"],
        "created": row["created"],
        "currency": row["currency"],
        "latest_charge": row["id"],
        "livemode": False,
        "metadata": json.loads(row["metadata"]),
        "status": "succeeded",
    }


def refund_object(row: Row) -> Row:
    return {
        "id": row["id"],
        "object": "refund",
        "amount": row["amount"],
        "charge": row["charge"],
        "created": row["created"],
        "currency": row["currency"],
        **({"failure_reason": row["failure_reason"]} if row["failure_reason"] else {}),
        "metadata": json.loads(row["metadata"]),
        "payment_intent": row["payment_intent"],
        "reason": row["reason"],
        "status": row["status"],
    }


def dispute_object(row: Row) -> Row:
    return {
        "id": row["id"],
        "object": "dispute",
        "amount": row["amount"],
        "charge": row["charge"],
        "created": row["created"],
        "currency": row["currency"],
        "is_charge_refundable": row["status"].startswith("warning_"),
        "livemode": False,
        "metadata": {},
        "payment_intent": row["payment_intent"],
        "reason": row["reason"],
        "status": row["status"],
    }


def _charge_amount(params: Params) -> int:
    currency = params.get("currency", "")
    if not re.fullmatch("[a-z]{3}", currency):
        raise bad_parameter("currency", f"Invalid currency: {currency}. Use three lowercase letters.")
    amount = whole_number(params, "amount")
    _check_step(amount, currency)
    return amount


def _check_step(amount: int, currency: str) -> None:
    code = currency.upper()
    step = 100 if code in WHOLE_UNITS_ONLY else 10 if code in THREE_DECIMALS else 1
    if amount % step:
        message = f"Invalid amount. Amounts in {code} must be evenly divisible by {step}."
        raise Refusal(400, message, param="amount", code="invalid_charge_amount_no_decimal_compatible")


def _missing(kind: str, name: str) -> Refusal:
    return Refusal(404, f"No such {kind}: '{name}'", param=kind, code="resource_missing")


def _inner_error(fault: Fault | None) -> None:
    """``status_500_before``: execution began and broke before anything was done; the 500 is remembered."""
    if fault is not None and fault.kind == "status_500_before":
        raise Refusal(500, "Something went wrong.", saved=bool(fault.settings.get("stored", True)), type="api_error")


def _decline(fault: Fault) -> Refusal:
    status = int(fault.settings.get("status", 402))
    code = str(fault.settings.get("code", "card_declined"))
    kind = "card_error" if status == 402 else "invalid_request_error"
    return Refusal(status, f"The refund was declined: {code}.", type=kind, code=code)


def _fate(fault: Fault | None) -> tuple[str, str | None]:
    fates = {
        "accept_then_fail": ("pending", "failed"),
        "accept_then_succeed": ("pending", "succeeded"),
        "accept": ("pending", None),
        "requires_action": ("requires_action", None),
    }
    return ("succeeded", None) if fault is None else fates.get(fault.kind, ("succeeded", None))


def _after(reply: Reply, fault: Fault | None) -> Reply:
    """Spoil the answer of a call which was executed."""
    if fault is None:
        return reply
    if fault.kind == "status_500_after_doing":
        return Refusal(500, "Something went wrong.", type="api_error").reply()
    thing = json.loads(reply.body)
    if fault.kind == "wrong_amount":
        thing["amount"] = int(fault.settings.get("amount", thing["amount"] - 1))
    if fault.kind == "wrong_currency":
        thing["currency"] = str(fault.settings.get("currency", "usd" if thing["currency"] != "usd" else "eur"))
    return done(thing)
