"""What rules would have done with enquiries of the past, one after the other; pure.

Rules are followed in a world of their own: what they make is there for the next enquiry of the same person, in place of
what the rules of that time made. A deal that was made in truth lends its fate: when it was closed, and how.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connectors.deciding import Decision, Known, KnownDeal, actions_of, decide
from connectors.known import LEADS
from connectors.scenario import Action, CreateDeal, Enquiry, Plan, ReopenDeal, Trigger
from connectors.turns import turns_taken, with_turns
from hub.store.contacts import DatedDeal
from hub.store.past_enquiries import PastEnquiry
from hub.store.past_people import Past, at

Planner = Callable[[Enquiry, Trigger], Plan | None]
NEW = "~"  # before the names of what nobody has made: they come after all ids


@dataclass(frozen=True, slots=True)
class Did:
    """What rules do with an enquiry when something happens to it."""

    decision: Decision
    actions: tuple[Action, ...]
    is_named: bool  # the person left a phone or an e-mail: a contact can be made of him
    is_lead: bool = False  # the deal that is made is a lead, which is nobody's until it is accepted

    @property
    def makes_contact(self) -> bool:
        """Says whether a contact is made with the deal."""
        return self.deal is not None and self.decision.contact is None and self.is_named and not self.is_lead

    @property
    def deal(self) -> CreateDeal | None:
        """The deal that is made."""
        return next((one for one in self.actions if isinstance(one, CreateDeal)), None)

    @property
    def touches(self) -> str | None:
        """The deal that is there already and is written on."""
        written_on = self.decision.deal if self.actions and not self.deal else None
        return written_on.id if written_on else None


Rehearsed = Mapping[Trigger, Did]  # what is done with one enquiry, by what happens to it


@dataclass(slots=True)
class World:
    """An account as the rules that are tried leave it, by the people who turned to us (``names``)."""

    past: Past
    _made: dict[str, list[Known]] = field(default_factory=dict)
    _fates: dict[str, DatedDeal] = field(default_factory=dict)
    _turns: dict[str, str] = field(default_factory=dict)
    _reopened: set[str] = field(default_factory=set)

    def known(self, names: Sequence[str], moment: datetime) -> tuple[Known, ...]:
        """Return whom the account knows a person by, by the first of his names that leads to anybody."""
        for name in names:
            found = self.past.known(name, moment)
            there = {known.contact for known in found}
            ours = self._ours(name, moment)
            both = [
                *(self._with_ours(known, ours) for known in found),
                *(o for o in ours if o.contact not in there),
            ]
            if both:
                return tuple(replace(one, deals=tuple(self._at(deal, moment) for deal in one.deals)) for one in both)
        return ()

    def decided(self, plan: Plan, names: Sequence[str], moment: datetime) -> tuple[Plan, Decision]:
        """Return what is decided for a person, and the plan with the people whose turn it is."""
        plan = with_turns(plan, self._turns)
        decision = decide(plan, self.known(names, moment))
        self._turns |= turns_taken(plan, decision)
        return plan, decision

    def _ours(self, name: str, moment: datetime) -> list[Known]:
        """Return the contacts made here: deals that others made of them in truth are theirs, too."""
        theirs = self.past.by_hand(name, moment)
        made = self._made.get(name, ())
        return [replace(o, deals=(*o.deals, *theirs)) if o.contact.startswith(NEW) else o for o in made]

    def _with_ours(self, known: Known, ours: Iterable[Known]) -> Known:
        more = (deal for one in ours if one.contact == known.contact for deal in one.deals)
        return replace(known, deals=(*known.deals, *more))

    def _at(self, deal: KnownDeal, moment: datetime) -> KnownDeal:
        if deal.id in self._reopened:
            return replace(deal, outcome="open", closed_at=None)
        fate = self._fates.get(deal.id)
        if fate is None:
            return deal
        then = at(fate, moment)
        return replace(deal, outcome=then.outcome, closed_at=then.closed_at)

    def make(self, names: Sequence[str], one: PastEnquiry, plan: Plan, did: Did) -> None:
        """Put there what was made for an enquiry; who left neither phone nor e-mail is nobody's next time."""
        if did.decision.deal and any(isinstance(done, ReopenDeal) for done in did.actions):
            self._reopened.add(did.decision.deal.id)
        asked, fate = did.deal, self.past.made.get(one.id)
        if asked is None or not names or (asked.incoming and not self.past.has_leads):
            return
        deal = KnownDeal(
            id=f"{NEW}{one.id:020}{plan.trigger}",
            outcome="open",
            responsible=asked.responsible or (fate.deal.responsible if fate else None),
            pipeline=LEADS if did.is_lead else asked.pipeline or plan.pipeline,
            stage=asked.stage,
            is_lead=did.is_lead,
        )
        if fate is not None:
            self._fates[deal.id] = fate
        contact = did.decision.contact or ("" if did.is_lead else f"{NEW}{one.id}")
        for name in names:
            there = self._made.setdefault(name, [])
            known = next((known for known in there if known.contact == contact), Known(contact, ()))
            there[:] = [
                *(known for known in there if known.contact != contact),
                replace(known, deals=(*known.deals, deal)),
            ]


def rehearse(
    enquiries: Sequence[PastEnquiry], names: Mapping[int, Sequence[str]], past: Past, plan_of: Planner
) -> Mapping[int, Rehearsed]:
    """Return what rules do with each enquiry, by its id; ``names`` are those by which people are known in ``past``."""
    world, done = World(past), dict[int, dict[Trigger, Did]]()
    for one in enquiries:
        done[one.id] = {}
        for trigger, moment in one.happened:
            plan = plan_of(one.enquiry, trigger)
            if plan is None:
                continue
            plan, decision = world.decided(plan, names[one.id], moment)
            actions = actions_of(plan, decision)
            did = Did(decision, actions, bool(names[one.id]), past.has_leads and _makes_lead(plan, actions))
            world.make(names[one.id], one, plan, did)
            done[one.id][trigger] = did
    return done


def _makes_lead(plan: Plan, actions: Iterable[Action]) -> bool:
    made = (one for one in actions if isinstance(one, CreateDeal))
    return any(one.incoming or (one.pipeline or plan.pipeline) == LEADS for one in made)
