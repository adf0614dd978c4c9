"""Who gets what: a scenario names several, and the first whom there is gets it."""

from dataclasses import replace
from datetime import UTC, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.assigning import (
    Answerer,
    ByNumber,
    ByRegion,
    InTurn,
    Owner,
    Person,
    Seen,
    dealt,
    narrowed,
    picked,
)
from connectors.contract_inputs import enquiry
from connectors.deciding import Known, KnownDeal, actions_of, decide
from connectors.protocol import Facts
from connectors.scenario import AddTask, CreateDeal, ScenarioError, dump_plan, load_plan, plan, read_scenario
from connectors.turns import turns_taken, with_turns
from tracking_core.qualify import DAYS, Hours

MONDAY_NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SEEN = Seen("+74951112233", "RU-MOW", "7", MONDAY_NOON)
FACTS = Facts("31", "Ромашка", "RUB", (), {"7": "Иван", "8": "Анна", "9": "Пётр"}, {})
DAY = Hours(frozenset(DAYS), time(9), time(18), "UTC")
NIGHT = Hours(frozenset(DAYS), time(20), time(8), "UTC")


def rules(text):
    return read_scenario(text, "rules.yaml", FACTS)


def named(text):
    """Whom a `responsible` of the scenario names."""
    deal = rules(f"responsible: {text}\nended: {{unknown: [deal]}}").rules["ended"][0].actions[0]
    return deal.who or (Person(deal.responsible),)


def problem(text):
    with pytest.raises(ScenarioError) as caught:
        named(text)
    return caught.value.problems[0]


# -- what a scenario says


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Иван", (Person("7"),)),
        ("[answerer, Анна]", (Answerer(), Person("8"))),
        ("deal_owner", (Owner("deal"),)),
        ("[contact_owner]", (Owner("contact"),)),
        ("[{by_number: {8 (495) 111-22-33: Анна}}, Иван]", (ByNumber({"+74951112233": "8"}), Person("7"))),
        ("{by_region: {Санкт-Петербург: Анна, KZ: Иван}}", (ByRegion({"RU-SPE": "8", "KZ": "7"}),)),
        ("{turns: [Иван, Анна]}", (InTurn(("7", "8")),)),
        ("{turns: all}", (InTurn(("7", "8", "9")),)),
        ("{turns: {Иван: {mon: 09:00-18:00}, Анна: }}", (InTurn(("7", "8"), {"7": (replace(DAY, days=frozenset({"mon"})),)}),)),
    ],
)  # fmt: skip
def test_a_scenario_names_who_gets_it(text, who):
    assert named(text) == who


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[Иван, Ольга]", "rules.yaml:1: unknown user 'Ольга'; allowed: Иван, Анна, Пётр"),
        ("{turn: [Иван]}", "rules.yaml:1: unknown key 'turn' in `responsible`; did you mean turns?; allowed: turns, by_number, by_region"),
        ("{turns: [Иван], by_number: {+74951112233: Анна}}", "rules.yaml:1: each of these stands on a line of its own in `responsible`"),
        ("{turns: []}", "rules.yaml:1: `turns` names nobody"),
        ("{turns: [Иван, 7]}", "rules.yaml:1: '7' is named twice in `turns`"),
        ("{turns: {Иван: 9-18}}", "rules.yaml:1: `working_hours` is a set of `mon-fri: 09:00-18:00` lines"),
        ("{by_number: {12: Иван}}", "rules.yaml:1: '12' in `by_number` is not a phone: write it as +74951234567"),
        ("{by_number: {+74951112233: Иван, +74951112233: Анна}}", "rules.yaml:1: '+74951112233' is written twice in `by_number`"),
        ("{by_region: {Атлантида: Иван}}", "rules.yaml:1: 'Атлантида' in `by_region` is no region we know: write its name, or its code such as RU-MOW"),
        ("{by_region: [Иван]}", "rules.yaml:1: `by_region` is a set of at most 1000 `region: user` lines"),
    ],
)  # fmt: skip
def test_what_nobody_can_follow_is_a_problem(text, said):
    assert problem(text).startswith(said)


def test_an_employee_has_the_hours_of_the_scenarios_zone_without_its_holidays():
    text = (
        "timezone: Asia/Omsk\nworking_hours: {mon-fri: 09:00-18:00}\nholidays: [2027-01-01]\n"
        "responsible: {turns: {Иван: {mon: 10:00-12:00}}}\nended: {unknown: [deal]}"
    )
    (turns,) = rules(text).rules["ended"][0].actions[0].who
    assert (turns.hours["7"][0].zone, len(turns.hours["7"][0].holidays)) == ("Asia/Omsk", 1)


def test_tasks_and_deals_are_whom_the_top_of_the_scenario_names():
    text = "responsible: [answerer, Анна]\nended: {unknown: [deal, task: {text: x, due_minutes: 5}]}"
    deal, task = rules(text).rules["ended"][0].actions
    assert deal.who == task.who == (Answerer(), Person("8"))


# -- what an enquiry tells


@pytest.mark.parametrize(
    ("who", "seen", "left"),
    [
        ((Answerer(), Person("8")), SEEN, (Person("7"),)),
        ((Answerer(), Person("8")), replace(SEEN, answered_by=None), (Person("8"),)),
        ((ByNumber({"+74951112233": "9"}), Person("8")), SEEN, (Person("9"),)),
        ((ByNumber({"+74951112233": "9"}), Person("8")), replace(SEEN, dialled=None), (Person("8"),)),
        ((ByRegion({"RU-MOW": "9"}),), SEEN, (Person("9"),)),
        ((ByRegion({"RU-MOW": "9"}),), replace(SEEN, region=None), ()),
        ((Owner("deal"), Person("8"), Person("9")), SEEN, (Owner("deal"), Person("8"))),
        ((InTurn(("7", "8"), {"7": (NIGHT,), "8": (DAY,)}),), SEEN, (InTurn(("7", "8"), away=("7",)),)),
    ],
)
def test_an_enquiry_leaves_those_who_may_get_it(who, seen, left):
    assert narrowed(who, seen) == left


# -- turns


def test_people_take_turns():
    turns, last, had = InTurn(("7", "8", "9")), None, []
    for _ in range(5):
        last = turns.after(last).user
        had.append(last)
    assert had == ["7", "8", "9", "7", "8"]


def test_who_is_away_is_left_out_and_the_next_one_is_not_given_twice():
    away = InTurn(("7", "8", "9"), away=("8",))
    assert [away.after(last).user for last in ("7", "8", "9")] == ["9", "9", "7"]


def test_when_everybody_is_away_it_is_whom_the_scenario_names_next():
    turns = (InTurn(("7",), away=("7",)), Person("9"))
    assert dealt(turns, {}) == (Person("9"),)


@given(st.lists(st.booleans(), min_size=30, max_size=60), st.integers(1, 7))
def test_nobody_gets_two_more_than_another(taken, number):
    turns = InTurn(tuple(str(n) for n in range(number)))
    last, had = None, dict.fromkeys(turns.people, 0)
    for is_taken in taken:
        person = turns.after(last)
        if is_taken:
            last = person.user
            had[last] += 1
    assert max(had.values()) - min(had.values()) <= 1


# -- what the CRM knows


@pytest.mark.parametrize(
    ("who", "user"),
    [
        ((Owner("deal"), Owner("contact"), Person("9")), "7"),
        ((Owner("contact"), Person("9")), "8"),
        ((Person("9"), Owner("deal")), "9"),
    ],
)
def test_the_first_whom_there_is_gets_it(who, user):
    assert picked(who, "7", "8").user == user


def test_nobody_is_picked_where_there_is_nobody():
    assert picked((Owner("deal"), Owner("contact")), None, None) is None


# -- all of it


def asked(text, people=(), last=None, **changed):
    made = plan(rules(text), 1, replace(enquiry(), started_at=MONDAY_NOON, **changed))
    made = with_turns(load_plan(dump_plan(made)), last or {})
    decision = decide(made, people)
    return actions_of(made, decision), turns_taken(made, decision)


def test_a_task_after_a_new_deal_is_its_owners():
    text = "ended: {unknown: [deal: {responsible: Анна}, task: {text: x, due_minutes: 5, responsible: deal_owner}]}"
    (deal, task), _ = asked(text)
    assert isinstance(deal, CreateDeal)
    assert isinstance(task, AddTask)
    assert (deal.responsible, task.responsible) == ("8", "8")


def test_a_task_on_an_open_deal_is_its_owners_else_the_contacts():
    text = "ended: {open_deal: [task: {text: x, due_minutes: 5, responsible: [deal_owner, contact_owner]}]}"
    for owner, user in (("9", "9"), (None, "8")):
        (task,), _ = asked(text, (Known("61", (KnownDeal("20", "open", owner),), "8"),))
        assert task.responsible == user


def test_whose_turn_was_taken_is_told():
    text = "responsible: {turns: [Иван, Анна]}\nended: {unknown: [deal]}"
    (deal,), had = asked(text, last={"7,8": "7"})
    assert (deal.responsible, had) == ("8", {"7,8": "8"})


def test_no_turn_is_taken_by_a_rule_that_needs_none():
    text = "ended: {unknown: [deal: {responsible: {turns: [Иван, Анна]}}], open_deal: [note: x]}"
    _, had = asked(text, (Known("61", (KnownDeal("20", "open"),)),))
    assert had == {}


def test_no_turn_is_taken_where_somebody_before_them_gets_it():
    text = "ended: {unknown: [deal: {responsible: [contact_owner, {turns: [Иван, Анна]}]}], no_deals: [deal: {responsible: [contact_owner, {turns: [Иван, Анна]}]}]}"
    (deal,), had = asked(text, (Known("61", (), "9"),))
    assert (deal.responsible, had) == ("9", {})


def test_who_is_nowhere_leaves_it_to_the_account():
    (deal,), _ = asked("responsible: [contact_owner]\nended: {unknown: [deal]}")
    assert (deal.responsible, deal.who) == (None, ())


def test_the_region_is_read_of_the_enquiry():
    (deal,), _ = asked("responsible: {by_region: {Москва: Анна}}\nended: {unknown: [deal]}", region="RU-MOW")
    assert deal.responsible == "8"


def test_a_plan_says_who_is_away_and_not_everybodys_hours():
    shifts = "".join(f"{user}: {{mon-fri: 09:00-18:00}}, " for user in ("Иван", "Анна", "Пётр"))
    made = plan(rules(f"responsible: {{turns: {{{shifts}}}}}\nended: {{unknown: [deal]}}"), 1, enquiry())
    assert b"opens" not in dump_plan(made)
