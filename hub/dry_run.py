"""A scenario tried on the enquiries of the last days: what it would make, and what the one that runs made instead."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors.protocol import Connector, Decision
from connectors.scenario import Action, AddNote, AddTask, MoveDeal, ReopenDeal, Trigger
from hub.planning import Rules, unit_of
from hub.rehearsal import NEW, Rehearsed, rehearse
from hub.store.call_backs import answered_by
from hub.store.crm import Installed
from hub.store.past_enquiries import PastEnquiry, past_enquiries
from hub.store.past_people import Past, past_of
from hub.store.tx import Tx
from hub.store.vault import Vault
from tracking_core.numbering_plan import NO_PLAN, NumberingPlan

DAYS = 30


@dataclass(frozen=True, slots=True)
class Made:
    """What rules make of the enquiries of a span: how many of each; ``touched`` are deals that are there already."""

    contacts: int
    deals: int
    incoming: int
    touched: int
    notes: int
    tasks: int
    moves: int
    nothing: int  # enquiries with which nothing is done


@dataclass(frozen=True, slots=True)
class Difference:
    """An enquiry with which the rules that are tried do something else than those that run."""

    enquiry: PastEnquiry
    live: Rehearsed
    tried: Rehearsed


@dataclass(frozen=True, slots=True)
class Checked:
    """How far a dry-run of the rules that run tells what they did: of ``known`` deliveries ``same`` went as it says."""

    known: int
    same: int


@dataclass(frozen=True, slots=True)
class DryRun:
    """What rules would have done; ``rules`` are how often each was followed, by its number, 0 where none was.

    ``unsure`` are enquiries of people whom only a search in the CRM can find: they are taken for new ones.
    """

    since: datetime
    until: datetime
    enquiries: int
    unsure: int
    tried: Made
    live: Made | None
    rules: Mapping[int, int]
    differences: tuple[Difference, ...]
    checked: Checked


def dry_run(
    tx: Tx,
    of: Installed,
    connector: Connector,
    tried: Rules,
    live: Rules | None,
    now: datetime,
    vault: Vault,
    days: int = DAYS,
    numbering: NumberingPlan = NO_PLAN,
    since: datetime | None = None,
) -> DryRun:
    """Try rules on an account's enquiries of the last days, or since a moment; nothing is written, nobody is asked.

    What was before the span has happened as it did; what the rules that run made of the span itself is not looked at.
    """
    since = since or now - timedelta(days=days)
    enquiries = past_enquiries(tx, of.tenant_id, since, now, vault, numbering)
    if any(rules and rules.asks_of(Trigger.CALLBACK_DONE) for rules in (tried, live)):
        enquiries = [_called_back(tx, of, one) for one in enquiries]
    names = {one.id: _names(connector, one) for one in enquiries}
    keys = {name: (name,) for one in enquiries for name in names[one.id] if name != one.order_key}
    past = past_of(tx, of, keys, since, enquiries, vault)
    does = rehearse(enquiries, names, past, tried.plan)
    did = rehearse(enquiries, names, past, live.plan) if live else None
    return DryRun(
        since=since,
        until=now,
        enquiries=len(enquiries),
        unsure=sum(one.id not in past.span and not past.contacts.keys() >= set(names[one.id]) for one in enquiries),
        tried=_made(does.values()),
        live=_made(did.values()) if did is not None else None,
        rules=_followed(does.values()),
        differences=tuple(_differences(enquiries, does, did or {})),
        checked=_checked(past, {one.enquiry.id: did[one.id] for one in enquiries} if did else {}, live),
    )


def _names(connector: Connector, one: PastEnquiry) -> Sequence[str]:
    """Return by what a person is found in turn: keys of the index, or his other deliveries where there is none."""
    keys = connector.keys_of(one.enquiry)
    return keys if keys is not None else tuple(filter(None, [one.order_key]))


def _called_back(tx: Tx, of: Installed, one: PastEnquiry) -> PastEnquiry:
    """Return an enquiry with our call that answered it, if there was one."""
    back = answered_by(tx, of.tenant_id, one.id) if one.waits else None
    return replace(one, happened=(*one.happened, (Trigger.CALLBACK_DONE, back.at))) if back else one


def _made(done: Iterable[Rehearsed]) -> Made:
    kinds: Counter[type[Action]] = Counter()
    contacts = deals = incoming = nothing = 0
    touched = set[str]()
    for of_one in done:
        nothing += not any(did.actions for did in of_one.values())
    for did in (did for of_one in done for did in of_one.values()):
        kinds.update(type(action) for action in did.actions)
        contacts += did.makes_contact
        deals += did.deal is not None and not did.deal.incoming
        incoming += did.deal is not None and did.deal.incoming
        if did.touches and not did.touches.startswith(NEW):
            touched.add(did.touches)
    return Made(
        contacts,
        deals,
        incoming,
        len(touched),
        kinds[AddNote],
        kinds[AddTask],
        kinds[MoveDeal] + kinds[ReopenDeal],
        nothing,
    )


def _followed(done: Iterable[Rehearsed]) -> dict[int, int]:
    times = Counter(did.decision.rule or 0 for of_one in done for did in of_one.values())
    return dict(sorted(times.items()))


def _differences(
    enquiries: Sequence[PastEnquiry], does: Mapping[int, Rehearsed], did: Mapping[int, Rehearsed]
) -> Iterator[Difference]:
    for one in enquiries:
        tried, live = does[one.id], did.get(one.id, {})
        if _acts(tried) != _acts(live):
            yield Difference(one, live, tried)


def _acts(of_one: Rehearsed) -> list[tuple[Trigger, tuple[Action, ...]]]:
    return [(trigger, did.actions) for trigger, did in of_one.items() if did.actions]


def _checked(past: Past, did: Mapping[str, Rehearsed], live: Rules | None) -> Checked:
    """Hold what the rules that run would have done against what they did."""
    known = same = 0
    by_unit = {unit_of(name, trigger): told for name, of_one in did.items() for trigger, told in of_one.items()}
    for unit, came in past.came.items():
        told = by_unit.get(unit)
        if live is None or told is None or came.decision is None or came.scenario_version != live.version:
            continue
        known += 1
        same += _gist(told.decision) == _gist(came.decision)
    return Checked(known, same)


def _gist(decision: Decision) -> tuple[object, ...]:
    return decision.state, decision.result, decision.rule
