"""The file format of a backup: one tar of manifest, database dump and uploads, closed by a list of checksums.

Everything streams; memory does not grow with the database. The list of checksums comes last, so a file
cut short anywhere has none and is refused.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from makegood.kit.errors import Malformed

FORMAT = 1
_MANIFEST, _DUMP, _UPLOADS, _CHECKSUMS = "manifest.json", "database.dump", "uploads", "checksums.sha256"
_PIECE = 1 << 20


class BackupDamaged(Malformed):
    code = "backup_damaged"
    message = "the backup {value} is damaged: {problem}; nothing was changed"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a backup holds and where it comes from."""

    makegood_version: str
    environment_id: str
    taken_at: str  # RFC 3339
    server_major: int
    migrations: list[str]  # "app.name" in the order they were applied
    dump_sha256: str
    uploads: int  # number of files
    format: int = FORMAT


def pack(file: Path, manifest: Manifest, dump: Path, uploads: list[tuple[str, Path]]) -> None:
    """Write the archive beside ``file`` and rename it when it is whole and on the disk."""
    partial = file.with_name(f".{file.name}.partial")
    try:
        # Customers' data: readable by the operator alone.
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
                sums = [_add_bytes(tar, _MANIFEST, json.dumps(dataclasses.asdict(manifest), indent=1).encode())]
                sums.append(_add_file(tar, _DUMP, dump))
                sums += [_add_file(tar, f"{_UPLOADS}/{name}", path) for name, path in uploads]
                _add_bytes(tar, _CHECKSUMS, "".join(sums).encode())
            out.flush()
            os.fsync(out.fileno())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def list_uploads(folder: Path | None) -> list[tuple[str, Path]]:
    """Name within the archive and path of every file; links and unfinished files are not uploads."""
    if folder is None or not folder.is_dir():
        return []
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [(path.relative_to(folder).as_posix(), path) for path in files if not path.name.startswith(".")]


def unpack(file: Path, into: Path) -> tuple[Manifest, Path, Path]:
    """Check every byte while unpacking below ``into``; manifest, dump, and the folder of uploads.

    Nothing outside of ``into`` is touched. Raises BackupDamaged.
    """
    sums: list[str] = []
    promised: str | None = None
    try:
        with tarfile.open(file, mode="r|") as tar:
            for member in tar:
                source = tar.extractfile(member)
                if not member.isreg() or source is None or not _is_known(member.name):
                    raise BackupDamaged(file, problem=f"it holds {member.name!r}, which no backup does")
                if member.name == _CHECKSUMS:
                    promised = source.read().decode()
                    continue
                sums.append(_save(source, member.name, into / member.name))
    except (tarfile.TarError, UnicodeDecodeError, EOFError) as problem:
        raise BackupDamaged(file, problem=str(problem)) from problem
    if promised is None:
        raise BackupDamaged(file, problem="its end is missing")
    if wrong := set(sums) ^ set(promised.splitlines(keepends=True)):
        raise BackupDamaged(file, problem=f"the checksum of {min(wrong).split('  ', 1)[-1].strip()} differs")
    return _read_manifest(file, into, sums), into / _DUMP, into / _UPLOADS


def sha256_of(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _read_manifest(file: Path, into: Path, sums: list[str]) -> Manifest:
    try:
        manifest = Manifest(**json.loads((into / _MANIFEST).read_bytes()))
    except (OSError, TypeError, ValueError) as problem:
        raise BackupDamaged(file, problem="its manifest cannot be read") from problem
    if manifest.format != FORMAT:
        raise BackupDamaged(file, problem=f"its format is {manifest.format}, and this version reads {FORMAT}")
    if _sum_line(manifest.dump_sha256, _DUMP) not in sums:
        raise BackupDamaged(file, problem="the dump is not the one of the manifest")
    return manifest


def _is_known(name: str) -> bool:
    path = PurePosixPath(name)
    if name in {_MANIFEST, _DUMP, _CHECKSUMS}:
        return True
    return len(path.parts) > 1 and path.parts[0] == _UPLOADS and ".." not in path.parts


def _sum_line(digest: str, name: str) -> str:
    return f"{digest}  {name}\n"


def _pieces(source: IO[bytes]) -> Iterator[bytes]:
    while piece := source.read(_PIECE):
        yield piece


def _save(source: IO[bytes], name: str, target: Path) -> str:
    digest = hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as out:
        for piece in _pieces(source):
            digest.update(piece)
            out.write(piece)
    return _sum_line(digest.hexdigest(), name)


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> str:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
    return _sum_line(hashlib.sha256(content).hexdigest(), name)


class _Hashing(io.RawIOBase):
    """Hashes what tarfile reads, so that each file is read once and the sum is of the very bytes written."""

    def __init__(self, source: IO[bytes]) -> None:
        self.source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        piece = self.source.read(size)
        self.digest.update(piece)
        return piece


def _add_file(tar: tarfile.TarFile, name: str, path: Path) -> str:
    with path.open("rb") as source:
        member = tarfile.TarInfo(name)
        found = os.fstat(source.fileno())
        member.size, member.mtime = found.st_size, int(found.st_mtime)
        hashing = _Hashing(source)
        tar.addfile(member, hashing)
    return _sum_line(hashing.digest.hexdigest(), name)
