"""``makegood receipt-keys …``: the keys that decision receipts are signed with."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from makegood.cli import running

app = typer.Typer(help="Keys of decision receipts: list, rotate.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """Print the public keys, the one in use first."""
    from makegood.kit.postgres.connect import data_dir
    from makegood.kit.signing import signing_keys

    keys = [key.public for key in signing_keys(data_dir())]
    if as_json:
        running.print_json({"keys": [{"id": key.id, "public_key": key.base64} for key in keys]})
        return
    for at, key in enumerate(keys):
        typer.echo(f"{key.id}  {key.base64}  {'signs' if at == 0 else 'before'}")


@app.command("rotate")
def rotate_key() -> None:
    """Sign with a new key from now on; the older ones stay, so that what they signed can be checked."""
    from makegood.kit.postgres.connect import data_dir
    from makegood.kit.signing import rotate_signing_key

    if os.environ.get("MAKEGOOD_RECEIPT_KEYS"):
        running.say("MAKEGOOD_RECEIPT_KEYS holds the keys: put a new one in front of it and start again.")
        raise typer.Exit(1)
    key = rotate_signing_key(data_dir()).public
    typer.echo(f"{key.id}  {key.base64}  signs")
