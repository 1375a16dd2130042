"""A declared name is text to show; headers make every file a download that cannot run."""

from __future__ import annotations

import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.kit.files import content_disposition, display_name, safe_headers


@pytest.mark.parametrize(
    ("declared", "media_type", "shown"),
    [
        ("IMG_0001.JPG", "image/jpeg", "IMG_0001.jpg"),
        ("IMG_0001.HEIC", "image/jpeg", "IMG_0001.jpg"),
        ("沙发 照片.jpeg", "image/jpeg", "沙发 照片.jpeg"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("C:\\Users\\me\\photo.png", "image/png", "photo.png"),
        ("..", "image/png", "file.png"),
        ("", "image/png", "file.png"),
        (".jpg", "image/jpeg", "file.jpg"),
        ("a\r\nSet-Cookie: x=1.jpg", "image/jpeg", "aSet-Cookie_ x=1.jpg"),
        ("photo\u202egpj.exe", "image/jpeg", "photogpj.jpg"),
        ("photo.jpg.exe", "image/jpeg", "photo.jpg.jpg"),
        ("nul.txt", "text/plain", "_nul.txt"),
        ("con", "image/png", "_con.png"),
        ('a"b<c>.png', "image/png", "a_b_c_.png"),
        ("nul\0byte.png", "image/png", "nulbyte.png"),
        ("\ud800.png", "image/png", "file.png"),
        ("x" * 5000 + ".png", "image/png", "x" * 96 + ".png"),
    ],
)
def test_of_a_declared_name_a_harmless_text_is_left(declared: str, media_type: str, shown: str) -> None:
    assert display_name(declared, media_type) == shown


@given(st.text(), st.sampled_from(["image/jpeg", "application/pdf", "text/plain", "video/mp4"]))
def test_no_name_reaches_outside_its_line_or_folder(declared: str, media_type: str) -> None:
    name = display_name(declared, media_type)

    assert 0 < len(name) <= 101
    assert not set(name) & set('/\\"<>|?*:\r\n\0')
    assert not name.startswith(".")
    assert all(unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for sign in name)
    assert display_name(name, media_type) == name


@given(st.text())
def test_a_disposition_is_one_ascii_line_which_gives_the_name_back(name: str) -> None:
    shown = display_name(name, "image/png")

    header = content_disposition(shown)

    assert header.isascii()
    assert header.isprintable()
    assert header.startswith('attachment; filename="')
    assert unquote(header.split("filename*=UTF-8''")[1]) == shown
    assert content_disposition(name).isprintable()


def test_a_disposition_is_a_download_with_both_names() -> None:
    assert content_disposition("沙发 1.jpg") == (
        "attachment; filename=\"__ 1.jpg\"; filename*=UTF-8''%E6%B2%99%E5%8F%91%201.jpg"
    )
    assert content_disposition('a"\r\nX: y') == "attachment; filename=\"a_X: y\"; filename*=UTF-8''a%22X%3A%20y"


def test_row_39_files_are_handed_out_as_downloads_that_cannot_run() -> None:
    headers = safe_headers("receipt.pdf", "application/pdf", 123)

    assert headers["Content-Disposition"].startswith("attachment")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "private, no-store"
    assert (headers["Content-Type"], headers["Content-Length"]) == ("application/pdf", "123")


@pytest.mark.parametrize("dangerous", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml\r\nX: y"])
def test_row_39_a_type_not_on_the_list_is_handed_out_as_bytes(dangerous: str) -> None:
    assert safe_headers("a", dangerous)["Content-Type"] == "application/octet-stream"


def test_text_is_handed_out_with_its_encoding() -> None:
    assert safe_headers("a.txt", "text/plain")["Content-Type"] == "text/plain; charset=utf-8"
