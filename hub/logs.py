"""Logs: one JSON object a line on stderr, without the values of local variables (they hold secrets)."""

import logging
import sys
from contextlib import suppress
from typing import Any

import structlog


def configure(level: str) -> None:
    """Set up logging for this process; ``level`` is debug, info, warning or error."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        # stderr as it is when something is said: it may have been redirected since, and what it was then be closed
        logger_factory=lambda *_named: _Printer(sys.stderr),
    )


class _Printer(structlog.PrintLogger):
    """Prints where it can: a log whose disk is full must not end what it tells about."""

    def msg(self, message: Any) -> None:
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg
