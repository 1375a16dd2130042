"""The page of security tells the truth, and the rows that no other test proves are proved here."""

from __future__ import annotations

import ast
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from django.conf import settings
from django.test import Client
from django.utils import timezone

from makegood.accounts.models import Staff
from makegood.kit import db
from tests.desk.working import Member
from tests.house.test_fault_table import names_in, proofs_in
from tests.portal.visiting import Visitor
from tests.shop import ask, sell

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "security.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if re.match(r"\| \d", line)]
SOURCES = sorted((ROOT / "makegood").rglob("*.py"))

pytestmark = pytest.mark.usefixtures("merchant")


@pytest.mark.parametrize(("path", "name"), sorted(set(proofs_in(PAGE))))
def test_a_test_named_on_the_page_of_security_exists(path: str, name: str) -> None:
    assert name in names_in(path)


def test_every_row_of_security_has_its_proof_or_its_reason() -> None:
    numbers = [number for row in ROWS for number in row[0].split(", ")]

    assert len(numbers) == len(set(numbers))
    assert len(numbers) > 80
    assert [row[0] for row in ROWS if not proofs_in(row[2]) and len(row[2]) < 60] == []


# -- what was sent never becomes code --


def calls(names: set[tuple[str, str]]) -> Iterator[tuple[str, ast.Call]]:
    """Calls of ``module.function`` in the program, with where they stand."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if isinstance(node.func.value, ast.Name) and (node.func.value.id, node.func.attr) in names:
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def escaped(node: ast.expr) -> bool:
    """Made of constants, of names in capitals (constants of the module), and of what ``re.escape`` gave."""
    match node:
        case ast.BinOp(left=left, right=right) | ast.IfExp(body=left, orelse=right):
            return escaped(left) and escaped(right)
        case ast.JoinedStr(values=values):
            return all(escaped(one.value if isinstance(one, ast.FormattedValue) else one) for one in values)
        case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=[of]):
            return escaped(of.elt if isinstance(of, ast.GeneratorExp) else of)
    constant = isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())
    return constant or (isinstance(node, ast.Call) and ast.unparse(node.func) == "re.escape")


def test_row_1_2_9_patterns_are_constants_or_escaped() -> None:
    functions = {"compile", "match", "fullmatch", "search", "sub", "split", "findall", "finditer"}
    found = calls({("re", name) for name in functions})

    others = [(where.split(":")[0], call.args[0]) for where, call in found if not escaped(call.args[0])]

    # The checker of replies puts its patterns together from constants of its own modules.
    known = [(path, pattern) for path, pattern in others if not path.startswith("makegood/cases/saying/")]
    assert {f"{path} {ast.unparse(pattern)}" for path, pattern in known} == {
        # Words of tables that stand in the same module.
        "makegood/conversations/triage/cues.py words",
        "makegood/conversations/triage/reasons.py words",
    }


def test_row_1_5_nothing_is_unpickled_and_no_xml_is_read_unguarded() -> None:
    unsafe = {"pickle", "marshal", "shelve", "dill", "xml", "lxml", "xmlrpc"}
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{path.relative_to(ROOT)}: {name}" for name in names if name.split(".")[0] in unsafe]

    assert found == []
    assert [where for where, _call in calls({("yaml", "load"), ("yaml", "unsafe_load")})] == []


def test_row_1_2_2_no_page_of_the_shop_links_to_anything_but_pages() -> None:
    case = ask(sell(at=timezone.now()), "return", "changed_mind", at=timezone.now())
    member = Member("owner")
    evil = "javascript:alert(1)"
    member.post(f"/cases/{case.ref}/do/message", {"body": evil, "to": "staff"})
    refused = member.post("/webhooks", {"url": evil, "label": evil})

    pages = [member.get(path).content.decode() for path in ("/", f"/cases/{case.ref}", "/webhooks", "/orders")]

    assert refused.status_code == 422
    links = {link for page in pages for link in re.findall(r"(?:href|action|src)=\"([^\"]*)\"", page)}
    assert links
    assert [link for link in links if not re.match(r"(?:/|\?|#|https?://|data:image/|$)", link)] == []


# -- cookies, headers and what a page may not be used for --


def test_row_3_3_cookies_are_bound_to_this_host_and_kept_from_scripts() -> None:
    member = Member("agent")
    given = {**member.client.cookies, **Visitor().get("/find").cookies}

    assert {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME} <= set(given)
    for cookie in given.values():
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie["domain"] == ""
        assert cookie["path"] == "/"


def settings_with(**environment: str) -> dict[str, str]:
    """What the settings say in a process of its own."""
    wanted = (
        "DEBUG SECURE_HSTS_SECONDS SESSION_COOKIE_NAME SESSION_COOKIE_SECURE CSRF_COOKIE_NAME CSRF_COOKIE_SECURE "
        "LANGUAGE_COOKIE_SECURE DEMO"
    )
    told = subprocess.run(
        [sys.executable, "-c", "import sys; from django.conf import settings as s\n"
         "for name in sys.argv[1:]: print(name, getattr(s, name), sep='=')", *wanted.split()],
        capture_output=True, check=True, text=True, cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "makegood.config.settings", **environment},
    )  # fmt: skip
    return dict(line.split("=", 1) for line in told.stdout.splitlines() if "=" in line)


def test_rows_3_3_and_3_4_behind_https_cookies_and_transport_are_strict() -> None:
    told = settings_with(MAKEGOOD_HTTPS="1")

    assert told["SESSION_COOKIE_NAME"] == "__Host-makegood"
    assert told["CSRF_COOKIE_NAME"] == "__Host-makegood-csrf"
    assert {told[f"{name}_COOKIE_SECURE"] for name in ("SESSION", "CSRF", "LANGUAGE")} == {"True"}
    assert int(told["SECURE_HSTS_SECONDS"]) >= 31_536_000


def test_row_13_4_a_fresh_installation_shows_no_insides() -> None:
    told = settings_with()
    answer = Client(raise_request_exception=False).get("/no/such/page")

    assert (told["DEBUG"], told["DEMO"]) == ("False", "False")
    assert answer.status_code == 404
    assert "Traceback" not in answer.content.decode()
    assert "urlpatterns" not in answer.content.decode().lower()


def test_row_3_4_every_page_says_what_may_not_be_done_with_it() -> None:
    case = ask(sell(at=timezone.now()), "return", "changed_mind", at=timezone.now())
    member = Member("owner")
    answers = [member.get(path) for path in ("/", f"/cases/{case.ref}", "/inbox", "/overview", "/staff", "/tokens")]
    answers += [Visitor().get(path, headers={"Origin": "https://evil.example"}) for path in ("/", "/find")]

    for answer in answers:
        assert answer.status_code == 200
        policy = answer["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] in {"same-origin", "no-referrer"}
        assert answer["Cache-Control"] == "no-store"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_row_4_1_3_a_visitor_cannot_choose_the_address_they_are_counted_under() -> None:
    visitor = Visitor()
    for number in range(31):
        answer = visitor.post(
            "/find",
            {"order": f"NO-{number}", "contact": "a@example.com"},
            headers={"X-Forwarded-For": f"198.51.100.{number}"},
        )

    assert answer.status_code == 429


# -- passwords and sessions --


def test_row_6_2_a_long_password_of_words_is_taken_whole_and_kept_as_argon2() -> None:
    member = Member("agent", signed_in=False)
    long = "correct horse battery staple and a lamp that flickers 灯一直闪 " + "é" * 20
    with db.atomically():
        staff = Staff.objects.get(id=member.staff.id)
        staff.set_password(long)
        staff.save(update_fields=["password"])
        kept = staff.password

    assert kept.startswith("argon2")
    assert len(long) > 64
    where = f"{member.base}/sign-in"
    assert Client().post(where, {"email": member.staff.email, "password": long[:64]}).status_code != 302
    assert Client().post(where, {"email": member.staff.email, "password": long}).status_code == 302


def test_row_7_2_a_session_has_a_new_name_of_128_bits_after_signing_in() -> None:
    member = Member("agent")
    first = member.client.cookies[settings.SESSION_COOKIE_NAME].value
    second = Member("agent").client.cookies[settings.SESSION_COOKIE_NAME].value

    assert first != second
    assert len(first) * math.log2(36) >= 128
    assert re.fullmatch(r"[a-z0-9]+", first)


# -- the log --


def test_row_16_2_5_what_is_looked_for_is_not_in_the_log() -> None:
    member = Member("agent")
    with structlog.testing.capture_logs() as lines:
        member.get("/?q=lin.wan@secret.example")
        Visitor().post("/find", {"order": "SECRET-1", "contact": "lin.wan@secret.example"})

    assert [line for line in lines if line["event"] == "request"]
    assert "secret" not in str(lines).lower()


def test_row_16_4_1_a_line_break_in_a_request_begins_no_line_of_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    capfd.readouterr()
    Client().get("/s/x%0a%7B%22event%22%3A%22forged%22%7D/", headers={"X-Request-Id": 'x\n{"event":"forged"}'})

    told = capfd.readouterr()
    assert [line for line in (told.out + told.err).splitlines() if line.startswith('{"event":"forged"')] == []
