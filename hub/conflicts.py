"""Finds the deals and contacts that somebody else made of our enquiries, and says when that is a program's work."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from connectors.scenario import ScenarioError, Telephony, read_scenario
from hub.conflict_rule import QUIET, Judged, Mark, Since, Verdict, judge
from hub.store import conflicts as read
from hub.store import crm, scenario_versions
from hub.store.conflicts import Card, People, Sent
from hub.store.crm import Installed
from hub.store.tx import Tx
from tracking_core.enquiry import EnquiryKind

DAYS = 14
MOST_DAYS = 90
AFTER = timedelta(minutes=15)  # after a delivery: what is made later is hardly of the same enquiry
_SKEW = timedelta(seconds=10)  # between the clocks of telephony and of the CRM


@dataclass(frozen=True, slots=True)
class Told:
    """An enquiry that was delivered; a card of its person made between two moments is taken for one of it.

    ``ours`` are the deals that its delivery made or wrote on, as far as they are there.
    """

    sent: Sent
    begins: datetime
    ends: datetime
    contacts: frozenset[str]
    ours: tuple[Card, ...]

    @property
    def made_at(self) -> datetime:
        """When our deal was made, or our delivery arrived on an older one."""
        return next((one.made_at for one in self.ours if one.made_at >= self.begins), self.sent.settled_at)


@dataclass(frozen=True, slots=True)
class Double:
    """A deal or contact that somebody else made, and the enquiry it is of."""

    told: Told
    card: Card

    def gap(self, since: Since) -> float:
        """Return how many seconds after something it was made."""
        sent = self.told.sent
        starts = {Since.BEGAN: sent.at, Since.ENDED: sent.ended_at or sent.at, Since.OURS: self.told.made_at}
        return (self.card.made_at - starts[since]).total_seconds()


@dataclass(frozen=True, slots=True)
class Conflicts:
    """What was found at one account, judged by kind of enquiry, with the evidence, the newest first."""

    of: Installed
    since: datetime
    until: datetime
    judged: Mapping[EnquiryKind, Judged]
    doubles: tuple[Double, ...]

    @property
    def said(self) -> Mapping[EnquiryKind, Judged]:
        """The kinds of enquiries of which a program makes cards beside ours."""
        return {kind: one for kind, one in self.judged.items() if one.verdict is Verdict.CONFLICT}


def of_tenant(tx: Tx, tenant_id: int, now: datetime, days: int = DAYS) -> list[Conflicts]:
    """Look at each account of a customer that is connected."""
    return [look(tx, of, now, days) for of in crm.installations(tx, tenant_id) if of.status == crm.ACTIVE]


def look(tx: Tx, of: Installed, now: datetime, days: int = DAYS) -> Conflicts:
    """Look at what was made at an account beside our deliveries of the last days; nothing is asked of the vendor."""
    since = now - timedelta(days=days)
    found = read.sent(tx, of, since, now)
    observing = _observing(tx, of)
    sent = [one for one in found if one.scenario_version not in observing]
    people = read.people(tx, of, sorted({one.enquiry_id for one in sent}), since - AFTER)
    told = list(_told(sent, people, now))
    is_cut = len(found) == read.MOST and bool(told)
    return compare(of, told, people, told[0].sent.at if is_cut else since, now)


def _observing(tx: Tx, of: Installed) -> frozenset[int]:
    """Return the versions of the rules that leave the making to the CRM's own telephony, or that nobody can read."""
    saved = scenario_versions.every(tx, of.tenant_id, of.connector)
    return frozenset(one.version for one in saved if _leaves_it(one.text))


@lru_cache(maxsize=64)
def _leaves_it(text: str) -> bool:
    try:
        return read_scenario(text, "scenario", None).telephony is Telephony.OBSERVE
    except ScenarioError:
        return True


def _told(sent: Sequence[Sent], people: People, now: datetime) -> Iterator[Told]:
    """Yield the enquiries that could have another card, the oldest first: of people who are known, long enough ago."""
    for one in sorted(_main(sent), key=lambda one: (one.at, one.enquiry_id)):
        contacts, ours = people.contacts.get(one.enquiry_id), people.deals.get(one.enquiry_id)
        ends = max(one.settled_at, one.ended_at or one.at) + AFTER
        if contacts and ours and ends <= now:
            yield Told(one, one.at - _SKEW, ends, contacts, ours)


def _main(sent: Iterable[Sent]) -> Iterable[Sent]:
    """Return of each enquiry the delivery of itself, else the first of what happened beside it."""
    found: dict[int, Sent] = {}
    for one in sorted(sent, key=lambda one: (one.unit.count(":"), one.settled_at)):
        found.setdefault(one.enquiry_id, one)
    return found.values()


# -- which card is of which enquiry


def compare(of: Installed, told: Sequence[Told], people: People, since: datetime, now: datetime) -> Conflicts:
    """Return what the cards of others say of enquiries, which are the oldest first."""
    his: dict[str, list[Told]] = defaultdict(list)
    for one in told:
        for contact in one.contacts:
            his[contact].append(one)
    others = [card for card in people.others if not _is_ours(card, people.written)]
    doubles = [Double(its, card) for card in others if (its := _of(card, his)) is not None]
    doubles.sort(key=lambda one: (one.card.made_at, one.card.id), reverse=True)
    after = {one.sent.enquiry_id: one.sent.kind for card in others for one in _later(card, his)}
    later = Counter(after.values())
    kinds = [kind for kind in EnquiryKind if any(one.sent.kind == kind for one in told)]
    judged = {kind: _judged(kind, told, doubles, later[kind]) for kind in kinds}
    return Conflicts(of, since, now, judged, tuple(doubles))


def _is_ours(card: Card, written: Mapping[tuple[str, str], datetime]) -> bool:
    """Say whether a card is of our deliveries: it has our mark, or one was on it for who came before it was made."""
    came = written.get((card.kind, card.id))
    return card.is_ours or (came is not None and came - _SKEW <= card.made_at)


def _of(card: Card, his: Mapping[str, Sequence[Told]]) -> Told | None:
    """Return the enquiry a card is of: of several the one that came last before it was made."""
    fit = [one for one in _of_person(card, his) if one.begins <= card.made_at <= one.ends]
    return max(fit, key=lambda one: (one.sent.at, one.sent.enquiry_id), default=None)


def _later(card: Card, his: Mapping[str, Sequence[Told]]) -> Iterator[Told]:
    """Yield the enquiries right after which a card was made, within as long a time again."""
    if _of(card, his) is None:
        for one in _of_person(card, his):
            if one.ends < card.made_at <= one.ends + (one.ends - one.begins):
                yield one


def _of_person(card: Card, his: Mapping[str, Sequence[Told]]) -> Iterator[Told]:
    """Yield the enquiries of whom a card is, but for those whose own deliveries are on it."""
    for contact in card.contacts:
        for one in his.get(contact, ()):
            if card.id not in (one.contacts if card.kind == "contact" else [deal.id for deal in one.ours]):
                yield one


def _judged(kind: EnquiryKind, told: Sequence[Told], doubles: Sequence[Double], later: int) -> Judged:
    these = [one.sent.enquiry_id for one in told if one.sent.kind == kind]
    first: dict[int, Double] = {}  # of each enquiry the card that was made first, a deal before a contact
    for double in sorted(doubles, key=lambda one: (one.card.kind == "contact", one.card.made_at)):
        if double.told.sent.kind == kind:
            first.setdefault(double.told.sent.enquiry_id, double)
    marks = [
        Mark(one.card.made_at, {since: one.gap(since) for since in Since}, one.card.author) for one in first.values()
    ]
    return judge(len(these), marks, later, is_quiet=first.keys().isdisjoint(these[-QUIET:]))


# -- for scripts


def plainly(found: Conflicts) -> dict[str, Any]:
    """Return what was found at an account as JSON takes it."""
    return {
        "installation": found.of.id,
        "connector": found.of.connector,
        "name": found.of.facts.get("name") or found.of.host,
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "conflict": bool(found.said),
        "kinds": [{"kind": kind.value, **_plainly(one)} for kind, one in found.judged.items()],
        "evidence": [_evidence(one) for one in found.doubles],
    }


def _plainly(judged: Judged) -> dict[str, Any]:
    told = {name: getattr(judged, name) for name in Judged.__slots__}
    return {name: one.isoformat() if isinstance(one, datetime) else one for name, one in told.items()}


def _evidence(double: Double) -> dict[str, Any]:
    card, sent = double.card, double.told.sent
    ours = double.told.ours[0]
    return {
        "enquiry": sent.enquiry_id,
        "kind": sent.kind,
        "at": sent.at.isoformat(),
        "other": card.kind,
        "other_id": card.id,
        "other_url": card.url,
        "made_at": card.made_at.isoformat(),
        "seconds": round(double.gap(Since.BEGAN)),
        "author": card.author,
        "responsible": card.responsible,
        "deal_id": ours.id,
        "deal_url": ours.url,
    }
