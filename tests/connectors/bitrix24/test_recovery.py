"""Whatever answer is lost, and however much of its request was done: in the end everything is there once."""

from collections import Counter
from dataclasses import replace

import httpx
import pytest

from connectors.bitrix24.find import digits
from connectors.contract import delivery
from connectors.contract_inputs import cases, rules
from connectors.protocol import InstallationError, Status
from connectors.scenario import CallerState, CreateDeal
from tests.connectors.bitrix24.conftest import HOST, Fault, Portal, made
from tests.connectors.bitrix24.test_deliver import several

EVERYTHING = {"contact": 1, "deal": 1, "call": 1, "note": 1, "task": 1}
KINDS = {"2": "deal", "3": "contact", "1": "lead"}


class Living(Portal):
    """A portal that keeps what it is told; the answer to request ``lose`` is lost after ``after`` of its commands."""

    def begin(self, lose=None, after=0, how=None):
        self.cards, self.written, self.lose, self.after, self.how = [], [], lose, after, how
        self.on("crm.item.add", self.add)
        self.on("crm.item.list", self.listed)
        self.on("crm.item.get", self.get)
        self.on("crm.duplicate.findbycomm", self.found)
        self.on("crm.activity.add", lambda asked: self.write("call", {"ORIGIN_ID": asked["fields[ORIGIN_ID]"]}))
        self.on(
            "crm.activity.todo.add", lambda asked: {"id": self.write("task", {"DESCRIPTION": asked["description"]})}
        )
        self.on("crm.timeline.comment.add", lambda asked: self.write("note", {"COMMENT": asked["fields[COMMENT]"]}))
        self.on("crm.timeline.comment.list", lambda _: [one for kind, one in self.written if kind == "note"])
        self.on("crm.activity.list", lambda _: [one for kind, one in self.written if kind != "note"])
        self.on("crm.stagehistory.list", {"items": []})

    def add(self, asked):
        told = made(len(self.cards) + 40)(asked)
        kind = {"kind": asked["entityTypeId"], "stageSemanticId": "P", "createdTime": "2026-01-01T12:00:11+03:00"}
        self.cards.append({**told["item"], **kind})
        return told

    def listed(self, asked):
        mark, contact = asked["filter[=originId]"], asked["filter[@contactId][0]"]
        mine = [one for one in self.cards if one["kind"] == asked["entityTypeId"]]
        return {
            "items": [one for one in mine if one["originId"] == mark or (contact and one.get("contactId") == contact)]
        }

    def get(self, asked):
        return {"item": next(one for one in self.cards if str(one["id"]) == asked["id"])}

    def found(self, asked):
        kind = {"CONTACT": "3", "LEAD": "1"}[asked["entity_type"]]
        ids = [one["id"] for one in self.cards if one["kind"] == kind and digits(one["name"]) == asked["values[1]"]]
        return {asked["entity_type"]: ids} if ids else []

    def write(self, kind, row):
        self.written.append((kind, {"ID": str(len(self.written) + 500), **row}))
        return len(self.written) + 499

    def serve(self, request):
        is_lost = len(self.batches) == self.lose
        if is_lost and self.how == "half":
            plain = self.results
            self.results = lambda commands, halt: plain(commands[: self.after], halt)
            try:
                super().serve(request)
            finally:
                self.results = plain
        answer = None if is_lost and self.how == "half" else super().serve(request)
        if is_lost:
            if self.how == "500":
                return httpx.Response(500, json={"error": "INTERNAL_SERVER_ERROR"})
            raise httpx.ReadTimeout("slow")
        return answer

    def there(self):
        return dict(Counter([KINDS[one["kind"]] for one in self.cards] + [kind for kind, _ in self.written]))


@pytest.fixture
def living(portal):
    one = Living(portal.router)
    portal.router.post(f"https://{HOST}/rest/batch").mock(side_effect=one.serve)
    return one


async def attempts(session, most=6, **changed):
    """Try as the hub does until it is delivered; return how often that took."""
    doubt, refs = False, ()
    for number in range(1, most + 1):
        try:
            outcome = (await session.deliver([delivery(attempt=number, in_doubt=doubt, known=refs, **changed)])).get(
                "d-1"
            )
        except InstallationError as error:
            outcome = error.outcomes.get("d-1")
        if outcome is None:
            continue
        if outcome.status is Status.DELIVERED:
            return number
        refs = tuple(dict.fromkeys((*refs, *outcome.refs)))
        doubt = doubt or outcome.status is Status.UNKNOWN
    raise AssertionError("not delivered")


async def all_attempts(session, *batch, most=6):
    """Try several as the hub does until all are delivered."""
    left = {one.id: one for one in batch}
    for number in range(2, most + 2):
        try:
            outcomes = await session.deliver(list(left.values()))
        except InstallationError as error:
            outcomes = error.outcomes
        for id_, outcome in outcomes.items():
            if outcome.status is Status.DELIVERED:
                del left[id_]
                continue
            one = left[id_]
            known = tuple(dict.fromkeys((*one.known, *outcome.refs)))
            doubt = one.in_doubt or outcome.status is Status.UNKNOWN
            left[id_] = replace(one, attempt=number, in_doubt=doubt, known=known)
        if not left:
            return
    raise AssertionError(f"not delivered: {sorted(left)}")


async def test_undisturbed_everything_is_there_once(session, living):
    living.begin()
    assert await attempts(session) == 1
    assert living.there() == EVERYTHING


@pytest.mark.parametrize("how", ["timeout", "500"])
@pytest.mark.parametrize("lose", range(2))
async def test_an_answer_lost_after_everything_was_done_doubles_nothing(session, living, lose, how):
    living.begin(lose, how=how)
    assert await attempts(session) == 2
    assert living.there() == EVERYTHING


@pytest.mark.parametrize(("lose", "after"), [(1, done) for done in range(6)])
async def test_an_answer_lost_in_the_middle_loses_and_doubles_nothing(session, living, lose, after):
    living.begin(lose, after, "half")
    assert await attempts(session) == 2
    assert living.there() == EVERYTHING


@pytest.mark.parametrize("after", range(16))
async def test_an_answer_lost_in_the_middle_of_several_callers_doubles_nothing(session, living, after):
    living.begin(1, after, "half")
    await all_attempts(session, *several(3))
    assert living.there() == dict.fromkeys(EVERYTHING, 3)


@pytest.mark.parametrize("refused", ["crm.activity.add", "crm.timeline.comment.add", "crm.activity.todo.add"])
async def test_a_note_that_is_refused_once_beside_many_cards_doubles_nothing(session, living, refused):
    living.begin()
    honest = next(results[0] for method, _, results in living.rules if method == refused)
    living.on(refused, Fault("ERROR_CORE", "Not now"), honest)
    await all_attempts(session, *several(3))
    assert living.there() == dict.fromkeys(EVERYTHING, 3)


@pytest.mark.parametrize("after", range(1, 6))
async def test_a_card_that_is_refused_once_doubles_nothing(session, living, after):
    living.begin()
    fields = Fault("CRM_FIELD_ERROR_VALUE_NOT_VALID", 'Invalid value for field "utmSource"')
    living.on("crm.item.add", *[living.add] * after, fields, living.add)
    await all_attempts(session, *several(3))
    assert {kind: living.there()[kind] for kind in ("call", "note", "task")} == {"call": 3, "note": 3, "task": 3}
    assert living.there()["deal"] == 3


async def test_a_call_after_a_lost_one_of_the_same_person_makes_no_second_contact(session, living):
    living.begin(lose=1)
    await attempts(session)
    await session.deliver([delivery(id="d-2", marker="hub:2")])
    assert living.there()["contact"] == 1
    assert living.there()["deal"] == 1


@pytest.mark.parametrize(("lose", "after"), [(1, done) for done in range(5)])
async def test_a_lead_is_there_once_too(classic, living, lose, after):
    living.begin(lose, after, "half")
    plain = delivery().what
    leads = {state: (CreateDeal("x", incoming=True), *actions[-2:]) for state, actions in cases(plain).items()}
    leads[CallerState.OPEN_DEAL] = cases(plain)[CallerState.OPEN_DEAL]
    assert await attempts(classic, what=replace(plain, rules=rules(leads))) == 2
    assert living.there() == {"lead": 1, "call": 1, "note": 1, "task": 1}
