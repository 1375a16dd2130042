"""Whatever is sent: it is kept as one of the accepted types or refused with a code, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from makegood.kit import errors, files

KEPT_AS = {
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG",
    "image/webp": b"RIFF",
    "application/pdf": b"%PDF-",
    "text/plain": b"",
    "video/mp4": b"\0\0\0",
    "video/quicktime": b"\0\0\0",
}
Keep = Callable[..., files.Stored]
Content = Callable[[files.Stored], bytes]

SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


def outcome(keep: Keep, content: Content, data: bytes) -> str:
    try:
        stored = keep(data)
    except errors.DomainError as refused:
        told = refused
    else:
        kept = content(stored)
        assert kept.startswith(KEPT_AS[stored.media_type])
        assert len(kept) == stored.size
        return "kept"
    assert told.field == "file"
    assert told.rule
    assert str(told)
    return told.code


@pytest.fixture
def samples(picture: Callable[..., bytes], film: Callable[..., bytes], pdf: bytes) -> dict[str, bytes]:
    return {
        **{kind: picture(kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "HEIF")},
        "PDF": pdf,
        "MP4": film(),
        "TEXT": "你好, hello".encode(),
    }


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "HEIF", "PDF", "MP4", "TEXT"])
@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=6)), max_size=6))
@SAME_FOLDER
def test_row_40_a_tampered_file_is_kept_clean_or_refused_with_a_code(
    keep: Keep, content: Content, samples: dict[str, bytes], kind: str, changes: list[tuple[float, bytes]]
) -> None:
    data = bytearray(samples[kind])
    for where, new in changes:
        at = int(where * len(data))
        data[at : at + len(new)] = new

    assert outcome(keep, content, bytes(data)) in {
        "kept",
        "file_type_refused",
        "file_unreadable",
        "image_too_large",
    }
    if not changes:
        assert outcome(keep, content, bytes(data)) == "kept"


@given(st.binary(max_size=300))
@SAME_FOLDER
def test_row_40_any_bytes_are_kept_clean_or_refused_with_a_code(keep: Keep, content: Content, data: bytes) -> None:
    assert outcome(keep, content, data) in {"kept", "file_empty", "file_type_refused", "file_unreadable"}


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=40))
@SAME_FOLDER
def test_a_stream_may_arrive_in_pieces_of_any_size(keep: Keep, uploads: Path, pdf: bytes, sizes: list[int]) -> None:
    body, end = pdf.split(b"trailer")
    whole = body + b"a" * sum(sizes) + b"trailer" + end

    class Slow(BytesIO):
        pieces = iter(sizes)

        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, next(self.pieces, 1000)))

    stored = files.store(Slow(whole), declared_name="a.pdf", uploads=uploads, owner="01hq-merchant")

    assert stored == keep(whole, "a.pdf")
