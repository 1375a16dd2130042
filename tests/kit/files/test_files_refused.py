"""What is not on the list is refused by its content, however it is called."""

from __future__ import annotations

import gzip
import tarfile
import time
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from makegood.kit import files

Keep = Callable[..., files.Stored]
Content = Callable[[files.Stored], bytes]
Film = Callable[..., bytes]


def zipped(name: str = "a.txt", data: bytes = b"hello") -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, data)
    return out.getvalue()


def tarred() -> bytes:
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        link = tarfile.TarInfo("../../etc/passwd")
        link.type = tarfile.SYMTYPE
        file.addfile(link)
    return out.getvalue()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

REFUSED = {
    "svg": SVG,
    "svg after a declaration": b'<?xml version="1.0"?>\n' + SVG,
    "svg after spaces and a mark": b"\xef\xbb\xbf \r\n\t" + SVG,
    "svg in utf-16": SVG.decode().encode("utf-16"),
    "svg compressed": gzip.compress(SVG),
    "html": b"<!DOCTYPE html><html><body>hello</body></html>",
    "html after words": b"dear shop, " * 100 + b"<ScRiPt src=//x.example></script>",
    "php": b"hello <?php system('id');",
    "zip": zipped(),
    "office document": zipped("word/document.xml", b"<w/>"),
    "zip slip": zipped("../../../etc/cron.d/x"),
    "tar with a link": tarred(),
    "windows program": b"MZ\x90\x00\x03" + bytes(200) + b"PE\x00\x00",
    "linux program": b"\x7fELF\x02\x01\x01" + bytes(200),
    "audio": b"ID3\x03\x00" + bytes(500),
    "bmp": b"BM\x46\x00" + bytes(60),
    "tiff": b"II*\x00\x08\x00\x00\x00" + bytes(60),
    "rtf": b"{\\rtf1\\ansi hello}",
    "script": b"#!/bin/sh\necho hello\n",
    "postscript": b"%!PS-Adobe-3.0\n",
    "avif": b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf" + bytes(64),
    "audio in an mp4 box": b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00isommp42" + bytes(64),
    "control characters": b"hello \x1b[2J world",
    "random bytes": bytes(range(256)) * 8,
    "pdf not at the beginning": b"\n%PDF-1.7\n%%EOF\n\0",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("name", ["photo.jpg", "receipt.pdf", "note.txt"])
def test_row_39_and_40_content_not_on_the_list_is_refused_under_any_name(
    keep: Keep, uploads: Path, data: bytes, name: str
) -> None:
    with pytest.raises(files.FileTypeRefused) as refused:
        keep(data, name, field="evidence[0]")

    assert refused.value.code == "file_type_refused"
    assert refused.value.field == "evidence[0]"
    assert refused.value.value
    assert refused.value.rule
    assert [path for path in uploads.rglob("*") if path.is_file()] == []


def test_row_38_zip_bombs_are_refused_without_unpacking(keep: Keep) -> None:
    inner = zipped("0.bin", bytes(20_000_000))
    bomb = zipped("inner.zip", inner * 20)

    began = time.process_time()
    for name in ("bomb.zip", "photo.jpg"):
        with pytest.raises(files.FileTypeRefused) as refused:
            keep(bomb, name)
        assert refused.value.value == "application/zip"
    assert time.process_time() - began < 0.2


def test_row_38_nothing_is_read_beyond_the_head_of_a_refused_file(uploads: Path) -> None:
    endless = Endless(zipped())

    with pytest.raises(files.FileTypeRefused):
        files.store(endless, declared_name="a.zip", uploads=uploads, owner="m")

    assert endless.given <= 128 * 1024


class Endless:
    """A stream which never ends."""

    def __init__(self, head: bytes) -> None:
        self.head = head
        self.given = 0

    def read(self, size: int, /) -> bytes:
        data, self.head = self.head[:size], self.head[size:]
        data += b"a" * (size - len(data))
        self.given += len(data)
        return data


def test_a_size_limit_stops_the_reading(uploads: Path, pdf: bytes) -> None:
    endless = Endless(pdf)

    with pytest.raises(files.FileTooLarge) as refused:
        files.store(
            endless, declared_name="a.pdf", uploads=uploads, owner="m", limits=files.Limits(file_bytes=10 * 1024 * 1024)
        )

    assert (refused.value.code, refused.value.rule) == ("file_too_large", "at_most_10485760_bytes")
    assert endless.given <= 10 * 1024 * 1024 + 2 * 64 * 1024
    assert [path for path in uploads.rglob("*") if path.is_file()] == []


def test_a_file_of_exactly_the_limit_is_taken(keep: Keep, pdf: bytes) -> None:
    assert keep(pdf, limits=files.Limits(file_bytes=len(pdf))).size == len(pdf)
    with pytest.raises(files.FileTooLarge):
        keep(pdf, limits=files.Limits(file_bytes=len(pdf) - 1))


def test_an_empty_file_is_refused(keep: Keep) -> None:
    with pytest.raises(files.FileEmpty) as refused:
        keep(b"", "photo.jpg")

    assert (refused.value.code, refused.value.value) == ("file_empty", "photo.jpg")


def test_a_refusal_tells_the_name_on_one_line(keep: Keep) -> None:
    with pytest.raises(files.FileEmpty) as refused:
        keep(b"", "../photo.jpg\r\n2026-11-22 paid out")

    assert refused.value.value == "photo.jpg2026-11-22 paid out"


# Documents


def test_documents_are_kept_as_they_are(keep: Keep, content: Content, pdf: bytes) -> None:
    stored = keep(pdf, "photo.jpg")

    assert (stored.media_type, stored.name, content(stored)) == ("application/pdf", "photo.pdf", pdf)
    assert stored.width is None


@pytest.mark.parametrize("tail", [zipped(), b"<script>alert(1)</script>", b"MZ"])
def test_row_40_a_document_with_something_behind_it_is_refused(keep: Keep, pdf: bytes, tail: bytes) -> None:
    with pytest.raises(files.FileTypeRefused):
        keep(pdf + tail, "receipt.pdf")


def test_row_40_a_document_with_an_archive_inside_is_refused(keep: Keep, pdf: bytes) -> None:
    # A zip reader finds the archive although the document ends as it should.
    both = pdf.removesuffix(b"%%EOF\n") + zipped()[:-2] + b"\x06\x00" + b"%%EOF\n"
    assert zipfile.is_zipfile(BytesIO(both))

    with pytest.raises(files.FileTypeRefused) as refused:
        keep(both, "receipt.pdf")
    assert refused.value.rule == "no_archive_inside"


def test_a_document_cut_off_is_refused(keep: Keep, pdf: bytes) -> None:
    with pytest.raises(files.FileTypeRefused) as refused:
        keep(pdf[:30], "receipt.pdf")
    assert refused.value.rule == "pdf_ends_with_%%EOF"


# Text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_text_is_kept_as_utf_8(keep: Keep, content: Content, encoding: str) -> None:
    words = "你好,沙发的扶手裂了。\r\n5 < 6 and a <b> c\t✓"

    stored = keep(words.encode(encoding), "说明.doc")

    assert content(stored).decode() == words
    assert (stored.media_type, stored.name) == ("text/plain", "说明.txt")


@pytest.mark.parametrize(
    "words", ["BMW parts are missing", "MZ-12 came instead", "GIFT is broken", "ID3 sent, FWS wanted"]
)
def test_text_which_begins_like_a_foreign_format_is_text(keep: Keep, content: Content, words: str) -> None:
    stored = keep(words.encode(), "note.txt")

    assert (stored.media_type, content(stored)) == ("text/plain", words.encode())


def test_text_has_its_own_limit(keep: Keep) -> None:
    with pytest.raises(files.FileTooLarge) as refused:
        keep(b"a" * (1024 * 1024 + 1), "log.txt")
    assert refused.value.rule == "at_most_1048576_bytes"


# Film


@pytest.mark.parametrize(
    ("brand", "media_type", "name"),
    [(b"isom", "video/mp4", "clip.mp4"), (b"qt  ", "video/quicktime", "clip.mov"), (b"M4V ", "video/mp4", "clip.mp4")],
)
def test_films_are_kept_as_they_are(
    keep: Keep, content: Content, film: Film, brand: bytes, media_type: str, name: str
) -> None:
    stored = keep(film(brand), "clip.avi")

    assert (stored.media_type, stored.name, content(stored)) == (media_type, name, film(brand))


def test_row_40_a_film_is_its_boxes_and_nothing_else(keep: Keep, film: Film) -> None:
    whole = film()

    for broken, rule in (
        (whole + zipped(), "video_boxes_fill_the_file"),
        (whole + b"<script>alert(1)</script>", "video_boxes_fill_the_file"),
        (whole[:-1], "video_boxes_fill_the_file"),
        (film(handler=b"soun"), "video_has_a_picture_track"),
        (whole[: whole.index(b"moov") - 4], "video_has_index_and_samples"),
        (whole[:24] + bytes(4) + b"free", "video_has_index_and_samples"),
        (whole[:24] + b"\0\0\0\1mdat" + bytes(8), "video_boxes_fill_the_file"),
    ):
        with pytest.raises(files.FileTypeRefused) as refused:
            keep(broken, "clip.mp4")
        assert refused.value.rule == rule


def test_a_film_has_its_own_limit(keep: Keep, film: Film) -> None:
    small = files.Limits(file_bytes=100, video_bytes=len(film()))

    assert keep(film(), "clip.mp4", limits=small).size == len(film())
    with pytest.raises(files.FileTooLarge):
        keep(film(), "clip.mp4", limits=files.Limits(video_bytes=100))
