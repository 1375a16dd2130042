"""Explanation and receipt of a decision as downloads, the same for portal and desk."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from django.http import HttpResponse

from makegood.cases import receipts
from makegood.cases.explaining import behind, paper_of
from makegood.cases.queries import CaseView, DecisionView
from makegood.kit.pages.language import text_language
from makegood.kit.paper import PaperUnavailable


def paper_of_case(case: CaseView, decision: DecisionView) -> HttpResponse | None:
    """The PDF in the reader's language; None where none can be made here: no font, or a pack of the time is gone."""
    lang = text_language()
    shown = behind(decision, lang)
    if shown is None:
        return None
    try:
        made = paper_of(case, decision, shown.told, lang=lang)
    except PaperUnavailable:
        return None
    return _download(made, "application/pdf", f"{case.ref}-{lang}.pdf")


def receipt_file(case: CaseView, decision: DecisionView) -> HttpResponse:
    document = receipts.receipt_of(case, decision, at=datetime.now(UTC))
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    return _download(text.encode(), "application/json", f"{case.ref}-receipt.json")


def _download(content: bytes, media_type: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response
