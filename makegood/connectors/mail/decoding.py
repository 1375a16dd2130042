"""Bytes of mails as text, whatever they say of their encoding: declarations are often missing, misspelt or wrong."""

from __future__ import annotations

import codecs
import re
from base64 import b64decode
from binascii import Error as NotBase64
from functools import lru_cache
from quopri import decodestring

from makegood.connectors import charsets

# Names mailers give, and the superset that is really meant: mails called GB2312 hold signs of GBK, and so on.
MEANT = {
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "cp936": "gb18030", "gb_2312-80": "gb18030",
    "euc-cn": "gb18030", "chinesesimplified": "gb18030",
    "big5": "cp950", "x-big5": "cp950", "big5-hkscs": "big5hkscs",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932",
    "iso-2022-jp": "iso2022_jp_ext", "cp50220": "iso2022_jp_ext", "cp50221": "iso2022_jp_ext",
    "ks_c_5601-1987": "cp949", "ks_c_5601": "cp949", "euc-kr": "cp949", "ksc5601": "cp949",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "iso8859-1": "cp1252",
    "unicode-1-1-utf-7": "utf-7", "utf-7": "utf-7", "x-unicode-2-0-utf-7": "utf-7",
    "iso-8859-8-i": "iso-8859-8", "uft-8": "utf-8", "utf8": "utf-8", "utf-8-sig": "utf-8",
}  # fmt: skip
SAYS_NOTHING = {"", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "x-unknown", "unknown", "default", "binary"}
# Encodings of ASCII bytes only, where valid ASCII says nothing, and of wide units, where valid UTF-8 says nothing.
WIDE = ("utf-16", "utf-32", "utf_16", "utf_32")
NOT_EIGHT_BIT = ("iso2022", "hz", "utf-7", "utf_7", *WIDE)
ISO_2022_JP = re.compile(rb"\x1b\$[@B]|\x1b\([JI]")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\ufffe\uffff]")
LONE = re.compile(r"[\ud800-\udfff]")
WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*(?:\?(?!=)[^?]*)*)\?=")
BETWEEN_WORDS = re.compile(r"(\?=)[ \t\r\n]+(=\?)")
ENOUGH_UTF8 = 2
WAVES = str.maketrans({"\u301c": "～", "\u2016": "∥"})


def decode_text(data: bytes, declared: str = "") -> str:
    """The text of a body or header, never failing; controls but tab and line breaks are left out."""
    return clean(_decode(data, _meant(declared)))


def clean(text: str) -> str:
    """Without what no database or page wants: zeros, controls, lone surrogates; every line break a line feed."""
    return LONE.sub("\ufffd", CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")))


@lru_cache(maxsize=512)
def _meant(declared: str) -> str:
    """The codec to try first; empty where nothing usable was declared."""
    name = declared.strip(" '\"\t\r\n;").lower().removeprefix("cs")
    if name in SAYS_NOTHING:
        return ""
    name = MEANT.get(name, name)
    try:
        known = codecs.lookup(name)
    except (LookupError, ValueError, UnicodeError):
        return ""
    # hex, zip and rot13 are codecs of Python, and no encodings of text.
    return known.name if getattr(known, "_is_text_encoding", True) and known.name != "idna" else ""


def _decode(data: bytes, codec: str) -> str:
    if data.isascii() and not codec.startswith(NOT_EIGHT_BIT):
        text = data.decode("ascii")
        return data.decode("iso2022_jp_ext", "replace") if ISO_2022_JP.search(data) else text
    if not codec.startswith(WIDE) and _is_utf8(data):
        return data.decode("utf-8")
    if codec:
        try:
            return data.decode(codec)
        except (UnicodeError, ValueError):
            damaged = data.decode(codec, "replace") if codec not in {"idna", "punycode"} else ""
            # A few wrong bytes are damage; many mean that the declaration is wrong.
            if damaged and damaged.count("\ufffd") * 20 <= len(damaged):
                return damaged
    return _guessed(data)


def _is_utf8(data: bytes) -> bool:
    """Whether it is UTF-8 with signs beyond ASCII: other encodings are valid UTF-8 for a word or two at most."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return len(data) - len(text) >= ENOUGH_UTF8


def _guessed(data: bytes) -> str:
    if ISO_2022_JP.search(data):
        return data.decode("iso2022_jp_ext", "replace")
    for codec in ("cp932", "euc_jp"):
        if _is_japanese(data, codec):
            return data.decode(codec).translate(WAVES)
    name = charsets.weigh(data)
    return data.decode(name or "cp1252", "replace")


def _is_japanese(data: bytes, codec: str) -> bool:
    """Japanese is a third kana at least; read in a wrong encoding it holds none."""
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        return False
    wide = [char for char in text if char > "\x7f"]
    kana = sum(1 for char in wide if "\u3041" <= char <= "\u30fe")
    return len(wide) >= 3 and kana * 4 >= len(wide)


def decode_header(value: str) -> str:
    """A header as people read it: unfolded, encoded words decoded, raw bytes guessed. Never fails.

    ``value`` is as the parser gives it, with bytes that are not ASCII as surrogate escapes.
    """
    unfolded = re.sub(r"\r?\n(?=[ \t])|[\r\n]+", "", value)
    text = BETWEEN_WORDS.sub(r"\1\2", unfolded)
    out: list[str] = []
    # Words of one encoding that follow one another are joined as bytes: many mailers cut a character in two.
    run, run_charset, end = b"", "", 0
    for found in WORD.finditer(text):
        charset, data = found[1].split("*")[0].lower(), _word_bytes(found[2], found[3])
        if found.start() != end or charset != run_charset:
            out.append(decode_text(run, run_charset))
            run = b""
        if found.start() != end:
            out.append(_raw(text[end : found.start()]))
        run, run_charset, end = run + data, charset, found.end()
    out.append(decode_text(run, run_charset))
    out.append(_raw(text[end:]))
    return re.sub(r"\s+", " ", clean("".join(out))).strip()


def _word_bytes(encoding: str, text: str) -> bytes:
    raw = text.encode("ascii", "surrogateescape") if not text.isascii() else text.encode()
    if encoding in "qQ":
        return decodestring(raw.replace(b"_", b" "), header=False)
    packed = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    if len(packed) % 4 == 1:  # the last sign was cut in two: what is whole can still be read
        packed = packed[:-1]
    try:
        return b64decode(packed + b"===")
    except NotBase64:
        return raw


def _raw(text: str) -> str:
    return text if text.isascii() else decode_text(text.encode("utf-8", "surrogateescape"))
