"""Text templates of a scenario: closed placeholders, checked when a file is read, filled when a plan is made.

A template is plain text with ``{placeholder}``; ``{{`` and ``}}`` are braces. There are no expressions. A
line whose placeholders are all unknown for an enquiry is left out, so that a note does not say "Campaign:"
and nothing.
"""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tracking_core.phone import national

if TYPE_CHECKING:
    from connectors.scenario import Enquiry

VALUE_CAP = 300  # characters of one filled placeholder
TEXT_CAP = 4_000  # of what a person wrote
_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}\n]*)\}|[{}]")
_LONE = re.compile(r"[\x00\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")

# placeholder -> key of Enquiry.source
_FROM_SOURCE: Mapping[str, str] = {
    "source": "utm_source",
    "medium": "utm_medium",
    "campaign": "utm_campaign",
    "term": "utm_term",
    "content": "utm_content",
    "channel": "channel",
    "landing": "landing",
    "referrer": "referrer",
}
_FROM_ENQUIRY = (
    "caller",
    "person",
    "company",
    "email",
    "text",
    "dialled",
    "confidence",
    "reason",
    "talk",
    "wait",
    "started",
    "operator",
    "recording",
)
PLACEHOLDERS: tuple[str, ...] = (*_FROM_ENQUIRY, *_FROM_SOURCE)

LANGUAGES = ("ru", "en")
_WORDS: Mapping[str, Mapping[str, str]] = {
    "ru": {
        "anonymous": "скрытый номер",
        "minutes": "{m} мин {s:02d} с",
        "seconds": "{s} с",
        "sure": "высокая ({percent} %)",
        "likely": "средняя ({percent} %)",
        "unsure": "низкая ({percent} %)",
        "unmatched": "источник не определён",
        "started": "%d.%m.%Y %H:%M",
    },
    "en": {
        "anonymous": "hidden number",
        "minutes": "{m} min {s:02d} s",
        "seconds": "{s} s",
        "sure": "high ({percent} %)",
        "likely": "medium ({percent} %)",
        "unsure": "low ({percent} %)",
        "unmatched": "source not determined",
        "started": "%Y-%m-%d %H:%M",
    },
}
_SURE, _LIKELY = 0.8, 0.5


def faults(text: str) -> list[str]:
    """Return what is wrong with a template, one phrase per fault; an empty list when it can be filled."""
    found = []
    for token in _TOKEN.finditer(text):
        if token.group() in ("{", "}"):
            found.append(f"a lone {token.group()}: write {token.group() * 2} for a brace")
        elif token.group(1) is not None and token.group(1) not in PLACEHOLDERS:
            found.append(f"unknown placeholder {{{token.group(1)}}}")
    return found


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the template with its placeholders filled; values are never read as templates again."""
    lines = (_fill_line(line, values) for line in text.splitlines())
    return _LONE.sub("", "\n".join(line for line in lines if line is not None)).strip()


def _fill_line(line: str, values: Mapping[str, str]) -> str | None:
    asked = [token.group(1) for token in _TOKEN.finditer(line) if token.group(1) is not None]
    if asked and not any(values.get(name) for name in asked):
        return None
    return _TOKEN.sub(_filled(values), line).rstrip()


def _filled(values: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    def put(token: re.Match[str]) -> str:
        name = token.group(1)
        return token.group()[0] if name is None else values.get(name, "")

    return put


def values_of(enquiry: "Enquiry", language: str, timezone: str) -> dict[str, str]:
    """Return every placeholder's text for an enquiry, in words a manager reads; unknown ones are empty."""
    words = _WORDS[language]
    zone = ZoneInfo(timezone)
    started = enquiry.started_at.astimezone(zone).strftime(words["started"])
    values = {name: enquiry.source.get(key, "") for name, key in _FROM_SOURCE.items()}
    values |= {
        "caller": _caller(enquiry, words),
        "person": enquiry.person,
        "company": enquiry.company,
        "email": enquiry.email or "",
        "text": enquiry.text,
        "dialled": national(enquiry.dialled) if enquiry.dialled else "",
        "confidence": _confidence(enquiry.confidence, words),
        "reason": enquiry.reason,
        "talk": _duration(enquiry.talk_s, words),
        "wait": _duration(enquiry.wait_s, words),
        "started": f"{started} UTC" if zone == ZoneInfo("UTC") else started,
        "operator": enquiry.operator or "",
        "recording": enquiry.recording_url or "",
    }
    return {name: _tidy(value, TEXT_CAP if name == "text" else VALUE_CAP) for name, value in values.items()}


def _caller(enquiry: "Enquiry", words: Mapping[str, str]) -> str:
    """The phone as people write it, else what else he is known by."""
    if enquiry.caller:
        return national(enquiry.caller)
    return enquiry.email or enquiry.person or words["anonymous"]


def _tidy(value: str, cap: int) -> str:
    value = " ".join(_CONTROL.sub(" ", value).split())
    return value if len(value) <= cap else value[: cap - 1] + "…"


def _duration(seconds: int, words: Mapping[str, str]) -> str:
    minutes, rest = divmod(max(seconds, 0), 60)
    return words["minutes" if minutes else "seconds"].format(m=minutes, s=rest)


def _confidence(confidence: float | None, words: Mapping[str, str]) -> str:
    if confidence is None:
        return words["unmatched"]
    word = "sure" if confidence >= _SURE else "likely" if confidence >= _LIKELY else "unsure"
    return words[word].format(percent=round(confidence * 100))
