"""Guess the character encoding of a file, and tell how sure the guess is."""

from __future__ import annotations

import codecs
import gzip
import re
import unicodedata
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from charset_normalizer import from_bytes

from makegood.kit import errors

SAMPLE = 256 * 1024  # bytes of lines that are not ASCII; more does not change a guess
CHUNK = 1024 * 1024
KOREAN_SURE = 10  # rows of characters without one of the later ones

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HIGH_RUN = re.compile(rb"([A-Za-z]?)([\x80-\xff]+)([A-Za-z]?)")
# letters and the signs that western prose uses, in cp1252
_WESTERN = frozenset(range(0xC0, 0x100)) - {0xD7, 0xF7} | frozenset(
    b"\x80\x85\x8a\x8c\x8e\x91\x92\x93\x94\x96\x97\x99\x9a\x9c\x9e\x9f\xa0\xa3\xa9\xaa\xab\xae\xb0\xb4\xba\xbb\xbd\xbf"
)
_NOT_CP1252 = frozenset(b"\x81\x8d\x8f\x90\x9d")


class FileUnreadable(errors.Malformed):
    code = "import_file_unreadable"
    message = "{value}: {rule}"


class EncodingUnknown(errors.Malformed):
    code = "encoding_unknown"
    message = "{field}: {value} is not an encoding this program can read."


class EncodingUndecided(errors.Malformed):
    code = "encoding_undecided"
    message = "{value}: its encoding cannot be told; declare it."


@dataclass(frozen=True, slots=True)
class Encoding:
    """What a file is read as. ``confidence`` is 1.0 where a byte order mark, a declaration or every byte proves it."""

    name: str
    confidence: float
    bom: bool = False


@contextmanager
def open_bytes(path: str) -> Iterator[IO[bytes]]:
    """Open a file, unpacking gzip by its content. Raises FileUnreadable, and EOFError where a gzip file is cut."""
    try:
        with Path(path).open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw
    except OSError as error:
        raise FileUnreadable(path, field="file", rule=error.strerror or str(error)) from None
    except zlib.error as error:
        raise FileUnreadable(path, field="file", rule=f"damaged gzip: {error}") from None


def declared(name: str) -> Encoding:
    """Take the user's word. Raises EncodingUnknown."""
    try:
        known = codecs.lookup(name).name
        b"a".decode(known, errors="replace")  # refuses codecs that are no text encodings, such as hex
    except LookupError:
        raise EncodingUnknown(name, field="encoding", rule="a name Python knows") from None
    if known in {"gbk", "gb2312"}:
        known = "gb18030"  # the superset: files called GBK often hold a few of its signs
    return Encoding("utf-8" if known == "utf-8-sig" else known, 1.0)


def detect_encoding(path: str) -> Encoding:
    """Guess by the whole file for UTF-8 and by its lines that are not ASCII for the rest.

    UTF-8 wins where its multi-byte sequences are valid but for the odd damaged one (a file cut in half stays
    UTF-8). Otherwise GB18030, Big5 and cp1252 compete by how common the characters are that they would give.
    Raises FileUnreadable, and EncodingUndecided where nothing fits: better refused than read wrongly.
    """
    head, sample, wrong, right = _survey(path)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return Encoding(name, 1.0, bom=True)
    zeros = head.count(0)
    if zeros > len(head) * 0.2:
        little = sum(1 for byte in head[1::2] if byte == 0)
        return Encoding("utf-16-le" if little * 2 > zeros else "utf-16-be", 0.8)
    if not wrong:
        return Encoding("utf-8", 1.0)
    if right > 2 * wrong:  # text of other encodings is right by chance one time in twenty
        return Encoding("utf-8", round(right / (right + wrong), 2))
    return _weigh(path, sample)


def weigh(data: bytes) -> str:
    """The likeliest encoding of some bytes that are neither ASCII nor UTF-8; empty where nothing fits."""
    lines = b"\n".join(line for line in data.splitlines() if not line.isascii())[:SAMPLE]
    try:
        return _weigh("", lines).name if lines else ""
    except EncodingUndecided:
        return ""


def _survey(path: str) -> tuple[bytes, bytes, int, int]:
    """Read once: the head, a sample of lines with high bytes, and how many UTF-8 sequences are wrong and right."""
    head = b""
    sample = bytearray()
    wrong = right = 0
    with open_bytes(path) as file:
        try:
            head = file.read(4096)
            rest = head
            while rest:
                rest += file.readline(CHUNK)
                if not rest.isascii():
                    bad, good = _count_utf8(rest)
                    wrong, right = wrong + bad, right + good
                    if len(sample) < SAMPLE:
                        sample += b"\n".join(line for line in rest.splitlines() if not line.isascii())
                rest = file.read(CHUNK)
        except EOFError:
            pass  # a cut gzip file: the rows before the cut are judged, and the reader names the place
    return head, bytes(sample), wrong, right


def _count_utf8(block: bytes) -> tuple[int, int]:
    try:
        text = block.decode()
    except UnicodeDecodeError:
        text = block.decode(errors="surrogateescape")
        wrong = sum(1 for char in text if "\udc80" <= char <= "\udcff")
        return wrong, sum(1 for char in text if char > "\x7f") - wrong
    return 0, (len(block) - len(text)) // 2  # continuation bytes tell how many characters, near enough


def _weigh(path: str, sample: bytes) -> Encoding:
    scores = {"gb18030": _score_gb(sample), "cp1252": _score_western(sample), "big5": _score_big5(sample)}
    best = max(scores, key=lambda name: scores[name])  # a tie goes to the earlier
    others = max(score for name, score in scores.items() if name != best)
    if best == "gb18030" and _could_be_korean(sample):
        guess = from_bytes(sample).best()
        if guess is not None and guess.encoding in {"euc_kr", "cp949", "johab"}:
            return Encoding("cp949", 0.3)
    if scores[best] < 0.6:
        guess = from_bytes(sample).best()
        if guess is None or guess.encoding.startswith("utf") or not _is_foreign(str(guess)):
            raise EncodingUndecided(path, field="encoding", rule="declare it")
        return Encoding(guess.encoding, 0.3)
    if best == "cp1252" and any(byte in _NOT_CP1252 for byte in sample):
        best = "latin-1"
    return Encoding(best, round(max(0.5, min(0.99, 0.5 + scores.get(best, scores["cp1252"]) / 2 - others / 2)), 2))


def _is_foreign(text: str) -> bool:
    """Tell whether a text is mostly of another script than Latin: among Latin encodings nobody can be sure."""
    letters = [char for char in text if char > "\x7f" and char.isalpha()]
    latin = sum(1 for char in letters if unicodedata.name(char, "LATIN").startswith("LATIN"))
    return bool(letters) and latin * 4 < len(letters)


def _could_be_korean(sample: bytes) -> bool:
    """Korean fills rows 0xB0 to 0xC8 alone, where Chinese is spread to 0xD7."""
    rows = {
        code[0] for char in set(sample.decode("gb18030", errors="ignore")) if len(code := char.encode("gb18030")) == 2
    }
    return len(rows) >= KOREAN_SURE and max(rows) <= 0xC8


def _score_gb(sample: bytes) -> float:
    """Share of characters among the punctuation and the 3,755 everyday characters of GB 2312 level 1."""
    text = sample.decode("gb18030", errors="replace")
    common = units = 0
    for char in text:
        if char <= "\x7f":
            continue
        units += 1
        code = char.encode("gb18030")
        lead, trail = code[0], code[1]
        if char != "\ufffd" and len(code) == 2 and trail >= 0xA1 and (0xB0 <= lead <= 0xD7 or lead in {0xA1, 0xA3}):
            common += 1
    return common / units if units else 0.0


def _score_big5(sample: bytes) -> float:
    """Share of characters among the punctuation and the 5,401 everyday characters of Big5 level 1."""
    text = sample.decode("big5", errors="replace")
    common = units = 0
    for char in text:
        if char <= "\x7f":
            continue
        units += 1
        if char != "\ufffd" and (lead := char.encode("big5")[0]) <= 0xC6 and lead != 0xA3:
            common += 1
    return common / units if units else 0.0


def _score_western(sample: bytes) -> float:
    """Share of high bytes that are letters or usual signs and stand alone, or two or three within a word.

    Chinese comes in pairs, and seldom between Latin letters.
    """
    likely = total = 0
    for found in _HIGH_RUN.finditer(sample):
        before, run, after = found.groups()
        total += len(run)
        # two small letters are two rare characters in Chinese; two others must stand within a word
        within = len(run) == 2 and ((before and after) or min(run) >= 0xDF)
        if len(run) in {1, 3} or within:
            likely += sum(1 for byte in run if byte in _WESTERN)
    return likely / total if total else 0.0
