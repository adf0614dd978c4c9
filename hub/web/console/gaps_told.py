"""What a reconciliation told, in words: on a console page, on the command line, for machines."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.protocol import Connector
from hub.sentences import told as in_words
from hub.web.console.formats import Formats
from hub.web.telling import Connectors
from hub.web.telling import told as in_language
from hub.web.words import Words


@dataclass(frozen=True, slots=True)
class GapLine:
    """One gap: what happened, and what to do."""

    enquiry: int | None
    at: datetime
    account: str
    happened: str
    to_do: str
    detail: str


def headline(f: Formats, told: Mapping[str, Any], now: datetime, connectors: Connectors) -> str:
    """Return one line: how much came in, and how much of it is in each CRM."""
    received = f.words.count("reconciled.received", _enquiries(told))
    since, until = (datetime.fromisoformat(told[name]) for name in ("since", "until"))
    line = f.words("reconciled.line", when=f.when(until, now), since=f.moment(since), received=received)
    return "; ".join((line, *(_there(f, one, connectors) for one in told["accounts"]), _number(f, told))) + "."


def _enquiries(told: Mapping[str, Any]) -> int:
    received = told["received"]
    return int(received["calls"] + received["going_on"] + received["letters"])


def _there(f: Formats, account: Mapping[str, Any], connectors: Connectors) -> str:
    figures = {"account": account["name"], "delivered": f.number(account["delivered"])}
    if account["not_checked"]:
        why = f.words(f"not_checked.{account['not_checked']}")
        detail = in_language(connectors.get(account.get("connector", "")), account["detail"], f.words.language)
        said = ": ".join(part for part in (why, detail) if part)
        return f"{f.words('reconciled.not_asked_there', **figures)} ({said})"
    return f.words("reconciled.there", **figures, present=f.number(account["present"]))


def _number(f: Formats, told: Mapping[str, Any]) -> str:
    number = gaps_in(told)
    return f.words.count("reconciled.gaps", number) if number else f.words("reconciled.clean")


def gaps_in(told: Mapping[str, Any]) -> int:
    """Return how many gaps there are, listed or not."""
    return sum(told["gap_counts"].values())


def gap_lines(words: Words, told: Mapping[str, Any], connectors: Connectors) -> list[GapLine]:
    """Return the listed gaps in words."""
    names = {one["installation"]: one["name"] for one in told["accounts"]}
    return [
        GapLine(
            one["enquiry"],
            datetime.fromisoformat(one["at"]),
            names.get(one["installation"], ""),
            words(f"gap.{one['gap']}"),
            words(f"gap_do.{one['gap']}"),
            in_words(words.language, in_language(_connector(one, told, connectors), one["detail"], words.language)),
        )
        for one in told["gaps"]
    ]


def plainly(told: Mapping[str, Any], connectors: Connectors) -> dict[str, Any]:
    """Return a reconciliation for machines: each gap says what happened and what to do in English."""
    lines = gap_lines(Words("en"), told, connectors)
    gaps = [
        {**one, "detail": line.detail, "happened": line.happened, "to_do": line.to_do}
        for one, line in zip(told["gaps"], lines, strict=True)
    ]
    accounts = [
        {**one, "detail": in_language(connectors.get(one.get("connector", "")), one["detail"], "en")}
        for one in told["accounts"]
    ]
    return {**told, "accounts": accounts, "gaps": gaps}


def _connector(gap: Mapping[str, Any], told: Mapping[str, Any], connectors: Connectors) -> Connector | None:
    named = (one.get("connector", "") for one in told["accounts"] if one["installation"] == gap["installation"])
    return connectors.get(next(named, ""))
