"""Files are kept under their hash, whole and once, or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from textwrap import dedent

import pytest

from makegood.kit import files

OWNER = "01hq-merchant"
Keep = Callable[..., files.Stored]
Content = Callable[[files.Stored], bytes]
Picture = Callable[..., bytes]


def kept_under(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_lies_under_its_owner_and_hash(keep: Keep, content: Content, uploads: Path, pdf: bytes) -> None:
    stored = keep(pdf, "../../../tmp/evil.pdf")

    sha256 = hashlib.sha256(pdf).hexdigest()
    assert stored == files.Stored(sha256, "application/pdf", len(pdf), "evil.pdf")
    assert kept_under(uploads.parent) == [f"uploads/{OWNER}/{sha256[:2]}/{sha256}"]
    assert content(stored) == pdf


def test_only_the_program_itself_may_read_the_folder(keep: Keep, uploads: Path, pdf: bytes) -> None:
    stored = keep(pdf)

    path = uploads / OWNER / stored.sha256[:2] / stored.sha256
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_the_same_content_is_kept_once_for_each_owner(keep: Keep, uploads: Path, picture: Picture) -> None:
    first, second = keep(picture(), "a.jpg"), keep(picture(), "b.jpg")
    keep(picture(), "c.jpg", owner="other")

    assert (first.sha256, first.name, second.name) == (second.sha256, "a.jpg", "b.jpg")
    assert len(kept_under(uploads)) == 2


def test_a_file_of_another_owner_is_not_found(keep: Keep, uploads: Path, pdf: bytes) -> None:
    stored = keep(pdf)

    with pytest.raises(files.FileMissing):
        files.open_stored(uploads=uploads, owner="other", sha256=stored.sha256)


@pytest.mark.parametrize("sha256", ["", "../../etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "\n", "0" * 64])
def test_what_is_no_known_hash_is_not_found(uploads: Path, sha256: str) -> None:
    with pytest.raises(files.FileMissing):
        files.open_stored(uploads=uploads, owner=OWNER, sha256=sha256)


@pytest.mark.parametrize("owner", ["", "..", "a/b", "/etc", ".incoming", "a\n"])
def test_an_owner_is_never_a_path(uploads: Path, owner: str) -> None:
    with pytest.raises(ValueError, match="owner"):
        files.store(BytesIO(b"hello"), declared_name="a.txt", uploads=uploads, owner=owner)


def test_ten_people_sending_the_same_file_at_once_keep_it_once(
    keep: Keep, content: Content, uploads: Path, pdf: bytes
) -> None:
    with ThreadPoolExecutor(10) as pool:
        stored = list(pool.map(lambda _: keep(pdf, "a.pdf"), range(30)))

    assert len(set(stored)) == 1
    assert len(kept_under(uploads)) == 1
    assert content(stored[0]) == pdf


def test_a_damaged_file_is_never_handed_out_and_healed_by_sending_it_again(
    keep: Keep, content: Content, uploads: Path, picture: Picture
) -> None:
    stored = keep(picture())
    path = uploads / OWNER / stored.sha256[:2] / stored.sha256
    damaged = bytearray(path.read_bytes())
    damaged[100] ^= 1
    path.write_bytes(damaged)

    for attempt in (files.open_stored, files.thumbnail):
        with pytest.raises(files.FileDamaged) as refused:
            attempt(uploads=uploads, owner=OWNER, sha256=stored.sha256)
        assert (refused.value.code, refused.value.value) == ("file_damaged", stored.sha256)

    keep(picture())
    assert hashlib.sha256(content(stored)).hexdigest() == stored.sha256


def test_a_link_in_the_place_of_a_file_is_not_followed(keep: Keep, uploads: Path, pdf: bytes) -> None:
    stored = keep(pdf)
    path = uploads / OWNER / stored.sha256[:2] / stored.sha256
    path.unlink()
    path.symlink_to("/etc/hostname")

    with pytest.raises(OSError, match="symbolic links"):
        files.open_stored(uploads=uploads, owner=OWNER, sha256=stored.sha256)


def test_a_stream_that_breaks_off_leaves_nothing(uploads: Path, pdf: bytes) -> None:
    class Broken:
        chunks = iter([pdf * 5000])

        def read(self, size: int, /) -> bytes:
            chunk = next(self.chunks, None)
            if chunk is None:
                raise ConnectionResetError
            return chunk

    with pytest.raises(ConnectionResetError):
        files.store(Broken(), declared_name="a.pdf", uploads=uploads, owner=OWNER)
    assert kept_under(uploads) == []


def test_leftovers_of_a_killed_process_are_cleared_when_old(keep: Keep, uploads: Path, pdf: bytes) -> None:
    keep(pdf)
    left = uploads / OWNER / ".incoming" / "tmpold"
    left.write_bytes(b"half")

    now = datetime.now(UTC)
    assert files.clear_leftovers(uploads, before=now - timedelta(hours=1)) == 0
    assert files.clear_leftovers(uploads, before=now + timedelta(seconds=5)) == 1
    assert len(kept_under(uploads)) == 1


def test_a_process_killed_while_storing_leaves_no_file_only_a_leftover(tmp_path: Path, pdf: bytes) -> None:
    script = dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from makegood.kit import files
        os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
        files.store(sys.stdin.buffer, declared_name="a.pdf", uploads=Path(sys.argv[1]), owner="m")
        """
    )

    ran = subprocess.run([sys.executable, "-c", script, str(tmp_path)], input=pdf, check=False)

    assert ran.returncode == -signal.SIGKILL
    assert [path.split("/")[:2] for path in kept_under(tmp_path)] == [["m", ".incoming"]]
    assert files.clear_leftovers(tmp_path, before=datetime.now(UTC) + timedelta(seconds=5)) == 1
    assert kept_under(tmp_path) == []


# Row 28: disk full


def test_row_28_a_write_cut_short_is_continued(
    keep: Keep, content: Content, pdf: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:7]))

    assert content(keep(pdf)) == pdf


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_row_28_when_flushing_finds_the_disk_full_nothing_is_kept(
    keep: Keep, uploads: Path, pdf: bytes, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def full(handle: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(files.StorageFull) as refused:
        keep(pdf, "receipt.pdf")
    assert (refused.value.code, refused.value.rule) == ("storage_full", errno.errorcode[code])
    assert kept_under(uploads) == []


def test_row_28_other_disk_errors_are_not_called_full(keep: Keep, pdf: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", broken)

    with pytest.raises(OSError, match="Input/output"):
        keep(pdf)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a file system can only be mounted as root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_row_28_on_a_full_disk_nothing_is_kept_and_it_recovers_when_freed(small_disk: Path, pdf: bytes) -> None:
    body, end = pdf.split(b"trailer")
    large = body + bytes(150_000) + b"trailer" + end

    def keep(data: bytes) -> files.Stored:
        return files.store(BytesIO(data), declared_name="a.pdf", uploads=small_disk, owner=OWNER)

    first = keep(large)
    with pytest.raises(files.StorageFull) as refused:
        keep(large + b"\n")
    assert (refused.value.code, refused.value.rule) == ("storage_full", "ENOSPC")
    assert len(kept_under(small_disk)) == 1
    with files.open_stored(uploads=small_disk, owner=OWNER, sha256=first.sha256) as file:
        assert file.read() == large

    (small_disk / OWNER / first.sha256[:2] / first.sha256).unlink()
    assert keep(large + b"\n").size == len(large) + 1


def test_row_28_past_the_largest_file_the_system_allows_nothing_is_kept(tmp_path: Path, picture: Picture) -> None:
    script = dedent(
        """
        import resource, sys
        from pathlib import Path
        from makegood.kit import files
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            files.store(sys.stdin.buffer, declared_name="a.png", uploads=Path(sys.argv[1]), owner="m")
        except files.StorageFull as refused:
            print(refused.code, refused.rule)
        """
    )

    ran = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        input=picture("PNG", (900, 900)) + bytes(100_000),
        capture_output=True,
        check=True,
    )

    assert ran.stdout == b"storage_full EFBIG\n"
    assert kept_under(tmp_path) == []
