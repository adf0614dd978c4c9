"""One enquiry on its way: who turned to us, whether it counts, what brought him, and what the CRM is told of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.scenario import Enquiry, Trigger
from hub import call_backs, corrections, goals, matching, planning, ties, visit_codes
from hub.setup_rules import read_rules
from hub.store import calls, enquiries, inbox, judging, ledger, looked, recording_links, tracking
from hub.store.arrival import source_of_placement
from hub.store.enquiries import About, Judged
from hub.store.inbox import Due
from hub.store.ledger import Entry, Kind
from hub.store.tracking import NumberFacts
from hub.store.tx import Tx
from hub.store.vault import Vault
from tracking_core import enquiry as writing
from tracking_core import qualify
from tracking_core.call import Call, CallStatus, Direction, fold
from tracking_core.match import SHEET_THRESHOLDS, Match
from tracking_core.numbering_plan import NO_PLAN, NumberingPlan
from tracking_core.phone import to_e164
from tracking_core.regions import of_phone
from tracking_core.source import Source

_CALLED_BACK_WITHIN = timedelta(days=3)  # for scenarios; a goal says itself how soon


@dataclass(frozen=True, slots=True)
class Talk:
    """Somebody of ours talks with a caller now, or is rung: who, as telephony calls him, with whom, since when."""

    operators: tuple[str, ...]
    caller: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Onward:
    """An enquiry as it stands: what has happened to it by now, and ``tell``, what the CRM is told of it.

    ``again_at`` is when it must be looked at again even if nothing new comes. Where ``is_recorded``, the CRM is told
    where the recording is heard, or will be: it comes after the end of the call.
    """

    id: int
    happened: tuple[Trigger, ...]
    tell: Callable[[], Enquiry] | None
    again_at: datetime | None = None
    is_recorded: bool = False
    talk: Talk | None = None


def of_call(tx: Tx, due: Due, now: datetime, vault: Vault, numbering: NumberingPlan = NO_PLAN) -> Onward:
    """Fold a call from its events, match and judge it, and write all that."""
    call = fold(calls.events_of(tx, due, vault), now)
    number = tracking.find_number(tx, due.tenant_id, call.did) if call.did else None
    who = enquiries.person(due.tenant_id, call.caller, None, vault)
    came_before = enquiries.came_before(tx, due.tenant_id, who, call.started_at)
    rules = read_rules(judging.rules_of(tx, due.tenant_id, vault))
    reach = _reach(tx, due.tenant_id, rules) if call.is_ended else None
    back = call_backs.of_call(tx, due.tenant_id, who, call, reach)
    verdicts = [qualify.qualify(call, one, called_before=came_before, back=back) for one in rules]
    judged = Judged(not came_before, verdicts[0])
    about = About(number.site_id if number else None, call.started_at, who)
    enquiry_id = calls.save_call(tx, due, call, about, judged, vault)
    looked.note(tx, due, enquiry_id, judged, now)
    call_backs.told(tx, due.tenant_id, who, call, reach, now)
    found = corrections.settled(
        tx, due.tenant_id, enquiry_id, matching.find(tx, due.tenant_id, call, number, who, numbering)
    )
    _matched(tx, due, enquiry_id, about, found, now)
    again_at = None if call.is_ended else call.settles_at

    def tell() -> Enquiry:
        whence = _whence(tx, due.tenant_id, found, number, call.caller, numbering)
        return _told_of_call(enquiry_id, call, whence, found, is_first=not came_before)

    if call.direction is not Direction.INBOUND:
        return Onward(enquiry_id, (), None, again_at)
    if not call.is_ended:
        return Onward(enquiry_id, tuple(_of_talk(call)), tell, again_at, talk=_talk(call))
    if ties.settle(tx, due.tenant_id, enquiry_id, about, found, rules[0], now, vault):
        again_at = now
    if number is not None:
        matching.learn(tx, due.tenant_id, call, number, who, found, now)
    _goals(tx, due, about, enquiry_id, found, zip(rules, verdicts, strict=True), now)
    has_recording = bool(call.recording_url or call.recording_id)
    is_recorded = has_recording
    if not is_recorded and not call.is_missed:
        is_recorded = recording_links.is_recorded(tx, due.tenant_id, due.call[0])
    happened = (*_of_talk(call), *_of_end(call, has_recording), *_of_judgement(verdicts[0], back))
    return Onward(enquiry_id, happened, tell, again_at, is_recorded)


def _of_talk(call: Call) -> Iterator[Trigger]:
    """Yield what has happened by now to a call that came in, over or not."""
    yield Trigger.RINGING
    if call.answered_at is not None and (not call.is_ended or not call.is_missed):
        yield Trigger.ANSWERED


def _of_end(call: Call, has_recording: bool) -> Iterator[Trigger]:
    yield Trigger.MISSED if call.is_missed else Trigger.ENDED
    if has_recording:
        yield Trigger.RECORDING_READY


def _of_judgement(verdict: qualify.Verdict, back: qualify.CallBacks) -> Iterator[Trigger]:
    if back.made:
        yield Trigger.CALLBACK_DONE
    if verdict.qualified:
        yield Trigger.QUALIFIED


def _reach(tx: Tx, tenant_id: int, rules: Sequence[qualify.Rules]) -> timedelta | None:
    """Return for how long our calls to who waits for one are looked for; None where nobody asks for them."""
    is_told = planning.is_wanted(tx, tenant_id, Trigger.CALLBACK_DONE)
    return call_backs.reach(rules, _CALLED_BACK_WITHIN if is_told else None)


def of_writing(tx: Tx, due: Due, now: datetime, vault: Vault, numbering: NumberingPlan = NO_PLAN) -> Onward:
    """Match and judge what a person wrote."""
    kept = enquiries.written(tx, due.tenant_id, due.kind, due.key, vault)
    who, about = kept.about.person, kept.about
    came_before = enquiries.came_before(tx, due.tenant_id, who, about.at)
    kind, writer = writing.EnquiryKind(due.kind), writing.Writer(who.phone, who.email)
    rules = read_rules(judging.rules_of(tx, due.tenant_id, vault))
    back = call_backs.of_writing(tx, due.tenant_id, kind, about, _reach(tx, due.tenant_id, rules), now)
    verdicts = [writing.qualify(kind, about.at, writer, one, came_before=came_before, back=back) for one in rules]
    judged = Judged(not came_before, verdicts[0])
    enquiries.judge(tx, due.tenant_id, kept.id, judged)
    looked.note(tx, due, kept.id, judged, now)
    found = corrections.settled(tx, due.tenant_id, kept.id, matching.find_written(tx, due.tenant_id, about))
    _matched(tx, due, kept.id, about, found, now)
    again = ties.settle(tx, due.tenant_id, kept.id, about, found, rules[0], now, vault)
    _goals(tx, due, about, kept.id, found, zip(rules, verdicts, strict=True), now)

    def tell() -> Enquiry:
        whence = _whence(tx, due.tenant_id, found, None, who.phone, numbering)
        return _told_of_writing(due.kind, kept.id, about, whence, found, is_first=not came_before)

    happened = (Trigger(due.kind), *_of_judgement(verdicts[0], back))
    return Onward(kept.id, happened, tell, now if again else None)


@dataclass(frozen=True, slots=True)
class Letter:
    """What a person wrote, as its sender told it: nothing of it is trusted, texts are already of bounded length.

    ``key`` is the sender's id of it: the same again is the same enquiry. ``visitor`` and ``visit_id`` name the visit,
    and so does the first true one of ``codes``. ``user`` is the site's own id of him.
    """

    kind: writing.EnquiryKind
    key: str
    at: datetime
    phone: str = ""
    email: str = ""
    name: str = ""
    company: str = ""
    subject: str = ""
    text: str = ""
    page: str = ""
    visitor: str | None = None
    visit_id: int | None = None
    heard: str = ""
    codes: tuple[str, ...] = ()
    user: str = ""


def take(tx: Tx, tenant_id: int, site_id: int | None, letter: Letter, now: datetime, vault: Vault) -> tuple[int, bool]:
    """Keep what a person wrote and put it into the inbox; return its id, and whether it is new."""
    phone, email = to_e164(letter.phone), writing.to_email(letter.email)
    told = {name: getattr(letter, name) for name in ("name", "company", "subject", "text", "page")}
    # What we cannot read as a phone or an e-mail is kept as it was written.
    told |= {"phone": "" if phone else letter.phone, "email": "" if email else letter.email}
    named = None
    if letter.visitor is not None or letter.visit_id is not None:
        named = enquiries.his_visit(tx, tenant_id, site_id, letter.visitor, letter.visit_id)
    if named is None and letter.codes:
        named = visit_codes.named(tx, tenant_id, letter.codes, vault)
    if named is not None and letter.user:
        ties.user_of_visit(tx, tenant_id, named, letter.user, now, vault)
    about = About(
        site_id,
        letter.at,
        enquiries.person(tenant_id, phone, email, vault),
        {name: text for name, text in told.items() if text},
        named,
        letter.heard,
    )
    enquiry_id, is_new = enquiries.begin(tx, tenant_id, letter.kind, letter.key, about, vault)
    if is_new:
        inbox.look_at(tx, tenant_id, letter.kind, letter.key, now)
        ledger.write(tx, tenant_id, Entry(Kind.ENQUIRY_TAKEN, now, enquiry_id, facts={"kind": letter.kind}))
    return enquiry_id, is_new


_Whence = tuple[Source | None, str | None]  # an enquiry's source, and the region of its person


def _whence(
    tx: Tx, tenant_id: int, found: Match, number: NumberFacts | None, phone: str | None, numbering: NumberingPlan
) -> _Whence:
    """Return the source of an enquiry, and the region of its person: his phone's, else his visit's."""
    source, region = None, None
    if found.visit_id is not None:
        source, region = tracking.whence(tx, tenant_id, int(found.visit_id))
    elif found.placement_id is not None and number is not None:
        source = source_of_placement(number.placement_source, number.placement_campaign)
    return source, of_phone(phone, numbering) or region


def _matched(tx: Tx, due: Due, enquiry_id: int, about: About, found: Match, now: datetime) -> None:
    """Write the match; if it is news, this person's later enquiries are looked at again: they may remember it."""
    if enquiries.save_match(tx, due.tenant_id, enquiry_id, found, now):
        until = about.at + SHEET_THRESHOLDS.memory
        for kind, key in enquiries.later_ones(tx, due.tenant_id, about.person, about.at, until):
            inbox.look_at(tx, due.tenant_id, kind, key, now)


_Judgements = Iterable[tuple[qualify.Rules, qualify.Verdict]]


def _goals(tx: Tx, due: Due, about: About, enquiry_id: int, found: Match, judged: _Judgements, now: datetime) -> None:
    visit_id = int(found.visit_id) if found.visit_id else None
    told = {"enquiry_id": enquiry_id, "visit_id": visit_id, "occurred_at": about.at}
    goals.of_enquiry(tx, due.tenant_id, due.kind, told, judged, now)


def _talk(call: Call) -> Talk | None:
    if call.direction is not Direction.INBOUND or not call.caller:
        return None
    if call.rung and call.rung_since:
        return Talk(call.rung, call.caller, call.rung_since)
    if call.status is CallStatus.IN_PROGRESS and call.operator and call.answered_at:
        return Talk((call.operator,), call.caller, call.answered_at)
    return None


def _confidence(found: Match) -> float | None:
    nobody = found.visit_id is None and found.placement_id is None
    return None if nobody else found.confidence


def _told_of_call(enquiry_id: int, call: Call, whence: _Whence, found: Match, *, is_first: bool) -> Enquiry:
    source, region = whence
    return Enquiry(
        id=f"call:{enquiry_id}",
        caller=call.caller,
        dialled=call.did,
        started_at=call.started_at,
        talk_s=call.talk_s,
        wait_s=call.wait_s,
        answered=not call.is_missed,
        recording_url=None,  # telephony's own address is nobody's but ours
        operator=call.operator,
        source=source.fields() if source else {},
        region=region,
        is_first=is_first,
        confidence=_confidence(found),
        reason=found.reason_words,
    )


def _told_of_writing(
    kind: str, enquiry_id: int, about: About, whence: _Whence, found: Match, *, is_first: bool
) -> Enquiry:
    source, region = whence
    return Enquiry(
        id=f"{kind}:{enquiry_id}",
        kind=writing.EnquiryKind(kind),
        caller=about.person.phone,
        email=about.person.email,
        person=about.told.get("name", ""),
        company=about.told.get("company", ""),
        text=enquiries.written_text(about.told),
        dialled=None,
        started_at=about.at,
        talk_s=0,
        wait_s=0,
        answered=False,
        recording_url=None,
        operator=None,
        source=source.fields() if source else {},
        region=region,
        is_first=is_first,
        confidence=_confidence(found),
        reason=found.reason_words,
    )
