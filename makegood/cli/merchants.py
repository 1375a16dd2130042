"""``makegood merchants …``, ``staff …``, ``tokens …``: the first things a new installation needs."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from makegood.cli import running

merchants = typer.Typer(help="Merchants: list and open.", no_args_is_help=True)
staff = typer.Typer(help="Staff: list, invite, deactivate.", no_args_is_help=True)
tokens = typer.Typer(help="Access tokens of the API: issue and revoke.", no_args_is_help=True)

Merchant = Annotated[str | None, typer.Option(help="Slug; may be left out where there is only one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


@merchants.command("list")
def list_merchants(as_json: AsJson = False) -> None:
    """Every merchant of this installation."""
    with running.database():
        from makegood.accounts import queries
        from makegood.kit import tenancy

        found = []
        for merchant_id in queries.merchant_ids():
            with tenancy.acting_for(merchant_id):
                one = queries.merchant()
            found.append({"slug": one.slug, "name_zh": one.name_zh, "name_en": one.name_en, "currency": one.currency})
    if as_json:
        running.print_json({"merchants": found})
        return
    for row in found:
        typer.echo(f"{row['slug']:20} {row['currency']} {row['name_zh']} / {row['name_en']}")


@merchants.command("open")
def open_merchant(
    slug: str,
    name_zh: Annotated[str, typer.Option()],
    name_en: Annotated[str, typer.Option()],
    market: Annotated[str, typer.Option(help="ISO 3166 country.")] = "CN",
    currency: Annotated[str, typer.Option(help="ISO 4217.")] = "CNY",
    time_zone: Annotated[str, typer.Option()] = "Asia/Shanghai",
) -> None:
    """Take a new merchant in."""
    with running.database(migrated=True):
        from makegood.accounts import commands

        commands.open_merchant(
            slug=slug,
            name_zh=name_zh,
            name_en=name_en,
            market=market,
            currency=currency,
            time_zone=time_zone,
            at=datetime.now(UTC),
        )
    running.say(f"opened {slug}")


@staff.command("list")
def list_staff(merchant: Merchant = None, as_json: AsJson = False) -> None:
    """Everybody who works or worked for the merchant."""
    with running.database(), running.merchant(merchant):
        from makegood.accounts import queries

        found = [
            {"id": one.id, "email": one.email, "name": one.name, "role": one.role, "active": one.is_active}
            for one in queries.staff_list()
        ]
    if as_json:
        running.print_json({"staff": found})
        return
    for row in found:
        typer.echo(f"{row['id']:6} {row['role']:10} {'' if row['active'] else 'left':5} {row['email']} {row['name']}")


@staff.command("invite")
def invite_staff(
    email: str,
    name: Annotated[str, typer.Option()],
    role: Annotated[str, typer.Option(help="agent, reviewer, manager or owner.")],
    merchant: Merchant = None,
    language: Annotated[str, typer.Option(help="zh-hans or en.")] = "zh-hans",
) -> None:
    """Let a person work for the merchant; the password is read from standard input."""
    password = typer.prompt("password", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    with running.database(), running.merchant(merchant):
        from makegood.accounts import commands
        from makegood.accounts.actors import Actor

        commands.invite_staff(
            email=email,
            name=name,
            role=role,
            language=language,
            password=password.rstrip("\n"),
            actor=Actor.system("cli"),
            at=datetime.now(UTC),
        )
    running.say(f"{email} may sign in")


@staff.command("deactivate")
def deactivate_staff(staff_id: int, merchant: Merchant = None) -> None:
    """End somebody's access at once."""
    with running.database(), running.merchant(merchant):
        from makegood.accounts import commands
        from makegood.accounts.actors import Actor

        commands.deactivate_staff(staff_id=staff_id, actor=Actor.system("cli"), at=datetime.now(UTC))
    running.say("done")


@tokens.command("issue")
def issue_token(
    label: Annotated[str, typer.Option(help="What it is for.")],
    role: Annotated[str, typer.Option(help="integration, agent, reviewer, manager or owner.")] = "integration",
    scope: Annotated[list[str] | None, typer.Option(help="Narrow it to this; may be repeated.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="How long it is good for.")] = None,
    customer: Annotated[str, typer.Option(help="Hold it to this customer (reference); for AI agents alone.")] = "",
    merchant: Merchant = None,
) -> None:
    """Make an access token and print its secret, this once, on stdout."""
    with running.database(), running.merchant(merchant):
        from makegood.accounts import commands
        from makegood.accounts.actors import Actor
        from makegood.accounts.states import ALLOWED
        from makegood.customers.queries import customer_by_reference

        now = datetime.now(UTC)
        secret = commands.issue_token(
            label=label,
            role=role,
            scopes=scope or sorted(ALLOWED.get(role, frozenset())),
            expires_at=now + timedelta(days=days) if days else None,
            customer_id=customer_by_reference(customer).id if customer else None,
            actor=Actor.system("cli"),
            at=now,
        )
    typer.echo(secret)


@tokens.command("revoke")
def revoke_token(token_id: int, merchant: Merchant = None) -> None:
    """End a token."""
    with running.database(), running.merchant(merchant):
        from makegood.accounts import commands
        from makegood.accounts.actors import Actor

        commands.revoke_token(token_id=token_id, actor=Actor.system("cli"), at=datetime.now(UTC))
    running.say("done")
