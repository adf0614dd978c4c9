"""The placeholders of a scenario's texts, and the words that fill them for an enquiry."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tracking_core.phone import national

if TYPE_CHECKING:
    from connectors.scenario import Enquiry

VALUE_CAP = 300  # characters of one filled placeholder
TEXT_CAP = 4_000  # of what a person wrote
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
