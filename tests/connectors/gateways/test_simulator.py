"""The simulator is as strict as the gateway it stands for, or what it proves is nothing."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from makegood.connectors.simulator.admin_client import AdminClient, AdminRefused
from makegood.connectors.simulator.faults import EXECUTION, NETWORK
from makegood.connectors.simulator.ledger import Ledger
from tests.gateway_simulator import GatewaySimulator


def call(
    simulator: GatewaySimulator, method: str, path: str, key: str | None = None, **params: str | int
) -> tuple[int, dict[str, str], Any]:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(simulator.url).port or 0, timeout=10)
    headers = {"Authorization": f"Bearer {simulator.api_key}"} | ({"Idempotency-Key": key} if key else {})
    try:
        connection.request(method, path, urlencode(params), headers)
        answer = connection.getresponse()
        body = answer.read()
        said = json.loads(body) if body.startswith((b"{", b"[")) else body
        return answer.status, dict(answer.headers.items()), said
    finally:
        connection.close()


def test_a_replay_is_the_same_bytes_and_says_so(simulator: GatewaySimulator) -> None:
    payment = simulator.admin.add_payment(5000, "eur")
    _, first_headers, first = call(simulator, "POST", "/v1/refunds", "k", charge=payment, amount=10)
    _, again_headers, again = call(simulator, "POST", "/v1/refunds", "k", charge=payment, amount=10)

    assert again == first
    assert "Idempotent-Replayed" not in first_headers
    assert again_headers["Idempotent-Replayed"] == "true"


def test_without_a_key_each_request_counts(simulator: GatewaySimulator) -> None:
    payment = simulator.admin.add_payment(5000, "eur")
    for _ in range(2):
        assert call(simulator, "POST", "/v1/refunds", charge=payment, amount=10)[0] == 200
    assert simulator.admin.payment(payment)["refunded"] == 20


def test_a_key_serves_one_request_only(simulator: GatewaySimulator) -> None:
    payment = simulator.admin.add_payment(5000, "eur")
    call(simulator, "POST", "/v1/refunds", "k", charge=payment, amount=10)

    status, _, said = call(simulator, "POST", "/v1/refunds", "k", charge=payment, amount=11)

    assert (status, said["error"]["type"]) == (400, "idempotency_error")
    assert simulator.admin.payment(payment)["refunded"] == 10


def test_a_forgotten_key_is_a_new_request(simulator: GatewaySimulator) -> None:
    payment = simulator.admin.add_payment(5000, "eur")
    call(simulator, "POST", "/v1/refunds", "k", charge=payment, amount=10)
    simulator.admin.advance(hours=23)
    assert simulator.admin.prune_keys(hours=24) == 0
    simulator.admin.advance(hours=2)
    assert simulator.admin.prune_keys(hours=24) == 1

    call(simulator, "POST", "/v1/refunds", "k", charge=payment, amount=10)

    assert simulator.admin.payment(payment)["refunded"] == 20


def test_a_malformed_request_is_not_remembered_but_a_refusal_is(simulator: GatewaySimulator) -> None:
    payment = simulator.admin.add_payment(5000, "eur")
    assert call(simulator, "POST", "/v1/refunds", "malformed", charge=payment, amount="x")[0] == 400
    assert call(simulator, "POST", "/v1/refunds", "malformed", charge=payment, amount=10)[0] == 200

    assert call(simulator, "POST", "/v1/refunds", "refused", charge=payment, amount=9999)[0] == 400
    _, headers, said = call(simulator, "POST", "/v1/refunds", "refused", charge=payment, amount=9999)
    assert headers["Idempotent-Replayed"] == "true"
    assert said["error"]["code"] == "amount_too_large"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"amount": 10, "favour": "yes"}, "parameter_unknown"),
        ({"amount": 0}, "parameter_invalid_integer"),
        ({"amount": -5}, "parameter_invalid_integer"),
        ({"amount": "1.5"}, "parameter_invalid_integer"),
        ({"amount": "١٠"}, "parameter_invalid_integer"),
        ({"amount": 10**13}, "parameter_invalid_integer"),
        ({"amount": 10, "currency": "usd"}, "currency_mismatch"),
        ({"amount": 10, "reason": "because"}, "parameter_invalid"),
        ({"amount": 10, "metadata[x]": "v" * 501}, "parameter_invalid"),
        ({"amount": 10, "metadata": "x"}, "parameter_invalid"),
        ({"amount": 5001}, "amount_too_large"),
        ({"amount": 10, "payment_intent": "pi_1"}, "parameter_missing"),
    ],
)
def test_a_wrong_request_moves_nothing(simulator: GatewaySimulator, params: dict[str, str | int], code: str) -> None:
    payment = simulator.admin.add_payment(5000, "eur")

    status, _, said = call(simulator, "POST", "/v1/refunds", None, charge=payment, **params)

    assert (status, said["error"]["code"]) == (400, code)
    assert simulator.admin.refunds() == []


@pytest.mark.parametrize(("currency", "amount"), [("kwd", 1234), ("isk", 150), ("ugx", 5)])
def test_amounts_a_currency_cannot_have_are_refused(simulator: GatewaySimulator, currency: str, amount: int) -> None:
    payment = simulator.admin.add_payment(50_000, currency)
    status, _, said = call(simulator, "POST", "/v1/refunds", charge=payment, amount=amount)
    assert (status, said["error"]["code"]) == (400, "invalid_charge_amount_no_decimal_compatible")


def test_the_books_themselves_refuse_an_over_refund(tmp_path: Path) -> None:
    books = Ledger(str(tmp_path / "books.sqlite"), "off")
    with books.transaction():
        payment = books.add_payment(amount=100, currency="eur", metadata={}, intent=None)
    too_much = {"amount": 101, "status": "succeeded", "reason": None, "metadata": {}, "key": None, "plan": None}

    with pytest.raises(Exception, match="CHECK constraint failed"), books.transaction():
        books.add_refund(payment["id"], too_much)
    assert books.rows("SELECT * FROM refunds") == []
    books.close()


def test_a_whole_refund_needs_no_amount_and_a_canceled_one_gives_it_back(simulator: GatewaySimulator) -> None:
    payment = simulator.admin.add_payment(5000, "eur")
    simulator.admin.fault("requires_action")
    _, _, refund = call(simulator, "POST", "/v1/refunds", charge=payment)
    assert (refund["amount"], refund["status"]) == (5000, "requires_action")

    _, _, canceled = call(simulator, "POST", f"/v1/refunds/{refund['id']}/cancel")

    assert canceled["status"] == "canceled"
    assert simulator.admin.payment(payment)["refunded"] == 0
    assert call(simulator, "POST", f"/v1/refunds/{refund['id']}/cancel")[0] == 400


def test_payments_are_made_by_the_official_library_too(simulator: GatewaySimulator) -> None:
    client = stripe.StripeClient(simulator.api_key, base_addresses={"api": simulator.url}, max_network_retries=0)
    intent = client.v1.payment_intents.create({"amount": 700, "currency": "jpy", "confirm": True})
    charge = client.v1.charges.create({"amount": 500, "currency": "eur", "source": "tok_visa"})

    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"
    assert client.v1.charges.retrieve(charge.id).amount_refunded == 0
    assert simulator.admin.payment(intent.id)["captured"] == 700
    with pytest.raises(stripe.InvalidRequestError, match="No such charge"):
        client.v1.charges.retrieve("ch_nobody")
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        client.v1.customers.create({})


def test_lists_page_both_ways(simulator: GatewaySimulator) -> None:
    client = stripe.StripeClient(simulator.api_key, base_addresses={"api": simulator.url}, max_network_retries=0)
    payment = simulator.admin.add_payment(5000, "eur")
    made = [client.v1.refunds.create({"charge": payment, "amount": 1}).id for _ in range(25)]

    assert [each.id for each in client.v1.refunds.list({"limit": 4}).auto_paging_iter()] == made[::-1]
    last_page = client.v1.refunds.list({"limit": 4, "ending_before": made[0]})
    assert [each.id for each in last_page.data] == made[4:0:-1]
    assert last_page.has_more


def test_a_fault_hits_only_the_key_and_the_times_it_was_meant_for(simulator: GatewaySimulator) -> None:
    payment = simulator.admin.add_payment(5000, "eur")
    simulator.admin.fault("decline", key="unlucky", times=None)
    simulator.admin.fault("unavailable", times=2)

    statuses = [call(simulator, "POST", "/v1/refunds", key, charge=payment, amount=1)[0] for key in "ab"]
    assert statuses == [503, 503]
    assert call(simulator, "POST", "/v1/refunds", "a", charge=payment, amount=1)[0] == 200
    assert call(simulator, "POST", "/v1/refunds", "unlucky", charge=payment, amount=1)[0] == 402
    assert simulator.admin.counters()["fault unavailable"] == 2
    simulator.admin.clear_faults()
    assert simulator.admin.call("GET", "/faults") == []


def test_the_admin_face_asks_for_its_token_and_says_what_was_wrong(simulator: GatewaySimulator) -> None:
    with pytest.raises(AdminRefused, match="wrong admin token"):
        AdminClient(simulator.admin_url, "guess").ledger()
    with pytest.raises(AdminRefused, match="unknown fault"):
        simulator.admin.fault("earthquake")
    with pytest.raises(AdminRefused, match="no such admin call"):
        simulator.admin.call("GET", "/nothing")
    with pytest.raises(AdminRefused, match="loopback"):
        simulator.admin.configure_webhooks("http://example.com/", "whsec")
    with pytest.raises(AdminRefused, match="no webhook address"):
        simulator.admin.deliver()


def test_two_simulators_run_side_by_side_and_end_with_their_starter(tmp_path: Path) -> None:
    with GatewaySimulator(tmp_path / "a") as one, GatewaySimulator(tmp_path / "b") as two:
        one.admin.add_payment(5000, "eur")
        assert one.url != two.url
        assert two.admin.ledger()["payments"] == []

    command = [sys.executable, "-m", "makegood.connectors.simulator", "--until-stdin-ends"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as orphan:
        assert orphan.stdout is not None
        assert orphan.stdin is not None
        assert json.loads(orphan.stdout.readline())["pid"] == orphan.pid
        orphan.stdin.close()
        assert orphan.wait(10) == 0


def test_every_fault_and_option_is_in_the_guide() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "how-to" / "connect-stripe.md").read_text(encoding="utf-8")
    usage = subprocess.run(
        [sys.executable, "-m", "makegood.connectors.simulator", "--help"], capture_output=True, text=True, check=True
    ).stdout

    missing = [fault for fault in sorted(NETWORK | EXECUTION) if f"`{fault}`" not in guide]
    missing += [option for option in set(re.findall(r"--[a-z-]+", usage)) - {"--help"} if option not in guide]

    assert missing == []
