"""Keeping files under the hash of their content: whole and durable, or not at all.

``<uploads>/<owner>/<first two digits>/<sha256>``; no part of a path comes from the sender. A file is
written beside, flushed to disk and renamed, so a name that exists always has its whole content.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Protocol

from makegood.kit import errors
from makegood.kit.files import images, kinds, names
from makegood.kit.files.limits import Limits

CHUNK = 64 * 1024
INCOMING = ".incoming"
OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
SHA256 = re.compile(r"[0-9a-f]{64}")
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class FileEmpty(errors.Malformed):
    code = "file_empty"
    message = "{field}: {value} is empty."


class FileTooLarge(errors.Malformed):
    code = "file_too_large"
    message = "{field}: {value} is too large ({rule})."


class StorageFull(errors.Refused):
    code = "storage_full"
    message = "{field}: {value} cannot be kept now, there is no room; nothing was stored ({rule})."


class FileMissing(errors.Unknown):
    code = "file_missing"
    message = "{field}: there is no file {value}."


class FileDamaged(errors.Refused):
    code = "file_damaged"
    message = "{field}: {value} is no longer what was stored ({rule})."


class Readable(Protocol):
    """An open file, an upload or a response: gives at most so many bytes, and none at its end."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Stored:
    """What was kept; ``size`` in bytes, ``width`` and ``height`` in pixels of the picture as kept."""

    sha256: str
    media_type: str
    size: int
    name: str
    width: int | None = None
    height: int | None = None


def store(
    stream: Readable,
    *,
    declared_name: str,
    uploads: Path,
    owner: str,
    limits: Limits | None = None,
    field: str = "file",
) -> Stored:
    """Take a file from a stream, reading no more than its limit, and keep what is left after cleaning.

    Pictures are encoded anew (HEIC as JPEG, GIF as PNG), text is kept as UTF-8, PDF and film as they are.
    The same content is stored once per owner. Raises FileEmpty, FileTypeRefused, FileTooLarge,
    ImageTooLarge, FileUnreadable, StorageFull; then nothing is left behind.
    """
    limits = limits or Limits()
    folder = _folder(uploads, owner)
    told = names.display_name(declared_name, "")  # for messages and logs, in which a line break could lie
    try:
        with _incoming(folder) as received:
            media_type, size = _receive(stream, received, limits, told, field=field)
            if media_type in images.READ_AS:
                picture = images.rewrite(received, media_type, limits, field=field)
                sha256 = _keep_bytes(folder, picture.data)
                name = names.display_name(declared_name, picture.media_type)
                return Stored(sha256, picture.media_type, len(picture.data), name, picture.width, picture.height)
            name = names.display_name(declared_name, media_type)
            if media_type == "text/plain":
                received.seek(0)
                data = kinds.read_text(received.read(), field=field).encode()
                return Stored(_keep_bytes(folder, data), media_type, len(data), name)
            if media_type == "application/pdf":
                kinds.check_pdf(received, size, field=field)
            else:
                kinds.check_video(received, size, media_type, field=field)
            return Stored(_keep(folder, received), media_type, size, name)
    except OSError as failed:
        if failed.errno in FULL:
            raise StorageFull(told, field=field, rule=errno.errorcode[failed.errno]) from failed
        raise


def keep(data: bytes, *, uploads: Path, owner: str, field: str = "file") -> str:
    """Keep bytes exactly as they came, under their hash, whole and durable; the hash.

    Nothing is looked at or cleaned: what is kept so is never shown or handed out but as a download. Raises StorageFull.
    """
    try:
        return _keep_bytes(_folder(uploads, owner), data)
    except OSError as failed:
        if failed.errno in FULL:
            raise StorageFull(field, field=field, rule=errno.errorcode[failed.errno]) from failed
        raise


def open_stored(*, uploads: Path, owner: str, sha256: str) -> BufferedReader:
    """A stored file, read through and found whole before its first byte is given; the caller closes it.

    Raises FileMissing, FileDamaged.
    """
    if not SHA256.fullmatch(sha256):
        raise FileMissing(sha256, field="file")
    try:
        handle = os.open(_path(_folder(uploads, owner), sha256), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise FileMissing(sha256, field="file") from None
    file = os.fdopen(handle, "rb")
    with ExitStack() as close_unless_whole:
        close_unless_whole.enter_context(file)
        if _hash(file) != sha256:
            raise FileDamaged(sha256, field="file", rule="sha256_of_content")
        file.seek(0)
        close_unless_whole.pop_all()
    return file


def delete_stored(*, uploads: Path, owner: str, sha256: str) -> bool:
    """Delete a stored file for good; False where there was none."""
    if not SHA256.fullmatch(sha256):
        return False
    path = _path(_folder(uploads, owner), sha256)
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    _flush_directory(path.parent)
    return True


def clear_leftovers(uploads: Path, *, before: datetime) -> int:
    """Remove what a killed process left half received; tells how many files."""
    removed = 0
    for path in uploads.glob(f"*/{INCOMING}/*"):
        # Another process may finish or clear the same file meanwhile.
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before.timestamp():
                path.unlink()
                removed += 1
    return removed


def _receive(stream: Readable, received: FileIO, limits: Limits, told: str, *, field: str) -> tuple[str, int]:
    """Copy a stream to disk, its type and so its limit known by the head. Gives media type and size."""
    head = b""
    while len(head) < kinds.HEAD and (chunk := stream.read(CHUNK)):
        head += chunk
    if not head:
        raise FileEmpty(told, field=field, rule="not_empty")
    media_type = kinds.sniff(head[: kinds.HEAD], field=field)
    limit = limits.bytes_of(media_type)
    size, chunk = 0, head
    while chunk:
        size += len(chunk)
        if size > limit:
            raise FileTooLarge(told, field=field, rule=f"at_most_{limit}_bytes")
        _write(received.fileno(), chunk)
        chunk = stream.read(CHUNK)
    return media_type, size


def _keep_bytes(folder: Path, data: bytes) -> str:
    with _incoming(folder) as file:
        _write(file.fileno(), data)
        return _keep(folder, file)


def _keep(folder: Path, file: FileIO) -> str:
    """Give a received file its final name, durably."""
    sha256 = _hash(file)
    os.fsync(file.fileno())
    path = _path(folder, sha256)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    # Replacing an equal file changes nothing, and heals it should it be damaged.
    Path(file.name).replace(path)
    for directory in (path.parent, folder):
        _flush_directory(directory)
    return sha256


@contextmanager
def _incoming(folder: Path) -> Iterator[FileIO]:
    """A new file on the same disk, gone afterwards unless it was given its final name."""
    waiting = folder / INCOMING
    waiting.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, path = tempfile.mkstemp(dir=waiting)
    os.close(handle)
    try:
        # Unbuffered, so that a full disk is met where it is written and not while closing.
        with open(path, "r+b", buffering=0) as file:  # noqa: PTH123 - its name is the path
            yield file
    finally:
        Path(path).unlink(missing_ok=True)


def _write(handle: int, data: bytes) -> None:
    """Write all of it: the system may take less than it is given, and says why only the next time."""
    rest = memoryview(data)
    while rest:
        written = os.write(handle, rest)
        if written == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        rest = rest[written:]


def _hash(file: FileIO | BufferedReader) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def _flush_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _folder(uploads: Path, owner: str) -> Path:
    # An owner is one of our own short names; anything else is a mistake in the program.
    if not OWNER.fullmatch(owner):
        raise ValueError(f"not the name of an owner: {owner!r}")
    return uploads / owner


def _path(folder: Path, sha256: str) -> Path:
    return folder / sha256[:2] / sha256
