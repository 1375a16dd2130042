"""What agents can do with the tools, and what no tool lets them do."""

from __future__ import annotations

import base64
import io
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from mcp.client import Client
from PIL import Image

from makegood.accounts import commands as accounts
from makegood.accounts.states import May
from makegood.cases import commands as cases
from makegood.cases.queries import case_view
from makegood.mcp.session import open_session
from makegood.mcp.toolbox import answer
from makegood.mcp.tools import TOOLS
from tests.mcp.agents import agent, over_protocol, session
from tests.shop import AGENT, NOON, OWNER, Bought, ask, sell

pytestmark = pytest.mark.usefixtures("merchant")
READ = frozenset({May.READ})


def key(name: str) -> str:
    return f"key-of-{name}"


def test_an_agent_cancels_an_order_that_has_not_left() -> None:
    order = sell(Bought(paid=12_000), position="not_shipped")
    bot = agent(customer=order.customer.id)

    told = bot.use("cancel_order", order=order.number, reason="changed_mind", request_key=key("cancel"))

    assert told["outcome"] == "granted"
    assert told["decision"]["total"] == {"currency": "CNY", "amount": "120.00"}
    assert bot.use("show_order", order=order.number)["lines"][0]["left"] == 0


def test_the_same_request_key_does_it_once() -> None:
    order = sell(Bought(quantity=2, paid=12_000), position="not_shipped")
    bot = agent(customer=order.customer.id)
    wish = {"order": order.number, "reason": "changed_mind", "lines": [{"line": "1"}], "request_key": key("once")}

    first, again = bot.use("cancel_order", **wish), bot.use("cancel_order", **wish)

    assert (first["case"], first["outcome"]) == (again["case"], again["outcome"])
    assert bot.use("show_order", order=order.number)["lines"][0]["left"] == 1


def test_above_the_caller_s_limit_a_person_must_approve() -> None:
    order = sell(Bought(paid=600_00), position="not_shipped")
    bot = agent(role="agent")

    told = bot.use("cancel_order", order=order.number, reason="changed_mind", request_key=key("limit"))

    assert (told["outcome"], told["waits_because"]) == ("waits_for_person", "above_limit")
    assert case_view(told["case"]).state == "planned"


def test_what_the_policy_denies_is_told_with_its_rule_and_can_be_appealed() -> None:
    order = sell(Bought(paid=100_00))
    late = sell(Bought(paid=100_00), at=NOON - timedelta(days=90))
    bot = agent(customer=late.customer.id)

    told = bot.use(
        "return_items", order=late.number, lines=[{"line": "1"}], reason="changed_mind", request_key=key("late")
    )

    assert told["outcome"] == "denied", told
    assert told["decision"]["refused"][0]["rule"]
    assert bot.use("show_case", case=told["case"])["may_appeal"]
    assert bot.refused("show_order", order=order.number) == "order_unknown"


def test_a_quote_leaves_nothing_behind() -> None:
    order = sell(Bought(paid=100_00))
    bot = agent(customer=order.customer.id)

    told = bot.use("quote_request", order=order.number, kind="return", reason="damaged", lines=[{"line": "1"}])

    assert told["quote"]["verdict"] in {"grant", "partly"}
    assert told["evidence_taken_for_brought"] == [["photo"]]
    assert bot.use("list_cases")["cases"] == []


def test_an_agent_files_brings_evidence_decides_and_approves(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "UPLOADS_DIR", tmp_path)
    order = sell(Bought(paid=100_00))
    bot = agent(customer=order.customer.id)
    picture = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(picture, "PNG")

    filed = bot.use(
        "file_case",
        kind="return",
        reason="damaged",
        order=order.number,
        lines=[{"line": "1"}],
        statement="It arrived broken.",
        request_key=key("file"),
    )
    bot.use(
        "add_evidence",
        case=filed["ref"],
        kind="photo",
        name="broken.png",
        content_base64=base64.b64encode(picture.getvalue()).decode(),
    )
    decided = bot.use("decide_case", case=filed["ref"])
    preview = bot.use("preview_case", case=filed["ref"])
    decision, total = decided["decision"]["decision"], decided["decision"]["total"]["amount"]

    assert preview["approving_would_refuse"] is None
    assert bot.refused("approve_case", case=filed["ref"], decision=decision, total="1.00") == "total_differs"
    approved = bot.use("approve_case", case=filed["ref"], decision=decision, total=total)
    assert approved["state"] == "approved"
    assert case_view(filed["ref"]).evidence[0].party == "customer"
    assert any(one["account"] for one in bot.use("show_statement", order=order.number)["postings"])


def test_the_owner_s_notes_and_proposals_stay_out_of_a_customer_s_session() -> None:
    order = sell(Bought(paid=100_00))
    case = ask(order, "return", "changed_mind")
    cases.add_message(ref=case.ref, body="looks like fraud to me", internal=True, actor=AGENT, at=NOON)
    cases.record_finding(ref=case.ref, fact="findings.fault", value="customer", how="called", actor=AGENT, at=NOON)
    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
    bot = agent(customer=order.customer.id, scopes=frozenset({May.READ, May.FILE}))

    seen = str([bot.use(tool, case=case.ref) for tool in ("show_case", "show_timeline")])

    assert "fraud" not in seen
    assert "called" not in seen
    assert bot.use("show_case", case=case.ref)["decisions"] == []
    assert bot.refused("write_message", case=case.ref, body="?", internal=True) == "argument_malformed"
    staff = agent()
    assert "fraud" in str(staff.use("show_case", case=case.ref))


@pytest.mark.parametrize("tool", [name for name, one in TOOLS.items() if one.needs != May.READ])
def test_a_tool_needs_its_scope(tool: str) -> None:
    """Before its arguments are looked at, so that nothing is learned from the refusal."""
    expected = {"not_allowed"} if TOOLS[tool].for_customers else {"tool_unknown", "not_allowed"}

    assert agent(scopes=READ).refused(tool) in expected
    assert agent(scopes=frozenset()).refused(tool) in expected


def test_nobody_reviews_or_decides_beyond_the_policy_by_a_tool() -> None:
    assert not {"review_appeal", "decide_by_hand"} & set(TOOLS)
    assert all(one.needs in {May.READ, May.FILE, May.HANDLE, May.APPROVE} for one in TOOLS.values())
    assert agent(customer=1).refused("record_finding", case="C-1", fact="x", value=1, how="y") == "tool_unknown"


def test_who_approved_by_a_tool_is_named_as_the_token() -> None:
    order = sell(Bought(paid=100_00), position="not_shipped")
    told = agent(token=77).use("cancel_order", order=order.number, reason="changed_mind", request_key=key("named"))

    assert {event.actor for event in case_view(told["case"]).events if event.kind == "approved"} == {"integration:77"}


def test_many_calls_in_one_are_each_done_or_refused_by_themselves() -> None:
    orders = [sell(Bought(paid=100_00), position="not_shipped") for _ in range(3)]
    bot = agent()
    calls: list[dict[str, Any]] = [
        {
            "tool": "cancel_order",
            "arguments": {"order": order.number, "reason": "changed_mind", "request_key": key(order.number)},
        }
        for order in orders
    ]
    calls.insert(1, {"tool": "show_order", "arguments": {"order": "nothing"}})
    calls.append({"tool": "do_many", "arguments": {"calls": []}})

    told = bot.use("do_many", calls=calls)

    assert [one["done"] for one in told["results"]] == [True, False, True, True, False]
    assert [one["refusal"]["code"] for one in told["results"] if not one["done"]] == ["order_unknown", "tool_unknown"]
    assert bot.use("do_many", calls=calls[1:], stop_at_refusal=True)["left_out"] == 3


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"order": "x", "lines": []}, "lines"),
        ({"order": "x", "lines": [{"line": "1", "quantity": -1}]}, "lines.0.quantity"),
        ({"order": "x", "lines": [{"line": "1", "odd": 1}]}, "lines.0.odd"),
        ({"order": "x\0", "lines": [{"line": "1"}], "request_key": "12345678"}, "order"),
    ],
)
def test_arguments_that_do_not_fit_are_named(arguments: dict[str, Any], field: str) -> None:
    told = answer(session(), "return_items", arguments)

    assert (told.refused, told.document["code"], told.document["field"]) == (True, "argument_malformed", field)


def test_over_the_protocol_a_session_sees_the_tools_open_to_it_with_their_hints() -> None:
    async def talk(client: Client) -> Any:
        return {tool.name: tool.annotations for tool in (await client.list_tools()).tools}

    reader = over_protocol(session(scopes=READ), talk)
    held = over_protocol(session(customer=1), talk)

    assert set(reader) == {name for name, one in TOOLS.items() if one.needs == May.READ}
    assert "record_finding" not in held
    assert (reader["show_case"].read_only_hint, reader["show_case"].destructive_hint) == (True, False)
    assert (held["approve_case"].read_only_hint, held["approve_case"].destructive_hint) == (False, True)
    assert (held["file_case"].destructive_hint, held["file_case"].idempotent_hint) == (False, True)


def test_over_the_protocol_a_refusal_has_its_code_and_its_words() -> None:
    async def talk(client: Client) -> Any:
        return await client.call_tool("show_case", {"case": "C-NOTHERE"})

    result = over_protocol(session(), talk)

    assert result.is_error
    assert result.structured_content["code"] == "case_unknown"
    assert result.content[0].text.startswith("case_unknown: ")


def test_a_token_that_ended_meanwhile_opens_nothing_more() -> None:
    order = sell(Bought(paid=100_00))
    secret = accounts.issue_token(label="bot", scopes=["read"], actor=OWNER, at=NOON)
    held = open_session(secret, at=NOON)

    def use() -> str:
        told = answer(held, "show_order", {"order": order.number}, renew=lambda _held: open_session(secret, at=NOON))
        return str(told.document.get("code", "shown"))

    assert use() == "shown"
    accounts.revoke_token(token_id=held.actor.id or 0, actor=OWNER, at=NOON)
    assert use() == "token_invalid"


def test_a_token_held_to_a_customer_opens_their_session_and_no_route_of_the_api(client: Any) -> None:
    mine, other = sell(Bought(paid=100_00)), sell(Bought(paid=100_00))
    secret = accounts.issue_token(
        label="bot", scopes=["read"], role="agent", customer_id=mine.customer.id, actor=OWNER, at=NOON
    )

    opened = open_session(secret, at=NOON)

    assert opened.customer_id == mine.customer.id
    assert open_session(secret, customer=mine.customer.reference, at=NOON).customer_id == mine.customer.id
    with pytest.raises(Exception, match="held to another customer"):
        open_session(secret, customer=other.customer.reference, at=NOON)
    answered = client.get(f"/api/v1/orders/{mine.number}", headers={"Authorization": f"Bearer {secret}"})
    assert (answered.status_code, answered.json()["code"]) == (403, "token_held_to_customer")
