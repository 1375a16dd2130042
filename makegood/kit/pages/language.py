"""The reader's language, in the spellings that Babel, policy texts and Django want."""

from __future__ import annotations

from django.utils.translation import get_language


def is_chinese() -> bool:
    return (get_language() or "en").lower().startswith("zh")


def babel_locale() -> str:
    """``zh_Hans_CN`` or ``en``."""
    return "zh_Hans_CN" if is_chinese() else "en"


def text_language() -> str:
    """``zh-Hans`` or ``en``: how texts of the policy and the ``lang`` attribute of a page name it."""
    return "zh-Hans" if is_chinese() else "en"
