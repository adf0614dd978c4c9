"""A cell of a scenario's text is read and written; the rest of the text stays, letter for letter."""

import difflib
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.ready_made import ready_made
from connectors.scenario import CallerState, Result, Trigger, read_scenario
from connectors.scenario_lines import Says, says_of
from connectors.scenario_text import Cell, Line, OtherForm, cell_in, with_cell

ENDED, MISSED, FORM = Trigger.ENDED, Trigger.MISSED, Trigger.FORM
UNKNOWN, OPEN, WON = CallerState.UNKNOWN, CallerState.OPEN_DEAL, CallerState.WON
OTHERWISE = Result.OTHERWISE.value
RULES = """\
# of the company
name:   'Calls'   # in quotes
tags: [calltracking,  site]

ended:
  # who is new
  unknown:   # nobody knows him
    # first the deal
    - deal: {name: "Call {caller}",  stage: 'In work'}   # its stage
    # then the rest
    - note: |
        Source: {source}

        Why: {reason}
    - task:
        text: Call back   # soon
        due_minutes: 15
        responsible:
          - answerer
          - by_number: {"+74951230010": Ivan}

  open_deal:
    # a short one is nothing
    short: []  # nothing
    otherwise:
      - note: One more call
  won: [deal, note: "Back: {caller}"]  # on one line
# the end of talks

missed:
  unknown:
  - deal
"""


def says(text: str) -> Says:
    return says_of(yaml.compose(text, Loader=yaml.SafeLoader))


def told(*actions: Says, result: str = OTHERWISE) -> Cell:
    return {result: [Line(one) for one in actions]}


def changes(before: str, after: str) -> list[str]:
    """The lines that went and came."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in lines if line[0] in "+-"]


def kept(cell: Cell | None) -> list[Line]:
    assert cell is not None
    return list(cell[OTHERWISE])


# -- reading


def test_a_cell_is_its_actions_by_result() -> None:
    cell = cell_in(RULES, ENDED, OPEN)
    assert cell == {"short": [], OTHERWISE: [Line({"note": "One more call"}, (OTHERWISE, 0))]}


def test_a_cell_without_a_rule_is_none() -> None:
    assert cell_in(RULES, ENDED, CallerState.LOST) is None
    assert cell_in(RULES, FORM, UNKNOWN) is None


def test_a_cell_that_is_no_list_has_no_form() -> None:
    with pytest.raises(OtherForm):
        cell_in("ended: {unknown: {otherwise: deal}}", ENDED, UNKNOWN)


# -- writing


def test_the_same_cell_leaves_the_text_as_it_is() -> None:
    for trigger, state in ((ENDED, UNKNOWN), (ENDED, OPEN), (MISSED, UNKNOWN)):
        assert with_cell(RULES, trigger, state, cell_in(RULES, trigger, state)) == RULES


def test_one_changed_word_changes_one_line_and_keeps_its_comment_and_quotes() -> None:
    deal, note, task = kept(cell_in(RULES, ENDED, UNKNOWN))
    changed = Line({"deal": {"name": "New {caller}", "stage": "In work"}}, deal.was)
    assert changes(RULES, with_cell(RULES, ENDED, UNKNOWN, {OTHERWISE: [changed, note, task]})) == [
        """-     - deal: {name: "Call {caller}",  stage: 'In work'}   # its stage""",
        """+     - deal: {name: "New {caller}", stage: 'In work'}   # its stage""",
    ]


def test_a_changed_task_keeps_what_no_form_knows() -> None:
    deal, note, task = kept(cell_in(RULES, ENDED, UNKNOWN))
    assert isinstance(task.says, dict)
    keys = task.says["task"]
    assert isinstance(keys, dict)
    later = Line({"task": keys | {"due_minutes": "20"}}, task.was)
    made = with_cell(RULES, ENDED, UNKNOWN, {OTHERWISE: [deal, note, later]})
    assert """            - by_number: {"+74951230010": Ivan}""" in made.replace("        - by", "            - by")
    assert says(made) == says(RULES.replace("due_minutes: 15", "due_minutes: 20"))


def test_an_action_that_moves_takes_its_lines_and_comments_along() -> None:
    deal, note, task = kept(cell_in(RULES, ENDED, UNKNOWN))
    made = with_cell(RULES, ENDED, UNKNOWN, {OTHERWISE: [note, deal, task]})
    assert sorted(made.splitlines()) == sorted(RULES.splitlines())
    assert made.index("# then the rest") < made.index("# first the deal")


def test_an_action_that_goes_takes_its_own_lines_alone() -> None:
    deal, _, task = kept(cell_in(RULES, ENDED, UNKNOWN))
    gone = changes(RULES, with_cell(RULES, ENDED, UNKNOWN, {OTHERWISE: [deal, task]}))
    assert gone == [
        "-     # then the rest", "-     - note: |", "-         Source: {source}", "- ", "-         Why: {reason}",
    ]  # fmt: skip


def test_a_result_of_its_own_leaves_the_others_and_their_comments() -> None:
    cell = cell_in(RULES, ENDED, OPEN)
    assert cell is not None
    made = with_cell(RULES, ENDED, OPEN, {**cell, "by_other": [Line({"note": "Somebody else"})]})
    assert changes(RULES, made) == ["+     by_other:", "+       - note: Somebody else"]


def test_what_stood_on_one_line_is_written_on_lines_of_its_own_with_its_comment() -> None:
    made = with_cell(RULES, ENDED, WON, {OTHERWISE: [*kept(cell_in(RULES, ENDED, WON)), Line("deal")]})
    assert changes(RULES, made) == [
        '-   won: [deal, note: "Back: {caller}"]  # on one line',
        "+   won:  # on one line",
        "+     - deal",
        '+     - note: "Back: {caller}"',
        "+     - deal",
    ]


def test_a_state_and_a_trigger_that_were_not_there_are_added_below() -> None:
    made = with_cell(RULES, ENDED, CallerState.LOST, told({"deal": {"name": "Lost {caller}"}}))
    assert changes(RULES, made) == ["+   lost:", '+     - deal: {name: "Lost {caller}"}']
    assert changes(RULES, with_cell(RULES, FORM, UNKNOWN, told())) == ["+ ", "+ form:", "+   unknown: []"]


def test_a_rule_that_says_nothing_is_to_be_done_is_an_empty_list() -> None:
    made = with_cell(RULES, MISSED, UNKNOWN, told())
    assert sorted(changes(RULES, made)) == ["+   unknown: []", "-   - deal", "-   unknown:"]


def test_a_rule_is_taken_away_and_the_last_one_with_its_trigger() -> None:
    assert changes(RULES, with_cell(RULES, ENDED, WON, None)) == [
        '-   won: [deal, note: "Back: {caller}"]  # on one line'
    ]
    assert changes(RULES, with_cell(RULES, MISSED, UNKNOWN, None)) == ["- missed:", "-   unknown:", "-   - deal"]


def test_inside_brackets_a_cell_stays_inside_brackets() -> None:
    text = "{ended: {unknown: [deal], won: []}}\n"
    made = with_cell(text, ENDED, UNKNOWN, told({"note": "It's {caller}"}))
    assert made == """{ended: {unknown: [note: "It's {caller}"], won: []}}\n"""
    assert says(with_cell(text, FORM, WON, told("deal"))) == {
        "ended": {"unknown": ["deal"], "won": []},
        "form": {"won": ["deal"]},
    }


def test_an_empty_text_begins_with_its_first_cell() -> None:
    made = with_cell("", ENDED, UNKNOWN, told({"deal": {"name": "Call {caller}"}}))
    assert made == 'ended:\n  unknown:\n    - deal: {name: "Call {caller}"}\n'


@pytest.mark.parametrize("text", [one for language in ("ru", "en") for one in ready_made(language).values()])
def test_a_cell_of_a_ready_made_scenario_changes_nothing_else(text: str) -> None:
    made = with_cell(text, MISSED, OPEN, told({"note": "A\nB: {caller}\n"}))
    before, after = read_scenario(text, "x", None), read_scenario(made, "x", None)
    rules = [rule for rule in after.rules[MISSED] if rule.state is OPEN]
    assert [one.text for one in rules[0].actions] == ["A\nB: {caller}\n"]  # type: ignore[union-attr]
    assert [line for line in changes(text, made) if line[0] == "+"] == [
        "+     - note: |",
        "+         A",
        "+         B: {caller}",
    ]
    assert before.name == after.name


# -- whatever is written


words = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff\ufffe\uffff"), max_size=12)
scalars = st.one_of(
    words, st.sampled_from(["null", "~", "15", "yes", "a: b", "- x", "# c", "{caller}", "a\nb\n", " x ", "'", '"'])
)
actions = st.one_of(
    st.just("deal"),
    st.builds(lambda text: {"note": text}, scalars),
    st.builds(lambda name, tags: {"deal": {"name": name, "tags": tags}}, scalars, st.lists(scalars, max_size=3)),
    st.builds(lambda text, people: {"task": {"text": text, "due_minutes": "15", "responsible": people}}, scalars,
              st.lists(st.one_of(scalars, st.builds(lambda a, b: {"by_number": {a: b}}, words, scalars)), max_size=2)),
)  # fmt: skip
places = st.tuples(st.sampled_from([ENDED, MISSED, FORM]), st.sampled_from([UNKNOWN, OPEN, WON, CallerState.LOST]))
results = st.sampled_from([OTHERWISE, "short", "by_other"])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(places, st.one_of(st.none(), st.dictionaries(results, st.lists(actions, max_size=3), min_size=1))),
        max_size=4,
    ),
    st.randoms(use_true_random=False),
)
def test_every_cell_says_what_was_asked_and_no_other_says_anything_else(asked, chance) -> None:
    text = RULES
    for (trigger, state), wanted in asked:
        old = cell_in(text, trigger, state) or {}
        stay = [line for lines in old.values() for line in lines]
        chance.shuffle(stay)
        cell = wanted and {
            result: [*(Line(one) for one in lines), *(stay if result == OTHERWISE else [])]
            for result, lines in wanted.items()
        }
        before, text = says(text) or {}, with_cell(text, trigger, state, cell)
        after = says(text) or {}
        assert cell_said(after, trigger, state) == (
            cell and {key: [one.says for one in lines] for key, lines in cell.items()}
        )
        assert without(after, trigger, state) == without(before, trigger, state)


@settings(max_examples=40, deadline=None)
@given(places, st.lists(actions, max_size=3))
def test_no_line_of_another_cell_is_touched(place, wanted) -> None:
    trigger, state = place
    made = with_cell(RULES, trigger, state, told(*wanted))
    own = with_cell(RULES, trigger, state, None)
    lost = [line for line in changes(own, made) if line[0] == "-"]
    assert lost == []


def cell_said(rules, trigger: Trigger, state: CallerState):
    there = rules.get(trigger, {}).get(state)
    return {OTHERWISE: there} if isinstance(there, list) else there


def without(rules, trigger: Trigger, state: CallerState):
    left = {key: value for key, value in rules.get(trigger, {}).items() if key != state}
    return {key: value for key, value in rules.items() if key != trigger} | ({trigger.value: left} if left else {})


def test_this_file_reads_the_text_of_the_docs_too() -> None:
    text = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text()
    text = text.partition("```yaml scenario\n")[2].partition("```")[0]
    assert changes(text, with_cell(text, ENDED, CallerState.NO_DEALS, told())) == [
        "-   no_deals: [deal]",
        "+   no_deals: []",
    ]
