"""How accurate matching is on the customer's own calls: what it promises, and whether it keeps its word.

Of some calls the caller is known otherwise than by who was shown the number: a person said so, telephony named his
visit, he tapped the number seconds before, or sent a form with the same phone. Each of them is matched once more as if
that were not known, and held against it. Nobody else can say how many calls he gave to the wrong visitor; this can.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from hub import matching
from hub.store import accuracy, enquiries, reports, tracking
from hub.store.accuracy import Kind, Witnessed
from hub.store.db import Db
from hub.store.enquiries import Person
from hub.store.inbox import CALL
from hub.store.reports import Span
from hub.store.tx import Tx
from hub.store.vault import Unopenable, Vault
from tracking_core.calibration import EDGES, FEWEST, Band, bands, interval
from tracking_core.match import SHEET_THRESHOLDS, MatchReason
from tracking_core.numbering_plan import NO_PLAN, NumberingPlan

MOST = 1_000  # calls that are matched once more; about a second of work


@dataclass(frozen=True, slots=True)
class Reason:
    """Calls matched for one reason; ``confidence`` is their mean."""

    name: str
    calls: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Check:
    """Calls whose caller is known otherwise, matched as if he were not; ``witnesses`` counts by how he is known."""

    tested: int
    right: int
    wrong: int
    witnesses: Mapping[str, int]

    @property
    def unknown(self) -> int:
        """The calls that matching named nobody for, or not surely enough."""
        return self.tested - self.right - self.wrong

    @property
    def share(self) -> tuple[float, float, float] | None:
        """The share right of those named: least, measured, most (95 times in 100); None while so few prove nothing."""
        named = self.right + self.wrong
        if named < FEWEST:
            return None
        least, most = interval(self.right, named)
        return least, self.right / named, most


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The accuracy of the days from ``first`` to ``last``, of calls to numbers of the pools.

    ``named`` have a visit accepted for them, ``probable`` one below the threshold, the rest have none. ``expected`` is
    how many of the named are right, as promised or, where the check contradicts that, as checked.
    """

    first: date
    last: date
    calls: int
    named: int
    probable: int
    expected: float
    reasons: Sequence[Reason]
    bands: Sequence[Band]
    delays: Sequence[int]
    elsewhere: Mapping[str, int]
    check: Check

    @property
    def unknown(self) -> int:
        """The calls without a visit."""
        return self.calls - self.named - self.probable


async def accuracy_of(
    db: Db, tenant_id: int, first: date, last: date, vault: Vault, numbering: NumberingPlan = NO_PLAN
) -> Accuracy:
    """Return the accuracy of the days from ``first`` to ``last`` in the zone of the tenant's site, both included."""
    return await db.read(_accuracy, tenant_id, first, last, vault, numbering)


def _accuracy(tx: Tx, tenant_id: int, first: date, last: date, vault: Vault, numbering: NumberingPlan) -> Accuracy:
    span = Span(tenant_id, first, last, reports.zone_of(tx, tenant_id))
    kinds = accuracy.kinds(tx, span)
    seen = accuracy.witnessed(tx, span, MOST)
    tried = [_tried(tx, tenant_id, one, vault, numbering) for one in seen]
    made = bands(_told(kinds), [(told, right) for told, right in tried if told])
    sure = [one for one in made if one.low >= SHEET_THRESHOLDS.accept]
    return Accuracy(
        first,
        last,
        calls=sum(one.calls for one in kinds),
        named=sum(one.calls for one in sure),
        probable=sum(one.calls for one in kinds if one.reason == MatchReason.PROBABLE),
        expected=sum(one.expected for one in sure),
        reasons=_reasons(kinds),
        bands=made,
        delays=accuracy.delays(tx, span),
        elsewhere=accuracy.elsewhere(tx, span),
        check=_check(seen, tried),
    )


def _tried(tx: Tx, tenant_id: int, one: Witnessed, vault: Vault, numbering: NumberingPlan) -> tuple[float, bool]:
    """Match a call blindly; return how surely a visitor is named (0 for nobody) and whether it is the right one."""
    number = tracking.find_number(tx, tenant_id, one.dialled)
    assert number is not None  # the call was found by it
    found = matching.find_blind(
        tx, tenant_id, one.dialled, number, one.at, _caller(tx, tenant_id, one, vault), numbering
    )
    return found.confidence, found.visitor == str(one.visitor_id)


def _caller(tx: Tx, tenant_id: int, one: Witnessed, vault: Vault) -> Person:
    """Return who called; nobody we know when our keys do not open it."""
    try:
        return enquiries.written(tx, tenant_id, CALL, one.key, vault).about.person
    except Unopenable:
        return Person(None, None, None, None)


def _told(kinds: Sequence[Kind]) -> list[tuple[int, float]]:
    """Sum what was promised by band; who is not named at all promises nothing."""
    named = [one for one in kinds if one.confidence]
    of = [[one for one in named if one.band == place] for place in range(len(EDGES))]
    return [(sum(one.calls for one in each), sum(one.confidence for one in each)) for each in of]


def _reasons(kinds: Sequence[Kind]) -> list[Reason]:
    names = {one.reason for one in kinds}
    made = []
    for name in MatchReason:
        if name in names:
            its = [one for one in kinds if one.reason == name]
            calls = sum(one.calls for one in its)
            made.append(Reason(name.value, calls, sum(one.confidence for one in its) / calls))
    return made


def _check(seen: Sequence[Witnessed], tried: Sequence[tuple[float, bool]]) -> Check:
    accepted = [right for told, right in tried if told >= SHEET_THRESHOLDS.accept]
    right = sum(accepted)
    return Check(len(seen), right, len(accepted) - right, Counter(one.witness for one in seen))


def plainly(made: Accuracy) -> dict[str, Any]:
    """Return the accuracy as JSON takes it, for scripts: shares of 1, with four digits."""
    check = made.check
    return {
        "from": made.first.isoformat(),
        "to": made.last.isoformat(),
        "calls": made.calls,
        "named": made.named,
        "expected": round(made.expected, 1),
        "probable": made.probable,
        "unknown": made.unknown,
        "check": {
            "tested": check.tested,
            "right": check.right,
            "wrong": check.wrong,
            "unknown": check.unknown,
            "share": [round(one, 4) for one in check.share] if check.share else None,
            "witnesses": dict(check.witnesses),
        },
        "bands": [_plain_band(one) for one in made.bands],
        "reasons": [
            {"reason": one.name, "calls": one.calls, "confidence": round(one.confidence, 4)} for one in made.reasons
        ],
        "delays": list(made.delays),
        "elsewhere": dict(made.elsewhere),
    }


def _plain_band(one: Band) -> dict[str, Any]:
    told = {"from": one.low, "calls": one.calls, "told": round(one.told, 4)}
    return told | {"tested": one.tested, "right": one.right, "word": one.word.value}
