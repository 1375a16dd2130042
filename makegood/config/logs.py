"""Logs: one JSON document a line on stderr, without the personal data that slips into messages."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_MASKS = (
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "<email>"),
    (re.compile(r"\bmg_\d+_[\w-]+"), "<token>"),
    (re.compile(r"(?<![\w.:-])\+?\d[\d ()-]{8,16}\d(?![\w.:-])"), "<number>"),
)


def mask(text: str) -> str:
    """Take out addresses, tokens, and numbers long enough to be a telephone or a card."""
    for pattern, word in _MASKS:
        text = pattern.sub(word, text)
    return text


def _mask_all(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str) and key not in {"timestamp", "request_id"}:
            event[key] = mask(value)
    return event


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    _mask_all,
]


def configure(level: str = "INFO") -> None:
    """Send our own log lines and those of libraries through the same filter. Line breaks are escaped by JSON."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Its lines repeat ours and carry the address, which may hold a customer's token.
    logging.getLogger("django.request").setLevel("ERROR")
    logging.getLogger("django.server").setLevel("ERROR")
    logging.getLogger("procrastinate").setLevel("WARNING")
