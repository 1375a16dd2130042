"""Receipts: signed, replayed bit for bit, and what differs is told."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from makegood.kit.signing import SigningKey, rotate_signing_key, signing_keys
from makegood.policy import grid
from makegood.policy.cli import quote_command
from makegood.policy.facts import Facts, canonical
from makegood.policy.packs import Pack
from makegood.policy.quote import outcome_of
from makegood.policy.receipt import ReceiptMalformed, check, issue
from makegood.policy.registry import PackHashUnknown, shipped_registry
from tests.policy.cases import a_case, a_pack, a_rule, refund

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY, OTHER = SigningKey(b"k" * 32), SigningKey(b"o" * 32)
CASE = a_case(order={"delivered_at": "2026-11-10T00:00:00+08:00"})

app = typer.Typer()
app.command("quote")(quote_command)


def a_receipt(key: SigningKey = KEY, lang: str = "zh-Hans") -> dict[str, Any]:
    outcome = outcome_of(Facts.from_json(CASE))
    return issue(facts=outcome.facts.as_json(), outcome=outcome.as_json(lang), about={"kind": "quote"}, at=AT, key=key)


def signed_anew(receipt: dict[str, Any], key: SigningKey = OTHER) -> dict[str, Any]:
    return issue(
        facts=receipt["facts"], outcome=receipt["outcome"], about=receipt["about"], at=AT, key=key
    )  # fmt: skip


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def written(tmp_path: Path) -> Callable[[object], Path]:
    def write(document: object) -> Path:
        file = tmp_path / "receipt.json"
        file.write_text(document if isinstance(document, str) else json.dumps(document, ensure_ascii=False))
        return file

    return write


def test_a_receipt_replays_to_the_same_and_says_whose_signature_was_checked() -> None:
    assert check(a_receipt(), key=KEY.public).as_json() == {
        "equal": True, "signature": "verified", "key": KEY.public.id, "differences": [],
    }  # fmt: skip
    assert check(a_receipt()).signature == "intact"


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_change_to_a_signed_receipt_is_noticed(data: Any) -> None:
    receipt = a_receipt()
    text = json.dumps(receipt, ensure_ascii=False, sort_keys=True)
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.sampled_from("0123456789abcxyz")) + text[at + 1 :]
    try:
        again = json.loads(changed)
        found = check(again, key=KEY.public)
    except (ValueError, ReceiptMalformed):
        return
    # What a receipt says of its own key is not part of what was signed, and is not believed where a key is given.
    told = {name: part for name, part in again["signature"].items() if name == "value"}
    same = {**again, "signature": told} == {**receipt, "signature": {"value": receipt["signature"]["value"]}}
    assert found.signature == ("verified" if same else "forged")


def test_a_receipt_signed_by_another_is_forged_under_the_key_given() -> None:
    assert check(a_receipt(OTHER), key=KEY.public).signature == "forged"


def test_what_differs_is_told_by_its_place() -> None:
    receipt = copy.deepcopy(a_receipt(OTHER))
    receipt["outcome"]["remedies"][0]["amount"] = "999.00"
    receipt["outcome"]["refused"] = []
    found = check(signed_anew(receipt))

    assert not found.is_equal
    assert ("outcome.remedies[0].amount", "999.00", "100.01") in [
        (one.path, one.receipt, one.replay) for one in found.differences
    ]
    assert any(one.path == "outcome.refused[0]" and one.receipt is None for one in found.differences)


def test_facts_changed_by_whoever_signs_give_another_outcome() -> None:
    receipt = copy.deepcopy(a_receipt(OTHER))
    receipt["facts"]["order"]["lines"][0]["paid"] = "500.00"

    assert not check(signed_anew(receipt)).is_equal


@pytest.mark.parametrize(
    "broken",
    [
        [], {}, {"format": "another/1"}, {**a_receipt(), "more": 1}, {**a_receipt(), "facts": []},
        {**a_receipt(), "signature": {}}, {**a_receipt(), "outcome": {"policy": {}}},
        {**a_receipt(), "signature": {"public_key": "AAAA"}}, {**a_receipt(), "about": {"n": float("nan")}},
        {**a_receipt(), "outcome": {"policy": {**a_receipt()["outcome"]["policy"], "on": "soon"}}},
    ],
)  # fmt: skip
def test_what_is_no_receipt_is_refused(broken: object) -> None:
    with pytest.raises(ReceiptMalformed):
        check(broken)


def test_the_command_writes_a_receipt_and_replays_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKEGOOD_DATA_DIR", str(tmp_path / "data"))
    facts, receipt = tmp_path / "facts.json", tmp_path / "receipt.json"
    facts.write_text(json.dumps(CASE))

    assert run(facts, "--receipt", receipt).exit_code == 0
    key = signing_keys(tmp_path / "data")[0].public
    (tmp_path / "key.txt").write_text(key.base64)

    for given_key in (key.base64, tmp_path / "key.txt"):
        result = run("--replay", receipt, "--key", given_key)
        assert (result.exit_code, "bit for bit" in result.stdout) == (0, True), result.output
    assert json.loads(run("--replay", receipt, "--json").stdout)["equal"] is True


def test_the_command_says_what_differs_with_exit_code_one(written: Callable[[object], Path]) -> None:
    changed = copy.deepcopy(a_receipt())
    changed["outcome"]["total"]["amount"] = "1.00"

    forged = run("--replay", written(changed), "--key", KEY.public.base64)
    assert (forged.exit_code, "not that of the key" in forged.stdout) == (1, True)
    another = run("--replay", written(signed_anew(changed)))
    assert another.exit_code == 1
    assert 'outcome.total.amount: the receipt says "1.00", the replay gives "100.01"' in another.stdout


@pytest.mark.parametrize("content", ["", "[]", '{"format": 1}', "{", json.dumps(a_receipt())[:-40]])
def test_what_cannot_be_read_is_exit_code_two(content: str, written: Callable[[object], Path]) -> None:
    result = run("--replay", written(content))
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_pack_that_is_gone_cannot_be_replayed(written: Callable[[object], Path]) -> None:
    receipt = copy.deepcopy(a_receipt(OTHER))
    receipt["outcome"]["policy"]["packs"][0]["hash"] = "0" * 32
    result = run("--replay", written(signed_anew(receipt)))

    assert (result.exit_code, "pack_hash_unknown" in result.stderr) == (2, True)


def own_receipt(shop: Pack, *, carried: bool = True) -> dict[str, Any]:
    """Of a decision by a pack that a merchant published."""
    registry = shipped_registry().with_packs([shop])
    outcome = outcome_of(Facts.from_json(CASE), pack_ids=[shop.id], registry=registry)
    packs = [shop] if carried else []
    return issue(facts=outcome.facts.as_json(), outcome=outcome.as_json(), about={}, at=AT, key=KEY, packs=packs)


def test_a_merchants_own_pack_goes_with_the_receipt(written: Callable[[object], Path]) -> None:
    shop = a_pack(a_rule(refund("line.price_paid * 50%"), rule_id="half"))
    receipt = own_receipt(shop)

    assert check(receipt, key=KEY.public).as_json()["equal"] is True
    assert run("--replay", written(receipt)).exit_code == 0
    # What it carries is believed for what it contains only: another content has another hash, and is not the pack.
    receipt["packs"][0]["rules"][0]["grant"][0]["amount"] = "line.price_paid"
    public = KEY.public.base64
    body = {name: value for name, value in receipt.items() if name != "signature"}
    signature = {**receipt["signature"], "public_key": public, "value": KEY.sign(canonical(body).encode())}
    with pytest.raises(PackHashUnknown):
        check({**body, "signature": signature})


def test_a_pack_that_is_missing_is_named_and_may_be_given(written: Callable[[object], Path], tmp_path: Path) -> None:
    shop = a_pack(a_rule(refund("line.price_paid * 50%"), rule_id="half"))
    file = written(own_receipt(shop, carried=False))
    told = run("--replay", file)

    assert told.exit_code == 2
    assert f"{shop.hash} ({shop.id} {shop.version})" in told.stderr
    (tmp_path / "shop").mkdir()
    content = json.dumps(grid.written(shop), ensure_ascii=False)  # JSON is YAML
    (tmp_path / "shop" / "pack.yaml").write_text(content, encoding="utf-8")
    assert run("--replay", file, "--packs", tmp_path / "shop").exit_code == 0
    assert run("--replay", file, "--packs", tmp_path / "shop" / "pack.yaml").exit_code == 0


@pytest.mark.parametrize("packs", [{}, ["x"], [{}], [{"id": "x"}]])
def test_packs_that_are_none_are_refused(packs: object) -> None:
    receipt = {**a_receipt(), "packs": packs}
    body = {name: value for name, value in receipt.items() if name != "signature"}
    with pytest.raises(ReceiptMalformed):
        check({**body, "signature": {**receipt["signature"], "value": KEY.sign(canonical(body).encode())}})


def test_either_facts_or_a_receipt(written: Callable[[object], Path]) -> None:
    assert run().exit_code == 2
    assert run(written(CASE), "--replay", written(a_receipt())).exit_code == 2
    assert run("--replay", written(a_receipt()), "--key", "no key").exit_code == 2


def test_a_new_key_signs_and_the_old_one_stays(tmp_path: Path) -> None:
    [old] = signing_keys(tmp_path)
    new = rotate_signing_key(tmp_path)

    assert signing_keys(tmp_path) == [new, old]
    assert new != old
    assert (tmp_path / "receipt_keys").stat().st_mode & 0o777 == 0o600


def test_keys_may_come_from_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKEGOOD_RECEIPT_KEYS", ",".join(base64.b64encode(one.seed).decode() for one in (KEY, OTHER)))

    assert signing_keys(tmp_path) == [KEY, OTHER]
    assert not list(tmp_path.iterdir())
