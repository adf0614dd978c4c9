"""What was found out about a connected account, as sentences for whoever reads them: here, and inside the CRM."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.protocol import Connector
from connectors.telling import Said, Sentence
from hub import planning
from hub.sentences import told as in_words
from hub.store.doorbells import Heard
from hub.store.said import of_hold, unpack
from hub.store.scenario_versions import SavedScenario
from hub.web import telling
from hub.web.words import Words

_TOLD = (timedelta(days=1), timedelta(days=7), timedelta(days=30))  # before a token ends, ever less gravely
_LEVELS = ("bad", "warn", "plain")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: what is so, what to do about it, and how grave it is (good, plain, warn, bad)."""

    ok: bool
    what: str
    to_do: str = ""
    level: str = "warn"


def missing(connector: Connector | None, facts: Mapping[str, Any] | None, hold_why: str, t: Words) -> Iterator[Check]:
    """Yield what the account's own facts say is missing, but for what it is left alone for: that is said already."""
    said = {one.code for one in unpack(hold_why)}
    for one in (facts or {}).get("warnings", ()):
        if isinstance(one, Mapping) and one.get("code") not in said:
            yield _said(connector, one, t)


def rules(
    saved: SavedScenario | None, facts: Mapping[str, Any] | None, fitted: Mapping[str, Any], t: Words
) -> Iterator[Check]:
    """Yield that the scenario speaks of what the account does not have: it runs on as far as it can, or waits."""
    if saved is None or not facts or not (why := in_words(t.language, planning.misfit(saved, facts))):
        return
    if planning.runs_on(saved, fitted):
        yield Check(False, t("check.runs_on", why=why), t("check.runs_on_do"))
    else:
        yield Check(False, t("check.misfit", why=why), t("check.misfit_do"), "bad")


def doorbell(connector: Connector | None, heard: Heard | None, t: Words) -> Iterator[Check]:
    """Yield whether the account tells us of its changes; nothing before the first look."""
    if heard is None:
        return
    if heard.was_off:
        yield Check(False, t("check.rings_again"), t("check.rings_again_do"))
    elif heard.rings:
        yield Check(True, t("check.rings"), level="good")
    yield from (_said(connector, one, t) for one in heard.said)


def token(ends_at: datetime | None, now: datetime, day: str, t: Words) -> Iterator[Check]:
    """Yield that a token which nothing renews ends soon; ``day`` is its last day in the reader's words."""
    if ends_at is None:
        return
    left = ends_at - now
    if left <= timedelta():
        yield Check(False, t("check.token_over", day=day), t("check.token_ends_do"), "bad")
        return
    level = next((level for level, span in zip(_LEVELS, _TOLD, strict=True) if left <= span), None)
    if level:
        words = t.count("check.days", left.days) if left.days else t("check.less_than_day")
        yield Check(False, t("check.token_ends", day=day, left=words), t("check.token_ends_do"), level)


def hold(connector: Connector | None, hold_why: str, t: Words) -> Iterator[Check]:
    """Yield that the account is left alone for a while, and why."""
    if hold_why:
        why, kept = of_hold(hold_why)
        found = telling.sentences(connector, kept, t.language) or [Sentence(f"{t.of('outcome_why', why)}.")]
        said = " ".join(one.what for one in found)
        yield Check(False, t("check.held", why=said), found[-1].to_do or t("check.held_do"))


def _said(connector: Connector | None, one: Mapping[str, Any], t: Words) -> Check:
    told = telling.sentence(connector, Said(str(one.get("code", "")), one.get("values") or {}), t.language)
    return Check(False, told.what, told.to_do, "plain" if told.is_note else "warn")
