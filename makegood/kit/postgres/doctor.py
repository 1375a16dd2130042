"""What an operator wants to know of the database before trusting it, as checks with words in both languages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psycopg

from makegood.kit.errors import Refused
from makegood.kit.postgres.binaries import OLDEST_MAJOR, choose_clients

_LARGEST_SKEW = timedelta(seconds=5)
_LEAST_FREE_BYTES = 1 << 30

# Partitions are reached through their parent, whose policies count, but can be named directly: they count too.
_UNGUARDED = """
    SELECT n.nspname || '.' || c.relname, c.relrowsecurity, c.relforcerowsecurity,
           EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema'
      AND NOT (c.relname = ANY(%s)) AND NOT (n.nspname || '.' || c.relname = ANY(%s))
    ORDER BY 1
"""


@dataclass(frozen=True)
class Check:
    """One finding. ``name`` is stable; ``advice`` says what to do where it is not ``ok``, and is empty where it is."""

    name: str
    ok: bool
    detail_en: str
    detail_zh: str
    advice_en: str = ""
    advice_zh: str = ""

    def detail(self, language: str) -> str:
        return self.detail_zh if language.startswith("zh") else self.detail_en

    def advice(self, language: str) -> str:
        return self.advice_zh if language.startswith("zh") else self.advice_en


def examine(
    dsn: str,
    *,
    data_dir: Path,
    shared_tables: Collection[str],
    pending_migrations: Sequence[str],
    at: datetime,
) -> list[Check]:
    """Look at everything and change nothing.

    ``dsn`` is the one the application connects with; ``shared_tables`` (``table`` or ``schema.table``) hold
    nothing of a single merchant and need no row security; ``at`` is this process's clock, read just now.
    Where the server does not answer, the checks that need it are left out.
    """
    checks = [*_check_data_dir(data_dir)]
    try:
        with psycopg.connect(dsn, connect_timeout=10) as connection:
            checks.insert(0, _check_server(connection))
            checks += _check_role(connection)
            checks.append(_check_clock(connection, at))
            checks.append(_check_row_security(connection, shared_tables))
            checks.append(_check_clients(connection.info.server_version // 10000))
    except psycopg.OperationalError as problem:
        # Its first line names host and port and never the password.
        words = str(problem).splitlines()[0]
        checks.insert(0, _unreachable(words))
    checks.append(_check_migrations(pending_migrations))
    return checks


def _unreachable(words: str) -> Check:
    return Check(
        "server",
        ok=False,
        detail_en=f"the database does not answer: {words}",
        detail_zh=f"数据库没有响应：{words}",
        advice_en="start it (`makegood serve` starts the embedded one) or correct MAKEGOOD_DATABASE_URL",
        advice_zh="请启动数据库（内置数据库由 `makegood serve` 启动），或更正 MAKEGOOD_DATABASE_URL",
    )


def _check_server(connection: psycopg.Connection) -> Check:
    version = connection.info.server_version
    shown = f"{version // 10000}.{version % 10000}"
    ok = version // 10000 >= OLDEST_MAJOR
    return Check(
        "server",
        ok=ok,
        detail_en=f"PostgreSQL {shown} answers",
        detail_zh=f"PostgreSQL {shown} 响应正常" if ok else f"PostgreSQL {shown} 有响应",
        advice_en="" if ok else f"upgrade to PostgreSQL {OLDEST_MAJOR} or newer",
        advice_zh="" if ok else f"请升级到 PostgreSQL {OLDEST_MAJOR} 或更高版本",
    )


def _check_clients(server_major: int) -> Check:
    try:
        found = choose_clients(server_major)
    except Refused as refused:
        return Check(
            "client_programs",
            ok=False,
            detail_en=str(refused),
            detail_zh=f"没有可用于 PostgreSQL {server_major} 的 pg_dump 和 pg_restore，无法备份和恢复",
            advice_en=f"install postgresql-client-{server_major}",
            advice_zh=f"请安装 postgresql-client-{server_major}",
        )
    return Check(
        "client_programs",
        ok=True,
        detail_en=f"pg_dump and pg_restore {found.version} in {found.folder}",
        detail_zh=f"pg_dump 和 pg_restore {found.version}，位于 {found.folder}",
    )


def _check_role(connection: psycopg.Connection) -> Iterator[Check]:
    row = connection.execute(
        "SELECT rolname, session_user, rolsuper, rolbypassrls, "
        "EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'p') AND c.relowner = r.oid AND n.nspname = 'public') "
        "FROM pg_roles r WHERE rolname = current_user"
    ).fetchone()
    assert row is not None  # noqa: S101 - a connected user is a role
    role, login, superuser, bypasses, owns = row
    en = role if role == login else f"{role} (logged in as {login})"
    zh = role if role == login else f"{role}（以 {login} 登录）"
    for name, wrong, wrong_en, wrong_zh, right_en, right_zh in (
        ("role_not_superuser", superuser, "is superuser", "是超级用户", "is no superuser", "不是超级用户"),
        (
            "role_bound_by_row_security",
            bypasses,
            "is exempt from row security (BYPASSRLS)",
            "不受行级安全约束（BYPASSRLS）",
            "is bound by row security",
            "受行级安全约束",
        ),
        ("role_not_owner", owns, "owns tables", "是表的所有者", "owns no tables", "不是表的所有者"),
    ):
        yield Check(
            name,
            ok=not wrong,
            detail_en=f"the application's role {en} {wrong_en if wrong else right_en}",
            detail_zh=f"应用角色 {zh} {wrong_zh if wrong else right_zh}",
            advice_en="let the application log in as makegood_app" if wrong else "",
            advice_zh="请让应用以 makegood_app 登录" if wrong else "",
        )


def _check_clock(connection: psycopg.Connection, at: datetime) -> Check:
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM has a row
    seconds = (row[0] - at).total_seconds()
    ok = abs(seconds) <= _LARGEST_SKEW.total_seconds()
    return Check(
        "clock",
        ok=ok,
        detail_en=f"the database's clock is {seconds:+.1f} s from this machine's",
        detail_zh=f"数据库时钟与本机相差 {seconds:+.1f} 秒",
        advice_en="" if ok else "synchronise both machines (NTP): deadlines are computed from these clocks",
        advice_zh="" if ok else "请同步两台机器的时间（NTP）：时限依据这些时钟计算",
    )


def _check_row_security(connection: psycopg.Connection, shared_tables: Collection[str]) -> Check:
    shared = list(shared_tables)
    wrong = []
    guarded = 0
    for table, enabled, forced, has_policy in connection.execute(_UNGUARDED, [shared, shared]):
        missing = [
            word for word, there in (("ENABLE", enabled), ("FORCE", forced), ("POLICY", has_policy)) if not there
        ]
        guarded += not missing
        if missing:
            wrong.append(f"{table} ({', '.join(missing)})")
    listed = ", ".join(wrong)
    return Check(
        "row_security",
        ok=not wrong,
        detail_en=f"tables that do not keep merchants apart, and what they lack: {listed}"
        if wrong
        else f"all {guarded} tables of merchants have row security, forced, with a policy",
        detail_zh=f"未隔离商家的表及其缺失项：{listed}"
        if wrong
        else f"全部 {guarded} 张商家表都启用并强制了行级安全，且有策略",
        advice_en="run `makegood migrate`; a table of your own needs ENABLE and FORCE ROW LEVEL SECURITY and a policy"
        if wrong
        else "",
        advice_zh="请运行 `makegood migrate`；自建的表需要 ENABLE 和 FORCE ROW LEVEL SECURITY 以及策略"
        if wrong
        else "",
    )


def _check_data_dir(data_dir: Path) -> Iterator[Check]:
    there = next(folder for folder in (data_dir, *data_dir.parents) if folder.exists())
    writable = os.access(there, os.W_OK | os.X_OK)
    yield Check(
        "data_folder",
        ok=writable,
        detail_en=f"the data folder {data_dir} can {'' if writable else 'not '}be written",
        detail_zh=f"数据目录 {data_dir} {'可写' if writable else '不可写'}",
        advice_en="" if writable else "give this user the folder, or set MAKEGOOD_DATA_DIR",
        advice_zh="" if writable else "请将该目录授权给当前用户，或设置 MAKEGOOD_DATA_DIR",
    )
    free = shutil.disk_usage(there).free
    enough = free >= _LEAST_FREE_BYTES
    yield Check(
        "disk_space",
        ok=enough,
        detail_en=f"{free / (1 << 30):.1f} GiB free at {there}",
        detail_zh=f"{there} 剩余 {free / (1 << 30):.1f} GiB",
        advice_en="" if enough else "free at least 1 GiB: PostgreSQL stops taking writes when the disk is full",
        advice_zh="" if enough else "请至少腾出 1 GiB：磁盘写满后 PostgreSQL 将停止写入",
    )


def _check_migrations(pending: Sequence[str]) -> Check:
    listed = ", ".join(pending)
    return Check(
        "migrations",
        ok=not pending,
        detail_en=f"not yet applied: {listed}" if pending else "every migration is applied",
        detail_zh=f"尚未应用：{listed}" if pending else "所有迁移均已应用",
        advice_en="run `makegood migrate`" if pending else "",
        advice_zh="请运行 `makegood migrate`" if pending else "",
    )
