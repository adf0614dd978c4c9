"""What is left of a scenario when its account has lost something of what it names."""

from dataclasses import replace

import pytest

from connectors.assigning import ByNumber, InTurn, Person
from connectors.protocol import Facts, Pipeline, Stage
from connectors.scenario import CallerState, Trigger, facts_needed, read_scenario
from connectors.scenario_gone import without_gone

SALES = Pipeline(
    "51", "Продажи", (Stage("1", "Заявка", "open"), Stage("2", "Думают", "open"), Stage("3", "Договор", "open"))
)
REPAIR = Pipeline("52", "Ремонт", (Stage("9", "Заявка", "open"),))
FACTS = Facts("31", "Ромашка", "RUB", (SALES, REPAIR), {"7": "Иван", "8": "Анна"}, {"A": "61", "B": "62"})
WITHOUT_STAGE = replace(FACTS, pipelines=(replace(SALES, stages=(SALES.stages[0], SALES.stages[2])), REPAIR))
WITHOUT_REPAIR = replace(FACTS, pipelines=(SALES,))
WITHOUT_ANNA = replace(FACTS, users={"7": "Иван"})
WITHOUT_B = replace(FACTS, fields={"A": "61"})


def left(rule, facts, state="unknown", top=""):
    """The actions that are left of one rule."""
    scenario = read_scenario(f"{top}\nended: {{{state}: [{rule}]}}", "rules.yaml", FACTS)
    [found] = without_gone(scenario, facts).rules[Trigger.ENDED]
    assert found.state is CallerState(state)
    return found.actions


@pytest.mark.parametrize(
    ("rule", "facts", "place"),
    [
        ("deal: {stage: Думают}", WITHOUT_STAGE, ("51", None)),
        ("deal: {pipeline: Ремонт, stage: Заявка}", WITHOUT_REPAIR, (None, None)),
        ("deal: {pipeline: Ремонт, stage: Заявка}", WITHOUT_STAGE, ("52", "9")),
    ],
)
def test_a_deal_goes_to_the_first_stage_that_is_left(rule, facts, place):
    (deal,) = left(rule, facts)
    assert (deal.pipeline, deal.stage) == place


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Анна", ()),
        ("[answerer, Анна]", None),
        ("{turns: [Анна, Иван]}", (InTurn(("7",)),)),
        ("[{turns: [Анна]}, Иван]", (Person("7"),)),
        ("{by_number: {+74951112233: Анна, +74951112234: Иван}}", (ByNumber({"+74951112234": "7"}),)),
    ],
)
def test_what_was_somebodys_who_is_gone_is_the_next_ones(text, who):
    (deal,) = left(f"deal: {{responsible: {text}}}", WITHOUT_ANNA)
    assert deal.responsible is None
    assert "8" not in str(deal.who)
    assert who is None or deal.who == who


def test_a_task_of_somebody_who_is_gone_is_made_all_the_same():
    (task,) = left("task: {text: x, due_minutes: 5, responsible: Анна}", WITHOUT_ANNA, "open_deal")
    assert (task.text, task.responsible) == ("x", None)


@pytest.mark.parametrize("rule", ["deal: {fields: {A: x, B: y}}", "deal: {fields: {A: x}}"])
def test_a_field_that_is_gone_is_not_written(rule):
    (deal,) = left(rule, WITHOUT_B)
    assert list(deal.fields) == ["A"]


def test_of_an_open_deal_too_and_nothing_where_none_is_left():
    assert [list(one.fields) for one in left("fields: {A: x, B: y}", WITHOUT_B, "open_deal")] == [["A"]]
    assert left("fields: {B: y}", WITHOUT_B, "open_deal") == ()


def test_a_move_to_a_stage_that_is_gone_is_left_out_and_one_from_there_is_not():
    assert left("move: {stage: Думают}", WITHOUT_STAGE, "open_deal") == ()
    (move,) = left("move: {stage: Договор}", WITHOUT_STAGE, "open_deal")
    assert move.from_stages == ("1",)


def test_what_the_account_still_has_is_as_it_was():
    text = (
        "pipeline: Ремонт\nresponsible: {turns: [Иван, Анна]}\npeople: {'101': Анна}\n"
        "ended: {unknown: [deal: {fields: {B: x}}, note: y], open_deal: [tag: z, fields: {A: x}]}"
    )
    scenario = read_scenario(text, "rules.yaml", FACTS)
    assert without_gone(scenario, FACTS) == scenario


def test_nothing_that_is_gone_is_needed_any_more():
    text = (
        "pipeline: Ремонт\nresponsible: [Анна, Иван]\npeople: {'101': Анна, '102': Иван}\n"
        "ended: {unknown: [deal: {stage: Заявка, fields: {B: x}}, task: {text: x, due_minutes: 1, responsible: Анна}],"
        " open_deal: [fields: {B: y}, move: {pipeline: Продажи, stage: Думают}]}"
    )
    bare = replace(FACTS, pipelines=WITHOUT_STAGE.pipelines[:1], users=WITHOUT_ANNA.users, fields=WITHOUT_B.fields)
    needed = facts_needed(without_gone(read_scenario(text, "rules.yaml", FACTS), bare))
    assert needed.pipelines <= {"51"}
    assert needed.stages <= {"1", "3"}
    assert (needed.users, needed.fields) == ({"7"}, frozenset())
