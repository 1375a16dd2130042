"""How mails are put in their place: signed reply addresses, numbers quoted, subjects, languages. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable

from makegood.connectors.mail.shapes import ParsedMail
from makegood.kit.refs import normalize_ref

SIGNATURE = 16  # characters of base32: 80 bits, which nobody guesses over mail
_TAG = re.compile(r"^([^@+]{1,40})\+(v-[a-z0-9]{4,16})\.([a-z2-7]{16})@(.+)$")
_CASE_REF = re.compile(r"\bC-[A-Za-z0-9]{8}\b")
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{2,39}")
_PREFIX = re.compile(
    r"^\s*(?:(?:re|aw|sv|antw?|r|res|fwd?|wg|tr|rv|回复|回覆|答复|答覆|转发|轉寄|回信|返信|転送)(?:\s*\[\d+\])?\s*[:：]|"
    r"\[(?:外部|external|ext)\])\s*",
    re.IGNORECASE,
)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_KANA = re.compile(r"[\u3041-\u30fe]")
MOST_NUMBERS = 60


def reply_tag(ref: str, *, merchant_id: int, key: str) -> str:
    """What is put after the plus of our address: the conversation and a signature over it and its merchant."""
    return f"{ref.lower()}.{_signature(ref, merchant_id, key)}"


def reply_address(address: str, ref: str, *, merchant_id: int, key: str) -> str:
    """``support+v-7kmp3qxr.…@shop.example``; the plain address where the tag would make it too long."""
    local, _, domain = address.partition("@")
    tagged = f"{local}+{reply_tag(ref, merchant_id=merchant_id, key=key)}"
    return f"{tagged}@{domain}" if len(tagged) <= 64 else address


def ref_in_addresses(addresses: Iterable[str], *, ours: Iterable[str], merchant_id: int, key: str) -> str:
    """The conversation that one of these addresses of ours names, where its signature is right; else empty."""
    known = set(ours)
    for address in addresses:
        found = _TAG.match(address.lower())
        if found is None or f"{found[1]}@{found[4]}" not in known:
            continue
        ref = found[2].upper()
        if hmac.compare_digest(found[3], _signature(ref, merchant_id, key)):
            return ref
    return ""


def _signature(ref: str, merchant_id: int, key: str) -> str:
    digest = hmac.new(key.encode(), f"makegood/reply/{merchant_id}/{ref.upper()}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode().lower()[:SIGNATURE]


def case_refs(text: str) -> tuple[str, ...]:
    """References of cases quoted in a text, each once."""
    return tuple(dict.fromkeys(normalize_ref(found) for found in _CASE_REF.findall(text)))[:10]


def order_numbers(text: str) -> tuple[str, ...]:
    """Words that could be order numbers: they hold a digit. Whether they are, the orders of the sender tell."""
    found = (word.strip("._/-") for word in _NUMBER.findall(text))
    likely = [word for word in found if any(char.isdigit() for char in word) and len(word) >= 3]
    return tuple(dict.fromkeys([*likely, *(word.upper() for word in likely)]))[:MOST_NUMBERS]


def base_subject(subject: str) -> str:
    """A subject without what replies and forwards put before it."""
    while (shorter := _PREFIX.sub("", subject, count=1)) != subject:
        subject = shorter
    return re.sub(r"\s+", " ", subject).strip()


def subject_key(subject: str) -> str:
    """Equal for mails of one matter; empty where the subject says nothing."""
    base = base_subject(subject).casefold()
    return hashlib.sha256(base.encode()).hexdigest() if base else ""


def content_key(mail: ParsedMail) -> str:
    """Equal for one mail that came over two ways, whatever headers were added on the way."""
    digest = hashlib.sha256()
    for part in (mail.sender.value, base_subject(mail.subject), mail.text):
        digest.update(part.encode("utf-8", "replace") + b"\0")
    for file in mail.attachments:
        digest.update(hashlib.sha256(file.data).digest())
    return digest.hexdigest()


def language_of(text: str, *, otherwise: str = "en") -> str:
    """zh-hans or en, by the signs of the text; what holds neither says nothing."""
    chinese = len(_CHINESE.findall(text[:5000]))
    if chinese and len(_KANA.findall(text[:5000])) * 4 < chinese:
        return "zh-hans"
    return "en" if re.search(r"[A-Za-z]{2}", text) and not chinese else otherwise
