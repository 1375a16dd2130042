"""What a returned mail says: who did not get what, and whether that will last. Reports by RFC 3464 and many others."""

from __future__ import annotations

import re
from dataclasses import dataclass

from makegood.connectors.mail.headers import ids
from makegood.connectors.mail.shapes import ParsedMail

_DAEMON = re.compile(
    r"^(?:mailer[-_.]?daemon|mail[-_.]?daemon|post[-_.]?master|mdaemon|maiser|mmdf|mail-?delivery|delivery|majordomo|"
    r"bounces?|ndr|undeliverable|mail(?:er)?[-_.]?(?:system|deliver|admin)|smtp|mmsc|autoresponder|"
    r"email[-_.]?delivery|returned|mta|system[-_.]?admin(?:istrator)?)\b",
    re.IGNORECASE,
)
_DAEMON_NAME = re.compile(
    r"mail(?:er)? ?delivery|mailer-?daemon|delivery (?:sub)?system|postmaster|mail (?:administrator|system|server)|"
    r"system administrator|系统退信|邮件系统|邮件投递|退信|邮件管理员|メール配信",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"undeliver|deliver(?:y|ing)?[ _-]*(?:status|report|fail|problem|error|notif|unsuccess|delay|has failed|"
    r"to .{1,80} failed)|(?:mail|message)\b.{0,30}\b(?:deliver|return|fail|reject|bounc|undeliv|could ?n[o']t|"
    r"can ?not|not be)|"
    r"returned mail|failure notice|failed mail|returning message|non[- ]?deliver|mail (?:system )?error|"
    r"user unknown|unknown user|"
    r"bounced|rejected|delivery|warning: could not send|delayed mail|nondeliverable|unzustellbar|"
    r"退信|退回|无法投递|投递失败|未送达|无法送达|发送失败|寄送失败|傳送失敗|"
    r"配信不能|配信エラー|配送不能|送信できません|エラーメール|"
    r"не доставлен|недоставлен|No se puede entregar|Non remis|Mancata consegna|non recapitabile|Falha na entrega",
    re.IGNORECASE,
)
# Subjects that mail systems write and people do not.
_SYSTEM_SUBJECT = re.compile(
    r"^\W*(?:returned mail|undeliver(?:able|ed) (?:mail|message)|mail (?:could not|cannot|can't) be delivered|"
    r"mail delivery (?:fail|error|warning|problem|delay|status|report)|delivery status notification|failure notice|"
    r"message (?:undeliver|delivery (?:fail|error|problem))|mail system error|non[- ]?delivery|系统退信|邮件退信|"
    r"退信通知|"
    r"邮件投递失败)|: non remis\b",
    re.IGNORECASE,
)
_SES = re.compile(r'"notificationType"\s*:\s*"(?:Bounce|Complaint)"')
_FAILURE = re.compile(
    r"could not be delivered|(?:was|were|has|have) not (?:been )?(?:delivered|able to be delivered)|"
    r"cannot be delivered|undeliverable|permanent (?:fatal )?errors?|delivery .{0,40}failed|failed to deliver|"
    r"unable to deliver|"
    r"(?:could|can) ?n[o']t (?:be )?(?:deliver|send|find|reach)|"
    r"not delivered|returned (?:to|mail|message)|did not reach|user (?:is )?unknown|unknown (?:user|recipient|address)|"
    r"no such (?:user|mailbox|recipient|address)|"
    r"mailbox (?:is )?(?:full|unavailable|not found|does not exist|disabled)|not listed in|quota|"
    r"(?:address|recipient|account|user) .{0,30}(?:rejected|not found|does(?: not|n't) exist|invalid|disabled|"
    r"unavailable)|"
    r"following (?:address|recipient|message|destination)|delivery (?:report|status|error|problem)|"
    r"message .{0,40}(?:bounced|rejected)|"
    r"无法投递|投递失败|退信|未能送达|无法送达|不存在|被拒|拒收|"
    r"届けることができません|配信できません|送信できません|宛先|存在しません|"
    r"not a valid|relay(?:ing)? denied|mail loop|too many hops|no longer valid|spam|blocked|error",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,2})\.(\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.])([45])([0-5])(\d)(?=[ -]|$)", re.MULTILINE)
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}[A-Za-z0-9]")
_RECIPIENT = re.compile(
    r"^(?:original|final)-recipient\s*:\s*(?:[\w-]+\s*;)?\s*<?([^\s<>;]+@[^\s<>;]+)", re.IGNORECASE | re.MULTILINE
)
_FIELD = re.compile(r"^(action|status|diagnostic-code|feedback-type)\s*:\s*(.+)$", re.IGNORECASE | re.MULTILINE)
_SENT_BACK = re.compile(r"^(?:received|message-id|return-path|subject|from|to)\s*:\s*\S", re.IGNORECASE | re.MULTILINE)
_SAYS_NOT_FAILED = {"delivered", "relayed", "expanded"}


@dataclass(frozen=True, slots=True)
class Bounce:
    """``lasting``: the address will not take mail tomorrow either. ``message_ids``: of what was sent back."""

    why: str
    action: str
    recipients: tuple[str, ...]
    status: str
    diagnostic: str
    lasting: bool
    message_ids: tuple[str, ...]


def read_bounce(mail: ParsedMail) -> Bounce | None:
    """What a bounce says, or None where the mail is none."""
    if mail.report.kind in {"delivery", "feedback"}:
        return _of_report(mail)
    why = _looks_like_one(mail)
    return _of_words(mail, why) if why else None


def _of_report(mail: ParsedMail) -> Bounce:
    fields: dict[str, str] = {}
    for name, value in _FIELD.findall(mail.report.status):
        fields.setdefault(name.lower(), value.strip())
    action = fields.get("action", "").lower()[:20]
    status = fields.get("status", "")
    code = _CODE.search(status) or _CODE.search(mail.text)
    if mail.report.kind == "feedback":
        # The receiver's people marked our mail as unwanted: to write again is worse than to be silent.
        return Bounce("feedback-report", "complained", _recipients(mail), "", "", lasting=True, message_ids=_ids(mail))
    known = code[0] if code else ""
    failed = action not in {"delayed", *_SAYS_NOT_FAILED}
    return Bounce(
        "delivery-status",
        action or "failed",
        _recipients(mail),
        known,
        (fields.get("diagnostic-code") or mail.fresh.strip())[:500],
        lasting=failed and _lasts(known),
        message_ids=_ids(mail),
    )


def _looks_like_one(mail: ParsedMail) -> str:  # noqa: PLR0911 - one line a sign
    """Which sign tells it; a customer who writes "delivery failed" over a letter is not taken for a machine."""
    if "x-failed-recipients" in mail.headers:
        return "x-failed-recipients"
    local = mail.sender.value.partition("@")[0]
    machine = bool(_DAEMON.search(local)) or bool(_DAEMON_NAME.search(mail.sender.name))
    subject = bool(_SUBJECT.search(mail.subject))
    words = bool(_FAILURE.search(mail.text[:20_000]))
    nobody = mail.header("return-path") == "<>"
    coded = bool(_CODE.search(mail.text) or _REPLY.search(mail.text))
    sent_back = len(set(_SENT_BACK.findall(mail.text))) >= 3 or bool(mail.report.returned)
    if machine and (subject or words or coded):
        return "from: a mail system"
    if nobody and (subject or words) and (coded or sent_back or _ADDRESS.search(mail.text)):
        return "return-path: <>"
    if _SES.search(mail.text[:20_000]):
        return "notification of a provider"
    if _SYSTEM_SUBJECT.search(mail.subject) and words and (sent_back or _ADDRESS.search(mail.text)):
        return "subject of a mail system"
    if subject and words and coded and (sent_back or "auto-submitted" in mail.headers):
        return "subject and codes"
    return ""


def _of_words(mail: ParsedMail, why: str) -> Bounce:
    code = _CODE.search(mail.text)
    status = code[0] if code else ""
    if not status and (reply := _REPLY.search(mail.text)):
        status = f"{reply[1]}.0.0"
    for_now = re.search(
        r"delayed|will (?:be )?(?:retr|continue)|warning|temporar|not yet|还会|继续尝试|再試行",
        mail.text[:4000],
        re.IGNORECASE,
    )
    action = "delayed" if for_now and not status.startswith("5") else "failed"
    return Bounce(
        why,
        action,
        _recipients(mail),
        status,
        mail.fresh.strip()[:500],
        lasting=action == "failed" and _lasts(status),
        message_ids=_ids(mail),
    )


def _lasts(status: str) -> bool:
    """A full mailbox, a message too large and a refused content pass; an address that is not there does not."""
    return status.startswith("5") and not status.startswith(("5.2.2", "5.3.4", "5.2.3", "5.6.", "5.7."))


def _recipients(mail: ParsedMail) -> tuple[str, ...]:
    named = _RECIPIENT.findall(mail.report.status) or _ADDRESS.findall(" ".join(mail.every("x-failed-recipients")))
    if not named:
        machine = mail.sender.value
        named = [one for one in _ADDRESS.findall(mail.text[:8000]) if one.lower() != machine]
    return tuple(dict.fromkeys(one.lower().strip("<>.") for one in named))[:20]


def _ids(mail: ParsedMail) -> tuple[str, ...]:
    """Ids of the mail that came back: where it is attached, quoted, or referred to."""
    told = [
        *re.findall(r"^message-id\s*:\s*(.+)$", f"{mail.report.returned}\n{mail.text}", re.IGNORECASE | re.MULTILINE)
    ]
    told += re.findall(
        r"^original-(?:envelope|message)-id\s*:\s*(.+)$", mail.report.status, re.IGNORECASE | re.MULTILINE
    )
    found = [one for value in told[:50] for one in ids(value)]
    return tuple(dict.fromkeys([*found, *mail.in_reply_to, *mail.references]))[:50]
