"""One way to write an e-mail address and a phone number, however a person typed it: pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers

from makegood.kit import errors

KINDS = ("email", "phone")
_ADDRESS = re.compile(r"[^@\s\"(),:;<>\[\]\\]{1,64}@[^@\s\"(),:;<>\[\]\\_]+\.[^@\s\"(),:;<>\[\]\\_.]{2,}")
_DIALLED = re.compile(r"(?:tel:)?[+\d\s()./\-‐-―]{3,40}")


class ContactMalformed(errors.Malformed):
    code = "contact_malformed"
    message = "{field}: {value} is not an e-mail address or a phone number ({rule})."


@lru_cache(maxsize=8192)
def normalize_contact(kind: str, text: str, *, region: str = "") -> str:
    """Fold full-width characters, case and spacing; phones become E.164 (``+8613800138000``).

    ``region`` is the ISO 3166 country in which a phone number without country code is read.
    Raises ContactMalformed.
    """
    folded = "".join(
        char for char in unicodedata.normalize("NFKC", text).strip() if unicodedata.category(char) not in {"Cf", "Cc"}
    )
    if kind == "email":
        address = folded.removeprefix("mailto:").casefold()
        if len(address) > 200 or not _ADDRESS.fullmatch(address):
            raise ContactMalformed(text, field="email", rule="local@domain.tld")
        return address
    if kind == "phone":
        try:
            # Masked numbers (138****8000) would be read as shorter ones.
            number = phonenumbers.parse(folded, region or None) if _DIALLED.fullmatch(folded) else None
        except phonenumbers.NumberParseException:
            number = None
        if number is None or not phonenumbers.is_possible_number(number):
            raise ContactMalformed(text, field="phone", rule="a number with its country code")
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    raise ContactMalformed(kind, field="kind", rule="|".join(KINDS))


def guess_kind(text: str) -> str:
    """Say what a person typed who was asked for e-mail or phone."""
    return "email" if "@" in unicodedata.normalize("NFKC", text) else "phone"
