"""Files made in memory, and a folder to keep them in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from makegood.kit import files

OWNER = "01hq-merchant"

Keep = Callable[..., files.Stored]
"""Store bytes under a declared name: keep(data, "name.jpg", limits=…)."""

Picture = Callable[..., bytes]
"""A test picture with a red left and a blue right half: picture("JPEG", (64, 32), mode="RGB", exif=…)."""


@pytest.fixture
def uploads(tmp_path: Path) -> Iterator[Path]:
    """Whatever a test does, nothing half received is left behind."""
    folder = tmp_path / "uploads"
    yield folder
    assert list(folder.glob("*/.incoming/*")) == []


@pytest.fixture
def keep(uploads: Path) -> Keep:
    def keep(data: bytes, name: str = "IMG_0001.JPG", *, owner: str = OWNER, **more: Any) -> files.Stored:
        return files.store(BytesIO(data), declared_name=name, uploads=uploads, owner=owner, **more)

    return keep


@pytest.fixture
def content(uploads: Path) -> Callable[[files.Stored], bytes]:
    def content(stored: files.Stored) -> bytes:
        with files.open_stored(uploads=uploads, owner=OWNER, sha256=stored.sha256) as file:
            return file.read()

    return content


@pytest.fixture
def picture() -> Picture:
    def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 32), *, mode: str = "RGB", **more: Any) -> bytes:
        image = Image.new("RGB", size, "red")
        image.paste("blue", (size[0] // 2, 0, *size))
        out = BytesIO()
        image.convert(mode).save(out, kind, **more)
        return out.getvalue()

    return picture


def box(name: bytes, *inside: bytes) -> bytes:
    body = b"".join(inside)
    return (8 + len(body)).to_bytes(4, "big") + name + body


@pytest.fixture
def film() -> Callable[..., bytes]:
    """The boxes of a film with one track, by default of pictures."""

    def film(brand: bytes = b"isom", handler: bytes = b"vide") -> bytes:
        track = box(b"trak", box(b"tkhd", bytes(84)), box(b"mdia", box(b"hdlr", bytes(8), handler, bytes(13))))
        return (
            box(b"ftyp", brand, bytes(4), brand, b"mp42")
            + box(b"moov", box(b"mvhd", bytes(100)), track)
            + box(b"mdat", b"\x01" * 5000)
        )

    return film


@pytest.fixture
def pdf() -> bytes:
    return b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"
