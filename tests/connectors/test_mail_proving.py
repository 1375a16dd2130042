"""Who wrote a mail, by the word of the mailbox's own server and nobody else's."""

from __future__ import annotations

import pytest

from makegood.connectors.mail.parse import parse
from makegood.connectors.mail.proving import Proof, prove_sender

SERVER = "mx.shop.example"


def proof(*results: str, sender: str = "Li <li@mail.example>", server: str = SERVER) -> Proof:
    noted = "".join(f"Authentication-Results: {one}\r\n" for one in results)
    return prove_sender(parse(f"{noted}From: {sender}\r\nSubject: x\r\n\r\nHello".encode()), server=server)


@pytest.mark.parametrize(
    "results",
    [
        "mx.shop.example; dmarc=pass header.from=mail.example",
        "MX.Shop.Example 1; dmarc=pass (p=REJECT sp=NONE) header.from=mail.example",
        '"mx.shop.example"; spf=fail smtp.mailfrom=other.example; dmarc=pass header.from="mail.example"',
        "mx.shop.example;\r\n dkim=pass (2048-bit key; unprotected) header.d=mail.example header.s=a",
        "mx.shop.example; dkim=fail header.d=list.example; dkim=pass header.i=@mail.example",
        "mx.shop.example; dkim=pass header.d=news.mail.example; dmarc=none header.from=mail.example",
        "mx.shop.example; spf=pass smtp.mailfrom=bounce@mail.example",
        "mx.shop.example; spf=pass smtp.mailfrom=mail.example",
    ],
)
def test_what_proves_a_sender(results: str) -> None:
    assert proof(results) == Proof.PROVEN


@pytest.mark.parametrize(
    "results",
    [
        "mx.shop.example; dmarc=fail header.from=mail.example",
        "mx.shop.example; dkim=pass header.d=mail.example; dmarc=fail header.from=mail.example",
        "mx.shop.example; dmarc=pass header.from=other.example",
        "mx.shop.example; dmarc=temperror header.from=mail.example",
        "mx.shop.example; dkim=pass header.d=evil.example",
        "mx.shop.example; dkim=pass header.d=example",
        "mx.shop.example; dkim=pass header.d=email.example",
        "mx.shop.example; spf=pass smtp.mailfrom=li@evil.example",
        "mx.shop.example; spf=softfail smtp.mailfrom=li@mail.example",
        "mx.shop.example; spf=pass smtp.helo=mail.example",
        "mx.shop.example; none",
        "mx.shop.example; (dmarc=pass) x=y",
        'mx.shop.example; dkim=fail reason="; dmarc=pass header.from=mail.example" header.d=mail.example',
        "mx.evil.example; dmarc=pass header.from=mail.example",
        "mx.shop.example.evil.example; dmarc=pass header.from=mail.example",
        "",
        ";",
        '"',
    ],
)
def test_what_proves_nothing(results: str) -> None:
    assert proof(results) == Proof.UNPROVEN


def test_only_the_uppermost_note_of_the_server_counts() -> None:
    genuine, forged = f"{SERVER}; dmarc=fail header.from=mail.example", f"{SERVER}; dmarc=pass header.from=mail.example"

    assert proof("mx.relay.example; spf=none", genuine, forged) == Proof.UNPROVEN
    assert proof() == Proof.UNPROVEN


def test_two_senders_prove_nobody() -> None:
    passed = f"{SERVER}; dmarc=pass header.from=mail.example"

    assert proof(passed, sender="li@mail.example\r\nFrom: wang@other.example") == Proof.UNPROVEN
    assert proof(passed, sender="nobody") == Proof.UNPROVEN


def test_without_a_server_named_nothing_is_looked_at() -> None:
    assert proof(f"{SERVER}; dmarc=fail", server="") == Proof.NOT_LOOKED
