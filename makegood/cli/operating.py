"""Migrate, examine, back up, put back: what an operator does, over the functions that do it."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext

from makegood.accounts import environment, queries
from makegood.cases import proof
from makegood.conversations import queries as conversations
from makegood.kit import db, tenancy
from makegood.kit.postgres import connect, roles
from makegood.kit.postgres.backup import backup, restore
from makegood.settlement import queries as settlement

ROOM_MIN = 500_000_000
UNREAD_FOR = timedelta(hours=1)
UNREACHABLE = "the database cannot be reached"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be right, and what was found."""

    name: str
    ok: bool
    told: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def migrate() -> int:
    """Create what is missing, as the owner; how many migrations were applied."""
    roles.prepare(connect.preparing_dsn(), connections["owner"].settings_dict["NAME"])
    # Two deployments may start at once; the second waits, and then finds nothing to do.
    with psycopg.connect(connect.dsn("owner"), autocommit=True) as alone:
        alone.execute("select pg_advisory_lock(hashtextextended('makegood.migrate', 0))")
        waiting = len(_unapplied())
        call_command("migrate", database="owner", verbosity=0)
        connections["owner"].close()
    environment.remember_environment(at=datetime.now(UTC))
    return waiting


def examine() -> list[Check]:
    """Every check, the most basic first; those that need what already failed are left out."""
    checks = [_room(), _secret()]
    try:
        checks += [_server(), _role()]
        migrated = _migrations()
    except DatabaseError as error:
        return [*checks, Check("database", ok=False, told=f"{UNREACHABLE}: {str(error).splitlines()[0]}")]
    checks.append(migrated)
    if migrated.ok:
        checks += [_walls(), _payouts(), _ledger(), _settled(), _mailboxes()]
    return checks


def adopt() -> None:
    environment.adopt_database(at=datetime.now(UTC))


def back_up(file: Path) -> str:
    """Write a backup; a line that says what it holds."""
    manifest = backup(
        _superuser_dsn(),
        file.resolve(),
        makegood_version=version("makegood"),
        environment_id=str(environment.own_environment()),
        at=datetime.now(UTC),
        uploads=settings.UPLOADS_DIR,
    )
    return f"{file}: {file.stat().st_size} bytes, {manifest.uploads} uploads, taken {manifest.taken_at}"


def put_back(file: Path, *, replace: bool) -> str:
    """Restore a backup, prove its ledger, and hold payouts: money may have left since it was taken (fault 56)."""
    connections.close_all()
    restored = restore(_superuser_dsn(), file.resolve(), uploads=settings.UPLOADS_DIR, verify=_prove, replace=replace)
    migrate()
    environment.hold_payouts(because=f"restored from a backup of {restored.manifest.taken_at}")
    kept = f"; the database before it is kept as {restored.kept_database}" if restored.kept_database else ""
    return f"restored as of {restored.manifest.taken_at}; payouts are held until `makegood reconcile --release`{kept}"


def _prove(dsn: str) -> list[str]:
    """What cannot be in a restored database (units, money, history, replay): read over a connection of its own."""
    from psycopg import conninfo

    name = str(conninfo.conninfo_to_dict(dsn)["dbname"])
    before = dict(connections["default"].settings_dict)
    connections["default"].close()
    connections["default"].settings_dict["NAME"] = name
    try:
        return _faults()
    finally:
        connections["default"].close()
        connections["default"].settings_dict.update(before)


def _superuser_dsn() -> str:
    """Row security binds the owner too; a dump needs a login that sees all rows."""
    if connect.is_embedded():
        from makegood.kit.postgres.layout import DATABASE, Layout

        return Layout.of(connect.data_dir()).dsn("admin", DATABASE)
    return connect.preparing_dsn()


def _room() -> Check:
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.DATA_DIR).free
    return Check("room", ok=free >= ROOM_MIN, told=f"{free // 1_000_000} MB free in {settings.DATA_DIR}")


def _secret() -> Check:
    good = len(settings.SECRET_KEY) >= 32
    return Check("secret key", ok=good, told="long enough" if good else "MAKEGOOD_SECRET_KEY is shorter than 32")


def _server() -> Check:
    row = db.fetch_one("select current_setting('server_version') as version")
    told = str(row["version"]) if row else ""
    return Check("database", ok=int(told.split(".", 1)[0]) >= 15, told=f"PostgreSQL {told}")


def _role() -> Check:
    row = db.fetch_one("select rolname, rolsuper or rolbypassrls as mighty from pg_roles where rolname = current_user")
    if row is None:
        raise AssertionError("the current user is a role")
    return Check(
        "role",
        ok=not row["mighty"],
        told=f"{row['rolname']}, {'sees every merchant!' if row['mighty'] else 'bound by row security'}",
    )


def _unapplied() -> list[str]:
    executor = MigrationExecutor(connections["owner"])
    return [str(migration) for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def _migrations() -> Check:
    waiting = _unapplied()
    return Check(
        "migrations", ok=not waiting, told=f"{len(waiting)} wait: run makegood migrate" if waiting else "all applied"
    )


def _walls() -> Check:
    """Every table with a merchant_id has row security, enabled and forced, with a policy."""
    open_tables = db.fetch(
        """
        select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'merchant_id'
         where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and not a.attisdropped
           and not (c.relrowsecurity and c.relforcerowsecurity
                    and exists (select from pg_policy p where p.polrelid = c.oid))
         order by 1
        """
    )
    names = ", ".join(row["relname"] for row in open_tables)
    return Check(
        "merchants apart", ok=not names, told=f"no wall around {names}" if names else "every table is walled off"
    )


def _payouts() -> Check:
    why = environment.why_payouts_are_held()
    return Check("payouts", ok=why is None, told=f"held: {gettext(why)}" if why else "may leave")


def _ledger() -> Check:
    faults = _faults()
    return Check("ledger", ok=not faults, told="; ".join(faults[:5]) if faults else "adds up, chain unbroken")


def _settled() -> Check:
    """Payouts against ledger and cases; payouts that wait for a person are told, and are no fault."""
    faults, with_person = [], 0
    for merchant_id in queries.merchant_ids():
        with tenancy.acting_for(merchant_id):
            faults += [f"merchant {merchant_id}: {each.law}: {each.where}" for each in settlement.faults(at=_now())]
            with_person += settlement.health().with_person
    told = "; ".join(faults[:5]) if faults else f"paid once each; {with_person} wait for a person"
    return Check("settlement", ok=not faults, told=told)


def _mailboxes() -> Check:
    """Mailboxes that cannot be read or were not read for long; how many take senders at their word is told."""
    faults, connected, unproved = [], 0, 0
    for merchant_id in queries.merchant_ids():
        with tenancy.acting_for(merchant_id):
            for one in conversations.mailboxes():
                if not one.active:
                    continue
                connected += 1
                unproved += bool(one.imap_host) and not one.results_from
                if one.failing_since:
                    faults.append(f"{one.address}: since {one.failing_since:%Y-%m-%d %H:%M}Z {one.failed_because}")
                elif one.imap_host and one.looked_at and one.looked_at < _now() - UNREAD_FOR:
                    faults.append(
                        f"{one.address}: not read since {one.looked_at:%Y-%m-%d %H:%M}Z; is a worker running?"
                    )
    told = "; ".join(faults[:5]) if faults else f"{connected} connected"
    return Check(
        "mailboxes", ok=not faults, told=f"{told}; {unproved} take senders at their word" if unproved else told
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _faults() -> list[str]:
    found = []
    for merchant_id in queries.merchant_ids():
        with tenancy.acting_for(merchant_id):
            found += [f"merchant {merchant_id}: {fault}" for fault in proof.faults()]
    connection.close()
    return found
