"""Translations: one readable ``.po`` file a module, put together and compiled when a process starts and they changed.

The compiled file is no part of the repository: it is made from ``makegood/locale/<language>/*.po`` where it is
missing or older, with a library and no outside program, so that a fresh clone needs no build step.
"""

from __future__ import annotations

import contextlib
import os
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po


def read_words(folder: Path) -> Catalog:
    """All messages of one language; ``folder`` is ``locale/zh_Hans``. The first module by name wins a doubled msgid."""
    whole = Catalog(locale=folder.name)
    for part in sorted(folder.glob("*.po")):
        with part.open("rb") as file:
            for message in read_po(file, locale=folder.name):
                if message.id and message.string and message.id not in whole:
                    whole.add(message.id, message.string, context=message.context, flags=message.flags)
    return whole


def compile_words(locale: Path) -> None:
    """Make every ``django.mo`` that is missing or older than one of its parts."""
    for folder in sorted(path for path in locale.iterdir() if path.is_dir()):
        made = folder / "LC_MESSAGES" / "django.mo"
        # The folder's own time tells that a part was taken away.
        newest = max(path.stat().st_mtime_ns for path in (folder, *folder.glob("*.po")))
        if made.exists() and made.stat().st_mtime_ns > newest:
            continue
        written = BytesIO()
        write_mo(written, read_words(folder))
        # An installed package may lie where nobody may write: then it was compiled when it was packed.
        with contextlib.suppress(PermissionError):
            made.parent.mkdir(exist_ok=True)
            aside = made.with_name(f".{os.getpid()}.mo")
            aside.write_bytes(written.getvalue())
            aside.replace(made)
