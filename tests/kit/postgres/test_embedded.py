"""The embedded server starts, is shared, stops, recovers, and refuses what it cannot open."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psycopg
import pytest

from makegood.kit.postgres import binaries, cluster, embedded, layout
from makegood.kit.postgres.account import choose_account

IS_ROOT = os.geteuid() == 0


def ask(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def postmaster_of(server: embedded.Server) -> int:
    pid = cluster.postmaster(server.layout.cluster)
    assert pid is not None
    return pid


def script(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


USE_UNTIL_TOLD = """
    import sys
    from pathlib import Path
    from makegood.kit.postgres import embedded
    with embedded.serving(Path(sys.argv[1]), fsync=False) as server:
        print("up", flush=True)
        sys.stdin.read()
    print("down", flush=True)
"""


def another_user(data_dir: Path) -> subprocess.Popen[str]:
    process = script(USE_UNTIL_TOLD, data_dir)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def test_a_first_start_makes_database_and_roles_that_row_security_binds(server: embedded.Server) -> None:
    assert server.running
    assert int(server.version.split(".")[0]) >= 15
    with psycopg.connect(server.dsn("admin")) as connection:
        roles = connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole FROM pg_roles "
            "WHERE rolname LIKE 'makegood%' ORDER BY 1"
        ).fetchall()
        owner = connection.execute(
            "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate FROM pg_database "
            "WHERE datname = 'makegood'"
        ).fetchone()
    assert roles == [(f"makegood_{name}", False, False, False) for name in ("app", "owner", "readonly")]
    assert owner == ("makegood_owner", "UTF8", "C")
    assert ask(server.dsn("app"), "SELECT current_user") == "makegood_app"
    assert ask(server.dsn("app"), "SHOW timezone") == "UTC"
    assert ask(server.dsn("app"), "SHOW listen_addresses") == ""


def test_sorting_and_letter_case_do_not_depend_on_the_machine(server: embedded.Server) -> None:
    with psycopg.connect(server.dsn("app")) as connection:
        row = connection.execute(
            "SELECT array(SELECT w FROM unnest(ARRAY['a', 'B', 'é', '善']) w ORDER BY w), lower('ÉÜ'), "
            "to_tsvector('simple', '善后 Émile')::text"
        ).fetchone()

    assert row == (["B", "a", "é", "善"], "éü", "'émile':2 '善后':1")


def test_only_the_servers_user_may_enter_the_sockets_folder(server: embedded.Server) -> None:
    found = server.socket_dir.stat()

    assert found.st_mode & 0o777 == 0o700
    assert found.st_uid == choose_account(server.layout.cluster).uid


@pytest.mark.skipif(not IS_ROOT, reason="only root runs the server as another user")
def test_root_runs_the_server_as_a_lesser_user(server: embedded.Server) -> None:
    assert Path(f"/proc/{postmaster_of(server)}").stat().st_uid not in {0, os.geteuid()}


def test_the_address_is_known_before_the_server_runs(scratch: Path) -> None:
    before = layout.Layout.of(scratch / "data").dsn("app")

    with embedded.start(scratch / "data", fsync=False) as server:
        assert server.dsn("app") == before


def test_data_outlives_a_stop(scratch: Path) -> None:
    with embedded.start(scratch, fsync=False) as server, psycopg.connect(server.dsn("owner")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 善 FROM (VALUES ('后')) v(善)")

    assert not server.running
    with embedded.start(scratch, fsync=False) as server:
        assert ask(server.dsn("app"), "SELECT 善 FROM kept") == "后"


def test_two_servers_run_side_by_side(scratch: Path) -> None:
    with embedded.start(scratch / "one", fsync=False) as one, embedded.start(scratch / "two", fsync=False) as two:
        assert ask(one.dsn("admin"), "SHOW data_directory") == str(scratch / "one" / "postgres")
        assert ask(two.dsn("admin"), "SHOW data_directory") == str(scratch / "two" / "postgres")


def test_a_path_too_long_for_a_socket_works(scratch: Path) -> None:
    data_dir = scratch / ("善后" * 20) / "data"

    with embedded.start(data_dir, fsync=False) as server:
        assert not server.socket_dir.is_relative_to(data_dir)
        assert server.socket_dir.stat().st_mode & 0o777 == 0o700
        assert ask(server.dsn("app"), "SELECT 1") == 1
        # Remembered: another environment computes the same.
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_RUNTIME_DIR", "/nowhere")
            assert layout.Layout.of(data_dir).socket_dir == server.socket_dir
    server.socket_dir.rmdir()


def test_a_path_with_odd_letters_works(scratch: Path) -> None:
    with embedded.start(scratch / 'it\'s, "odd" % & 善', fsync=False) as server:
        assert ask(server.dsn("app"), "SELECT 1") == 1


def test_the_last_one_out_stops_it(scratch: Path) -> None:
    other = another_user(scratch)
    mine = embedded.start(scratch, fsync=False)

    assert mine.stop() is False
    assert mine.running
    assert other.communicate("")[0] == "down\n"
    assert not mine.running


def test_another_process_stopping_does_not_kill_it_under_us(scratch: Path) -> None:
    with embedded.start(scratch, fsync=False) as mine:
        assert another_user(scratch).communicate("")[0] == "down\n"

        assert ask(mine.dsn("app"), "SELECT 1") == 1
    assert not mine.running


def test_many_processes_starting_at_once_share_one_server(scratch: Path) -> None:
    others = [script(USE_UNTIL_TOLD, scratch) for _ in range(4)]

    assert [other.stdout.readline() for other in others if other.stdout] == ["up\n"] * 4
    assert [other.communicate("")[0] for other in others] == ["down\n"] * 4
    assert cluster.postmaster(scratch / "postgres") is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_user_stops_the_server_in_order(scratch: Path, number: signal.Signals) -> None:
    other = another_user(scratch)

    other.send_signal(number)
    other.wait(timeout=30)

    assert cluster.postmaster(scratch / "postgres") is None
    assert not (scratch / "postgres" / "postmaster.pid").exists()


def test_a_killed_user_leaves_a_server_that_the_next_one_joins_and_stops(scratch: Path) -> None:
    other = another_user(scratch)
    other.kill()
    other.wait()
    before = cluster.postmaster(scratch / "postgres")

    with embedded.start(scratch, fsync=False) as server:
        assert postmaster_of(server) == before
    assert not server.running


def test_a_killed_postmaster_is_started_again_with_all_that_was_committed(scratch: Path) -> None:
    mine = embedded.start(scratch)
    with psycopg.connect(mine.dsn("owner")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    idle = psycopg.connect(mine.dsn("app"))
    os.kill(postmaster_of(mine), signal.SIGKILL)

    with embedded.start(scratch) as again:
        assert ask(again.dsn("app"), "SELECT answer FROM kept") == 42
    idle.close()
    mine.stop()
    assert not again.running


def test_a_pid_file_whose_number_is_now_another_program_is_seen_through(scratch: Path) -> None:
    embedded.start(scratch, fsync=False).stop()
    # As after a reboot: the number belongs to somebody else, here to this very test.
    lines = [
        str(os.getpid()),
        str(scratch / "postgres"),
        "1700000000",
        "5432",
        str(scratch / "run"),
        "",
        "1 1",
        "ready",
    ]
    (scratch / "postgres" / "postmaster.pid").write_text("\n".join(lines) + "\n")

    assert cluster.postmaster(scratch / "postgres") is None
    with embedded.start(scratch, fsync=False) as server:
        assert ask(server.dsn("app"), "SELECT 1") == 1


def test_an_initdb_cut_short_is_begun_again(scratch: Path) -> None:
    (scratch / "postgres.new" / "base").mkdir(parents=True)
    (scratch / "postgres.new" / "PG_VERSION").write_text("15\n")

    with embedded.start(scratch, fsync=False) as server:
        assert server.running
    assert not (scratch / "postgres.new").exists()


def test_an_empty_folder_made_beforehand_is_filled(scratch: Path) -> None:
    (scratch / "postgres").mkdir(mode=0o755)

    with embedded.start(scratch, fsync=False) as server:
        assert server.running


def test_a_server_whose_process_cannot_be_seen_is_not_doubled(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = another_user(scratch)
    with monkeypatch.context() as patch:
        # What a second container with the same folder sees: the socket answers, the process is not there.
        patch.setattr(cluster, "_is_postmaster", lambda _pid, _cluster: False)
        with pytest.raises(cluster.RunsElsewhere):
            embedded.start(scratch, fsync=False)

    assert cluster.postmaster(scratch / "postgres") is not None
    assert other.communicate("")[0] == "down\n"


def test_a_second_signal_does_not_cut_the_stop_short(scratch: Path) -> None:
    other = another_user(scratch)

    for _ in range(5):
        other.send_signal(signal.SIGTERM)
    other.wait(timeout=30)

    assert other.returncode == 128 + signal.SIGTERM
    assert cluster.postmaster(scratch / "postgres") is None


def test_a_folder_of_another_major_version_is_refused_and_left_alone(scratch: Path) -> None:
    embedded.start(scratch, fsync=False).stop()
    (scratch / "postgres" / "PG_VERSION").write_text("14\n")

    with pytest.raises(cluster.VersionMismatch) as refused:
        embedded.start(scratch, fsync=False)

    assert refused.value.code == "database_version_mismatch"
    assert "PostgreSQL 14" in str(refused.value)
    assert binaries.choose_server(None).version in str(refused.value)
    assert cluster.postmaster(scratch / "postgres") is None
    (scratch / "postgres" / "PG_VERSION").write_text(f"{binaries.choose_server(None).major}\n")
    with embedded.start(scratch, fsync=False) as server:
        assert server.running


def test_a_server_that_cannot_start_says_what_its_log_says_and_leaves_nothing_running(scratch: Path) -> None:
    embedded.start(scratch, fsync=False).stop()
    with (scratch / "postgres" / "postgresql.auto.conf").open("a") as settings:
        settings.write("shared_buffers = 'plenty'\n")

    with pytest.raises(cluster.StartFailed, match=r"invalid value for parameter .shared_buffers"):
        embedded.start(scratch, fsync=False)

    assert cluster.postmaster(scratch / "postgres") is None


def test_settings_of_the_operators_environment_do_not_reach_the_server(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("LC_ALL", "zh_CN.GB18030")

    with embedded.start(scratch, fsync=False) as server:
        assert ask(server.dsn("app"), "SHOW port") == "5432"
