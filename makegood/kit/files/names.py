"""The name a sender gave a file: kept as display text only, and the headers under which it is handed out."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

LONGEST = 100

EXTENSIONS = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "application/pdf": (".pdf",),
    "text/plain": (".txt", ".log", ".csv", ".md"),
    "video/mp4": (".mp4", ".m4v"),
    "video/quicktime": (".mov", ".qt"),
}

# Control and format characters (right-to-left override among them), line separators, lone surrogates.
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
UNSAFE = re.compile(r'[<>:"|?*%;]')
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")


def display_name(declared: str, media_type: str) -> str:
    """What is left of a declared name when paths, invisible characters and a false extension are gone."""
    last = re.split(r"[/\\]", declared[:1000])[-1]
    visible = "".join(
        sign for sign in unicodedata.normalize("NFC", last) if unicodedata.category(sign) not in INVISIBLE
    )
    name = re.sub(r"\s+", " ", UNSAFE.sub("_", visible)).strip().rstrip(" .")
    extensions = EXTENSIONS.get(media_type, ())
    stem = EXTENSION.sub("", name) if extensions else name
    ending = name[len(stem) :].lower() if name[len(stem) :].lower() in extensions else "".join(extensions[:1])
    stem = stem.strip(" .")[: LONGEST - len(ending)] or "file"
    return f"{'_' if DEVICES.match(stem) else ''}{stem}{ending}"


def content_disposition(name: str) -> str:
    """Always a download: RFC 6266 with an ASCII name, and the real one by RFC 5987 (now RFC 8187)."""
    one_line = "".join(sign for sign in name if unicodedata.category(sign) not in INVISIBLE)
    ascii_name = re.sub(r'[^\x20-\x7e]|["\\%]', "_", one_line) or "file"
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(one_line, safe='')}"


def safe_headers(name: str, media_type: str, size: int | None = None) -> dict[str, str]:
    """Headers for handing out a stored file: downloaded, never run, never guessed at, never cached."""
    types = {"text/plain": "text/plain; charset=utf-8"}
    headers = {
        "Content-Type": types.get(media_type, media_type) if media_type in EXTENSIONS else "application/octet-stream",
        "Content-Disposition": content_disposition(name),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Cache-Control": "private, no-store",
    }
    return headers if size is None else {**headers, "Content-Length": str(size)}
