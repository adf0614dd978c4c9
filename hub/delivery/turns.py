"""Whose turn it is: of each list of people that a scenario names, the lane remembers who had the last enquiry.

Turns are dealt when deliveries are taken, since only then they are certain to be sent in this order; and kept once it
is known that a rule which asks for them was followed. Within one batch a turn that comes to nothing is lost.
"""

from collections.abc import Mapping, Sequence

from connectors.protocol import Outcome
from connectors.scenario import Plan
from connectors.turns import takes_turns, turns_in, turns_taken, with_turns
from hub.delivery import lanes
from hub.delivery.lanes import Claim
from hub.delivery.taking import Taken
from hub.store.db import Db

Plans = Mapping[str, Plan]  # by the delivery's id


async def dealt(db: Db, claim: Claim, taken: Sequence[Taken]) -> Plans:
    """Return the plans of a batch, each with the people whose turn it is."""
    if not any(takes_turns(one.plan) for one in taken):
        return {one.id: one.plan for one in taken}
    last = dict(await db.read(lanes.turns, claim))
    found = {}
    for one in taken:
        found[one.id] = plan = with_turns(one.plan, last)
        last.update(turns_in(plan))
    return found


async def keep(db: Db, claim: Claim, plans: Plans, outcomes: Mapping[str, Outcome]) -> None:
    """Remember whose turn was taken by what was delivered."""
    decided = ((plans[id_], outcomes[id_].decision) for id_ in plans if id_ in outcomes)
    had: dict[str, str] = {}
    for plan, decision in decided:
        had |= turns_taken(plan, decision) if decision is not None else {}
    if had:
        await db.write(lanes.keep_turns, claim, had)
