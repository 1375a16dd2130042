"""The public estimator: what is owed, by whom, by when and why, on facts that stand in the address. Stores nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from makegood.accounts import limits
from makegood.kit import errors
from makegood.kit.pages.language import text_language
from makegood.kit.pages.refusals import tell
from makegood.policy.vocabulary import EVIDENCE, FACTS
from makegood.policy.words import tell_was
from makegood.portal import estimating, questions, visitors
from makegood.portal.answering import answer, query_of

ESTIMATES = limits.Limit("estimate", 120, timedelta(minutes=1))
LANGUAGES = {"zh-Hans": "zh-hans", "en": "en"}
FIRST = questions.QUESTIONS[0]
CACHED_S = 300


@require_safe
def estimate(request: HttpRequest, slug: str = "") -> HttpResponse:
    """A named question with its example, or any case that the address describes."""
    question = questions.BY_SLUG.get(slug or FIRST.slug)
    if question is None:
        raise Http404
    with translation.override(LANGUAGES.get(request.GET.get("lang", ""), translation.get_language())):
        try:
            limits.count_try(ESTIMATES, visitors.address_of(request), at=timezone.now())
        except limits.TooManyTries as refusal:
            return _too_many(request, refusal)
        response = _page(request, question)
    patch_vary_headers(response, ["Accept-Language", "Cookie"])
    return response


def _page(request: HttpRequest, question: questions.Question) -> HttpResponse:
    form = estimating.read_form(request.GET, question.start, timezone.now())
    told = None
    if not form.errors:
        try:
            told = answer(form)
        except (errors.Malformed, errors.Unknown) as problem:
            form.errors[estimating.FIELD_OF.get(problem.field, "")] = tell(problem)
    is_named = set(request.GET) <= {"lang"}
    here = reverse("estimate_of", args=[question.slug])
    context: dict[str, Any] = {
        "question": question,
        "title": question.title if is_named else _("What am I owed?"),
        "is_example": is_named,
        "form": form,
        "answer": told,
        "here": here,
        "languages": [(code, here + _with_language(form, is_named=is_named, code=code)) for code in LANGUAGES],
        "questions": questions.QUESTIONS,
        "now": text_language(),
        "choices": _choices(),
        "more_choices": _more_choices(),
        "inputs": _inputs(form),
        "more_inputs": (more := _more_inputs()),
        "more_open": any(name in form.errors for name, *_rest in more),
        "whats": estimating.whats(),
        "evidence": [(kind, names[0 if text_language() == "zh-Hans" else 1]) for kind, names in EVIDENCE.items()],
        "extra": [
            (f"{estimating.EXTRA}{name}", value, FACTS[name].label(text_language()), tell_was(value, text_language()))
            for name, value in form.extra.items()
        ],
        "bad": form.errors.get(""),
    }
    response = render(request, "portal/estimate.html", context, status=422 if form.errors else 200)
    response["Cache-Control"] = f"public, max-age={CACHED_S}" if told else "no-store"
    if not is_named:
        response["X-Robots-Tag"] = "noindex"
    return response


def _with_language(form: estimating.Form, *, is_named: bool, code: str) -> str:
    return f"?lang={code}" if is_named else f"{query_of(form)}&lang={code}"


def _too_many(request: HttpRequest, refusal: limits.TooManyTries) -> HttpResponse:
    words = {"headline": _("Too many questions at once"), "words": tell(refusal)}
    response = render(request, "pages/plain.html", words, status=429)
    response["Retry-After"] = str(refusal.details["wait_seconds"])
    response["Cache-Control"] = "no-store"
    return response


# Name, label, how it is typed (date, or the keyboard of a telephone), what stands in the empty field.
Input = tuple[str, str, str, str]
Choice = tuple[str, str, list[tuple[str, str]]]


def _inputs(form: estimating.Form) -> list[Input]:
    return [
        ("paid", _("Paid for the goods (%(currency)s)") % {"currency": form.currency}, "decimal", ""),
        ("shipping", _("Paid for shipping"), "decimal", _("0 if free")),
        ("ordered", _("Ordered on"), "date", ""),
        ("delivered", _("Delivered on"), "date", ""),
    ]


def _more_inputs() -> list[Input]:
    return [
        ("promised", _("Promised for"), "date", ""),
        ("back", _("Came back on"), "date", ""),
        ("refunded", _("Customer refunded on"), "date", ""),
        ("asked", _("Asked on"), "date", ""),
        ("bought", _("Units bought"), "numeric", "1"),
        ("units", _("Units it is about"), "numeric", "1"),
    ]


def _choices() -> list[Choice]:
    """The selects: name, label, options."""
    unknown = ("", _("I do not know"))
    platforms = [
        ("amazon", "Amazon"), ("tmall", _("Tmall")), ("taobao", _("Taobao")), ("jd", _("JD")),
        ("pinduoduo", _("Pinduoduo")), ("own-store", _("A shop of its own")), ("other", _("Another platform")),
    ]  # fmt: skip
    return [
        ("market", _("Country"), estimating.market_names()),
        ("platform", _("Where it was bought"), platforms),
        ("ships", _("Who sends it"), [unknown, ("seller", _("The seller")), ("platform", _("The platform"))]),
        ("parcel", _("Where the parcel is"), [unknown, *_values("parcel")]),
    ]


def _more_choices() -> list[Choice]:
    unknown = ("", _("I do not know"))
    categories = [
        ("", _("Nothing special")), ("food", _("Food")), ("durable", _("Appliances and other durable goods")),
        ("custom_made", _("Made to order")), ("perishable", _("Fresh or perishable")), ("digital", _("Digital")),
        ("newspaper", _("Newspapers and magazines")),
    ]  # fmt: skip
    return [
        ("condition", _("How the goods are"), [unknown, *_values("condition")]),
        ("category", _("What kind of goods"), categories),
    ]


def _values(name: str) -> list[tuple[str, str]]:
    return [(value, tell_was(value, text_language())) for value in estimating.CHOICES[name] if value]
