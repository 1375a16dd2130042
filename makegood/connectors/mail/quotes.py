"""What is new in a reply, and the history under it: by how mail programs mark it, in Chinese and English first."""

from __future__ import annotations

import re

# ------- 原始邮件 -------, -----Original Message-----, ---- Replied Message ----; not what somebody forwards to show it
_SEPARATOR = re.compile(
    r"^\s{0,4}[-_=*─—]{2,60}\s{0,4}(?:原始邮件|原始信件|原邮件|原郵件|原始郵件|回复的原邮件|回覆的原郵件|"
    r"Original Message|"
    r"Original Mail|Reply Message|Replied Message|元のメッセージ|Ursprüngliche Nachricht|Message d['’]origine|"
    r"Mensaje original|Oorspronkelijk bericht|Messaggio originale|Исходное сообщение|원본 메시지)\s{0,4}[-_=*─—]{2,60}",
    re.IGNORECASE,
)
_WROTE_WORDS = (
    r"(?:写道|寫道|撰写|来信|wrote|writes|schrieb|a écrit|escribió|ha scritto|escreveu|schreef|napsal|написал\(?а?\)?)"
)
_WROTE = re.compile(
    rf"{_WROTE_WORDS}\s*[:：]\s*$|^\s*(?:Am|Op|Le|El|Il|Em)\b.{{4,200}}{_WROTE_WORDS}\b.{{1,150}}[:：]\s*$",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"^\s*[*>]?\s*(?:(?:On|Am|Le|El|Il|Op|Em|Dne|At)\b|在|于|於)|\d{4}\s*[年/.-]\s*\d{1,2}|\d{1,2}[:：]\d{2}|"
    r"<[^<>\s]+@[^<>\s]+>"
    r"|[^\s<>]+@[^\s<>]+",
    re.IGNORECASE,
)
_FOLDED = re.compile(r"\s*(?:(?:On|Am|Le|El|Il|Op|Em)\b|在|于|於|\d{4}|[^<>]{1,80}<[^<>]*$)")
_GMAIL_JA = re.compile(
    r"^\s*\d{4}年\d{1,2}月\d{1,2}日\s*(?:\([^)]*\)\s*)?\d{1,2}:\d{2}.{0,120}<[^<>\s]+@[^<>\s]+>\s*[:：]\s*$"
)
_FROM = re.compile(
    r"^\s*[*>]?\s*\*?(?:From|发件人|寄件者|寄件人|发送人|差出人|Von|De|Da|Van|От)\s*\*?\s*[:：]", re.IGNORECASE
)
_FIELD = re.compile(
    r"^\s*[*>]?\s*\*?(?:Sent|Date|To|Cc|Subject|Reply-To|Importance|发送时间|发件时间|发送日期|日期|时间|收件人|"
    r"抄送|抄送人|主题|"
    r"主旨|寄件日期|收件者|副本|日時|送信日時|宛先|件名|Gesendet|An|Betreff|Envoyé|À|Objet|Enviado|Para|Asunto|Datum|"
    r"Onderwerp|Aan|Дата|Кому|Тема)\s*\*?\s*[:：]",
    re.IGNORECASE,
)
_RULE = re.compile(r"^[_=*─—-]{3,}$")
_QUOTED = re.compile(r"^\s{0,3}[>＞]")
FIELDS_AFTER = 6  # a header block has its second and third field within so many lines
WROTE_LINES = 4  # an attribution may be folded over so many
_GAP = "[…]"
# What stands over a mail that is passed on to be read: it is no history.
_FORWARDS = re.compile(
    r"^\W*(?:Begin forwarded message|Forwarded message|转发的邮件|转发邮件)\W*$", re.IGNORECASE | re.MULTILINE
)


def cut(text: str) -> tuple[str, str]:
    """The new words and the history; where nothing is new, everything counts as new."""
    lines = text.split("\n")
    at, is_whole = _history_begins(lines)
    if at is None:
        return _without_quoted_lines(lines, None)
    before, _gone = _without_quoted_lines(lines[:at], None)
    after = [line for line in lines[_attribution_ends(lines, at) :] if line.strip()]
    below = [line for line in after if not _QUOTED.match(line)]
    if not is_whole and after and _QUOTED.match(after[0]) and below:
        # History marked line by line with words between or under it: those are new too.
        return _without_quoted_lines(lines, at)
    fresh = before.strip() if _FORWARDS.sub("", before).strip() else ""
    return (fresh, "\n".join(lines[at:]).strip()) if fresh else (text.strip(), "")


def _history_begins(lines: list[str]) -> tuple[int | None, bool]:
    """The first line of it, and whether all that follows belongs to it, as under a separator or a block of headers."""
    for at, line in enumerate(lines):
        if not line.strip() or len(line) > 1000:
            continue
        if _SEPARATOR.match(line) or _is_header_block(lines, at):
            return _with_rule_above(lines, at), True
        if _GMAIL_JA.match(line) or _is_attribution(lines, at):
            return _with_rule_above(lines, at), False
    return None, False


def _with_rule_above(lines: list[str], at: int) -> int:
    """A line of dashes right above belongs to the history."""
    above = at - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    return above if above >= 0 and _RULE.match(lines[above].strip()) else at


def _is_header_block(lines: list[str], at: int) -> bool:
    if not _FROM.match(lines[at]):
        return False
    following = [line for line in lines[at + 1 : at + 2 + FIELDS_AFTER * 2] if line.strip()][:FIELDS_AFTER]
    return sum(1 for line in following if _FIELD.match(line)) >= 2


def _is_attribution(lines: list[str], at: int) -> bool:
    """Whether "On … wrote:" begins here, on one line or folded; a sentence that ends so has no date or address."""
    if _QUOTED.match(lines[at]):
        return False
    for end in range(at, min(at + WROTE_LINES, len(lines))):
        if end > at and (not lines[end].strip() or _QUOTED.match(lines[end])):
            return False
        if lines[end].rstrip().endswith((":", "：")) and _WROTE.search(lines[end]):
            whole = " ".join(line.strip() for line in lines[at : end + 1])
            if len(whole) > 400 or not _WHEN.search(whole):
                return False
            # The first line of it, and not a line of the letter that stands above without a blank one between.
            return end == at or bool(_FOLDED.match(lines[at]))
    return False


def _attribution_ends(lines: list[str], at: int) -> int:
    for end in range(at, min(at + WROTE_LINES + 2, len(lines))):
        if _WROTE.search(lines[end]) or _GMAIL_JA.match(lines[end]) or _SEPARATOR.match(lines[end]):
            return end + 1
    return at


def _without_quoted_lines(lines: list[str], attribution: int | None) -> tuple[str, str]:
    """Parts lines marked with ``>`` from those that are not; gaps between new lines are shown."""
    fresh: list[str] = []
    quoted: list[str] = []
    skip = range(attribution, _attribution_ends(lines, attribution)) if attribution is not None else range(0)
    for number, line in enumerate(lines):
        if number in skip or _QUOTED.match(line):
            quoted.append(line)
            while fresh and not fresh[-1].strip():
                fresh.pop()
            if fresh and fresh[-1] != _GAP:
                fresh.append(_GAP)
        elif line.strip() or (fresh and fresh[-1] != _GAP):
            fresh.append(line)
    text = "\n".join(fresh).strip().removesuffix(_GAP).strip()
    words = _FORWARDS.sub("", text.replace(_GAP, "")).strip()
    whole = "\n".join(lines).strip()
    return (text, "\n".join(quoted).strip()) if words else (whole, "")
