from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import connectors
from connectors.contract_inputs import cases
from connectors.protocol import Facts, Pipeline, Stage
from connectors.ready_made import ready_made
from connectors.scenario import (
    AddNote,
    AddTask,
    CallerState,
    CreateDeal,
    Enquiry,
    MoveDeal,
    ScenarioError,
    Trigger,
    Write,
    dump_plan,
    facts_needed,
    load_plan,
    plan,
    read_scenario,
)

LANGUAGES = ("ru", "en")
MAIN = {Trigger.ENDED, Trigger.MISSED, *(Trigger(kind) for kind in ("form", "callback", "chat", "mail", "manual"))}
READY_MADE = Path(connectors.__file__).parent / "scenarios" / "ru" / "calls_to_deals.yaml"

SALES = Pipeline("51", "Продажи", (Stage("1", "Первичный контакт", "open"), Stage("142", "Успешно", "won")))
STAGES = ("Заявка", "Связались", "Договор")
LONG = Pipeline(
    "53", "Монтаж", tuple(Stage(f"{n}", name, "open") for n, name in enumerate(STAGES, 30)) + SALES.stages[1:]
)
REPAIR = Pipeline("52", "Ремонт", (Stage("9", "Заявка", "open"),))
FACTS = Facts(
    account="31",
    name="Ромашка",
    currency="RUB",
    pipelines=(SALES, REPAIR),
    users={"71": "Иван Петров", "72": "Анна", "73": "Анна"},
    fields={"UTM_SOURCE": "610", "700002": "700002"},
)
ANSWERED = Enquiry(
    id="e-1",
    caller="+79161234567",
    dialled="+74951112233",
    started_at=datetime(2026, 1, 1, 9, 5, tzinfo=UTC),
    talk_s=65,
    wait_s=7,
    answered=True,
    recording_url=None,
    operator="Анна",
    source={
        "utm_source": "yandex",
        "utm_campaign": "окна",
        "utm_term": "купить окна",
        "landing": "https://okna.example/",
    },
    confidence=0.93,
    reason="one visit saw this number",
)


def problems(text, facts=None):
    with pytest.raises(ScenarioError) as caught:
        read_scenario(text, "rules.yaml", facts)
    return caught.value.problems


def only_case(text, facts=None, trigger=Trigger.ENDED, state=CallerState.UNKNOWN):
    found = read_scenario(text, "rules.yaml", facts).rules[trigger]
    return next(rule.actions for rule in found if rule.state is state)


# -- reading


def test_a_deal_may_be_one_word():
    assert only_case("ended: {unknown: [deal]}") == (CreateDeal("Звонок {caller}"),)


def test_actions_keep_their_order_and_words():
    text = """
ended:
  unknown:
    - deal: {name: "Новый {caller}", tags: [реклама]}
    - note: "Источник: {source}"
    - task: {text: Проверить, due_minutes: 15}
"""
    assert only_case(text) == (
        CreateDeal("Новый {caller}", tags=("реклама",)),
        AddNote("Источник: {source}"),
        AddTask("Проверить", 15),
    )


def test_names_of_the_account_become_ids():
    text = """
pipeline: продажи
stage: первичный контакт
responsible: иван петров
ended:
  unknown: [deal]
"""
    assert only_case(text, FACTS) == (CreateDeal("Звонок {caller}", "51", "1", "71"),)


def test_ids_are_allowed_where_names_are():
    text = 'pipeline: "52"\nstage: "9"\nended: {unknown: [deal]}'
    assert only_case(text, FACTS)[0].stage == "9"


def test_a_stage_without_a_pipeline_is_of_the_first_one():
    deal = only_case("stage: Успешно\nended: {unknown: [deal]}", FACTS)[0]
    assert (deal.pipeline, deal.stage) == ("51", "142")


def test_a_deal_may_go_elsewhere_than_the_rest():
    text = "pipeline: Продажи\nstage: Успешно\nended: {unknown: [deal: {pipeline: Ремонт}]}"
    deal = only_case(text, FACTS)[0]
    assert (deal.pipeline, deal.stage) == ("52", None)


def test_a_field_may_be_named_by_code_or_id():
    text = 'ended: {unknown: [deal: {fields: {UTM_SOURCE: "{source}", 700002: Опт}}]}'
    assert only_case(text, FACTS)[0].fields == {"UTM_SOURCE": Write("{source}"), "700002": Write("Опт")}


def test_the_default_responsible_gets_the_tasks():
    text = "responsible: Иван Петров\nmissed: {open_deal: [task: {text: t, due_minutes: 5}]}"
    case = only_case(text, FACTS, Trigger.MISSED, CallerState.OPEN_DEAL)
    assert case[0].responsible == "71"


@pytest.mark.parametrize("asked", ["incoming", "incoming: {}", "incoming:"])
def test_an_incoming_one_is_a_deal_without_a_stage(asked):
    text = f"pipeline: Ремонт\nstage: Заявка\nended:\n  unknown:\n    - {asked}"
    assert only_case(text, FACTS) == (CreateDeal("Звонок {caller}", "52", incoming=True),)


def test_a_popup_is_for_a_user_of_the_account():
    text = 'people: {"101": иван петров, Анна П: "72"}\nended: {unknown: [deal]}'
    scenario = read_scenario(text, "rules.yaml", FACTS)
    assert scenario.people == {"101": "71", "Анна П": "72"}
    assert facts_needed(scenario).users == {"71", "72"}


WIDE = replace(FACTS, pipelines=(SALES, REPAIR, LONG))


def moves(text, facts=WIDE):
    return only_case(f"ended: {{open_deal: [move: {text}]}}", facts, state=CallerState.OPEN_DEAL)[0]


def test_a_deal_is_moved_forward_from_any_open_stage_before():
    assert moves("{pipeline: Монтаж, stage: Договор}") == MoveDeal("53", "32", ("30", "31"))


def test_a_deal_is_moved_from_the_named_stages_alone():
    assert moves("{pipeline: Монтаж, stage: Связались, from: [Договор]}") == MoveDeal("53", "31", ("32",))


def test_a_deal_is_moved_in_the_pipeline_of_the_scenario():
    text = "pipeline: Монтаж\nended: {open_deal: [move: {stage: Связались}]}"
    assert only_case(text, WIDE, state=CallerState.OPEN_DEAL) == (MoveDeal("53", "31", ("30",)),)


def test_without_the_account_a_move_keeps_its_names():
    assert moves("{stage: Договор, from: [Заявка]}", None) == MoveDeal(None, "Договор", ("Заявка",))


def test_the_ready_made_file_is_read_without_an_account():
    scenario = read_scenario(READY_MADE.read_text("utf-8"), READY_MADE.name, None)
    assert scenario.rules.keys() == MAIN
    for rules in scenario.rules.values():
        assert {rule.state for rule in rules} == {CallerState.UNKNOWN, CallerState.NO_OPEN_DEAL, CallerState.OPEN_DEAL}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_ready_made_file_is_read(language):
    for name, text in ready_made(language).items():
        scenario = read_scenario(text, name, None)
        assert (scenario.language, bool(scenario.name)) == (language, True)


def test_ready_made_files_are_the_same_in_both_languages():
    russian, english = (
        {name: shape(read_scenario(text, name, None)) for name, text in ready_made(language).items()}
        for language in LANGUAGES
    )
    assert russian == english


def shape(scenario):
    """What is done in which case, whatever the words."""
    return {
        (trigger, rule.state, rule.result): [action.kind for action in rule.actions]
        for trigger, rules in scenario.rules.items()
        for rule in rules
    }


def test_the_ready_made_file_fits_any_account():
    scenario = read_scenario(READY_MADE.read_text("utf-8"), READY_MADE.name, FACTS)
    assert not facts_needed(scenario).stages


@pytest.mark.parametrize(
    ("trigger", "state", "kinds"),
    [
        (Trigger.ENDED, CallerState.UNKNOWN, ["deal", "note"]),
        (Trigger.ENDED, CallerState.NO_OPEN_DEAL, ["deal", "note"]),
        (Trigger.ENDED, CallerState.OPEN_DEAL, ["note"]),
        (Trigger.MISSED, CallerState.UNKNOWN, ["deal", "note", "task"]),
        (Trigger.MISSED, CallerState.NO_OPEN_DEAL, ["deal", "note", "task"]),
        (Trigger.MISSED, CallerState.OPEN_DEAL, ["note", "task"]),
    ],
)
def test_the_ready_made_file_does_what_it_promises(trigger, state, kinds):
    text = READY_MADE.read_text("utf-8")
    assert [action.kind for action in only_case(text, None, trigger, state)] == kinds


# -- what is wrong, where, what is allowed


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("naem: x\nended: {unknown: [deal]}", "rules.yaml:1: unknown key 'naem' in the scenario; did you mean name?;"),
        ("ended:\n  unknwn: [deal]", "rules.yaml:2: unknown key 'unknwn' in `ended`; did you mean unknown?; allowed: blacklisted, staff, unknown"),
        ("ended:\n  unknown:\n    - del", "rules.yaml:3: an action is a set of `key: value` lines; allowed: deal, incoming, note, task, move, reopen, fields, tag, close_tasks"),
        ("ended:\n  unknown:\n    - {deal: {}, note: x}", "rules.yaml:3: an action is one of these; put each on its own `-` line; allowed: deal, incoming, note, task, move, reopen, fields, tag, close_tasks"),
        ("ended:\n  unknown:\n    - deal\n    - deal", "rules.yaml:4: `unknown` creates a second deal; one is allowed"),
        ("ended:\n  unknown:\n    - note: x", "rules.yaml:3: `unknown` has no deal yet for this note: put `- deal` before it"),
        ("ended:\n  unknown:\n    - deal\n    - task: {text: x}", "rules.yaml:4: `task` needs `due_minutes`"),
        ("ended:\n  unknown:\n    - deal\n    - task: {text: x, due_minutes: soon}", "rules.yaml:4: due_minutes is a whole number from 1 to 43200"),
        ("ended:\n  unknown:\n    - deal: {name: '{calle}'}", "rules.yaml:3: unknown placeholder {calle} in name; did you mean caller?; allowed: caller,"),
        ("ended:\n  unknown:\n    - deal: {name: '{'}", "rules.yaml:3: a lone {: write {{ for a brace in name"),
        ("ended:\n  unknown: [deal]\n  unknown: [deal]", "rules.yaml:3: 'unknown' is written twice in `ended`"),
        ("texts: {said: x}\nended: {open_deal: [note: {use: sad}]}", "rules.yaml:2: no text is called 'sad' in `texts`; did you mean said?; allowed: said"),
        ("ended: {open_deal: [note: {use: x, text: y}]}", "rules.yaml:1: `note` has either its `text`, or the name of one to `use`"),
        ("ended:\n  unknown:\n    - incoming: {stage: x}", "rules.yaml:3: unknown key 'stage' in `incoming`; did you mean tags?; allowed: name, pipeline, responsible, tags, fields, company"),
        ("ended:\n  unknown: [deal, incoming]", "rules.yaml:2: `unknown` creates a second deal; one is allowed"),
        ("people: [a]\nended: {unknown: [deal]}", "rules.yaml:1: `people` is a set of at most 500 `who answers: user` lines"),
        ("people: {a: x, a: y}\nended: {unknown: [deal]}", "rules.yaml:1: 'a' is written twice in `people`"),
        ("ended:\n  unknown:\n    - move: {stage: x}", "rules.yaml:3: `move` is for a deal that is open already; a new one has its `stage` in `deal`"),
        ("ended:\n  open_deal:\n    - move: {stage: x}\n    - deal", "rules.yaml:4: `move` is for a deal that is open already"),
        ("ended:\n  open_deal:\n    - move: {stage: x}\n    - move: {stage: y}", "rules.yaml:4: `open_deal` moves the deal twice; once is allowed"),
        ("ended:\n  open_deal:\n    - move: {from: [x]}", "rules.yaml:3: `move` needs `stage`"),
        ("ended:\n  open_deal:\n    - move", "rules.yaml:3: an action is a set of `key: value` lines"),
        ("language: fr\nended: {unknown: [deal]}", "rules.yaml:1: unknown language 'fr'; allowed: ru, en"),
        ("timezone: Europe/Moskow\nended: {unknown: [deal]}", "rules.yaml:1: unknown timezone 'Europe/Moskow'; did you mean Europe/Moscow?"),
        ("name: x", "rules.yaml:1: the scenario says nothing to do; allowed: ringing, answered"),
        ("", "rules.yaml:1: the file is empty"),
        ("ended: {unknown: {deal: {}}}", "rules.yaml:1: `unknown` is a list of `- ...` lines, or has one for each result; allowed: short"),
        ("name:\nended: {unknown: [deal]}", "rules.yaml:1: name is a text"),
        ("a: 1\nb: [", "rules.yaml:2: not readable as YAML:"),
        ("a: &x 1\nb: *x", "rules.yaml:1: anchors, aliases and tags are not used here: write the text out"),
        ("name: !!python/object:os.system x", "rules.yaml:1: anchors, aliases and tags are not used here"),
        ("---\na: 1\n---\nb: 2", "rules.yaml:3: not readable as YAML: but found another document"),
        ("\x01", "rules.yaml:1: not readable as YAML"),
        ("[" * 30_000, "rules.yaml:1: nested deeper than 20 levels"),
        ("x" * 70_000, "rules.yaml:1: the file is larger than 65536 bytes"),
    ],
)  # fmt: skip
def test_a_problem_names_file_line_and_what_is_allowed(text, problem):
    assert any(found.startswith(problem) for found in problems(text)), problems(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("pipeline: Продаж\nended: {unknown: [deal]}", "rules.yaml:1: unknown pipeline 'Продаж'; did you mean Продажи?; allowed: Продажи, Ремонт"),
        ("pipeline: Ремонт\nstage: Успешно\nended: {unknown: [deal]}", "rules.yaml:2: unknown stage 'Успешно'; allowed: Заявка"),
        ("responsible: Пётр\nended: {unknown: [deal]}", "rules.yaml:1: unknown user 'Пётр'; allowed: Иван Петров, Анна, Анна"),
        ("responsible: Анна\nended: {unknown: [deal]}", "rules.yaml:1: several are called user 'Анна': use the id; allowed: 72, 73"),
        ('people: {"101": Пётр}\nended: {unknown: [deal]}', "rules.yaml:1: unknown user 'Пётр'; allowed: Иван Петров, Анна, Анна"),
        ("ended:\n  open_deal:\n  - move: {stage: Успешно}", "rules.yaml:3: no deal is closed by a scenario, and 'Успешно' is closed"),
        ("ended:\n  open_deal:\n  - move: {stage: Первичный контакт, from: [Успешно]}", "rules.yaml:3: no deal is closed by a scenario, and 'Успешно' is closed"),
        ("ended:\n  open_deal:\n  - move: {stage: Первичный контакт}", "rules.yaml:3: no open stage comes before this one: name in `from` where deals are moved from"),
        ("ended:\n  open_deal:\n  - move: {pipeline: Ремонт, stage: Первичный контакт}", "rules.yaml:3: unknown stage 'Первичный контакт'; allowed: Заявка"),
        ("ended:\n  unknown:\n  - deal: {fields: {UTM_SORCE: x}}", "rules.yaml:3: unknown field 'UTM_SORCE'; did you mean UTM_SOURCE?; allowed: UTM_SOURCE, 700002"),
        ("ended:\n  unknown:\n  - deal: {fields: {UTM_SOURCE: x, 610: y}}", "rules.yaml:3: 'UTM_SOURCE' is written twice in `fields`"),
    ],
)  # fmt: skip
def test_what_the_account_lacks_is_a_problem(text, problem):
    assert problem in problems(text, FACTS)


def test_all_problems_are_told_in_the_order_of_lines():
    text = "nam: x\nended:\n  unknown:\n    - deal: {nam: x}\nmissed:\n  open: []"
    assert [found.split(":")[1] for found in problems(text)] == ["1", "4", "6"]


@pytest.mark.parametrize(
    "text",
    ["- 1", "7", "ended: 7", "ended: {7: []}", "? [a]\n: b", "ended: {unknown: [[deal]]}", "ended: {unknown: [~]}",
     "tags: x\nended: {unknown: [deal]}", "ended: {unknown: [deal: {fields: []}]}", "ended: {unknown: [deal: [name]]}"],
)  # fmt: skip
def test_any_wrong_shape_is_a_problem_and_nothing_else(text):
    assert problems(text, FACTS)


# -- planning


def planned(text, enquiry=ANSWERED):
    return plan(read_scenario(text, "rules.yaml", None), 3, enquiry)


def test_a_plan_has_the_case_of_each_caller_state():
    made = planned("ended: {unknown: [deal], open_deal: [note: x]}")
    assert made.trigger is Trigger.ENDED
    assert made.scenario_version == 3
    assert cases(made)[CallerState.UNKNOWN] == (CreateDeal("Звонок +7 916 123-45-67"),)
    assert CallerState.NO_OPEN_DEAL not in cases(made)
    assert cases(made)[CallerState.OPEN_DEAL] == (AddNote("x"),)


def test_a_scenario_without_a_word_for_the_trigger_asks_for_nothing():
    assert planned("ended: {unknown: [deal]}", replace(ANSWERED, answered=False)) is None


def test_empty_cases_ask_for_nothing():
    assert planned("ended: {unknown: []}") is None


def note(text, enquiry=ANSWERED, **top):
    head = "".join(f"{key}: {value}\n" for key, value in top.items())
    made = planned(f"{head}ended:\n  open_deal:\n    - note: {text!r}", enquiry)
    return cases(made)[CallerState.OPEN_DEAL][0].text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{caller}", "+7 916 123-45-67"),
        ("{dialled}", "+7 495 111-22-33"),
        ("{talk}", "1 мин 05 с"),
        ("{wait}", "7 с"),
        ("{started}", "01.01.2026 09:05 UTC"),
        ("{confidence}", "высокая (93 %)"),
        ("{term} {campaign} {landing}", "купить окна окна https://okna.example/"),
        ("{{caller}}", "{caller}"),
        ("{operator}: {reason}", "Анна: one visit saw this number"),
    ],
)
def test_placeholders_are_words_a_manager_reads(template, text):
    assert note(template) == text


def test_times_are_told_in_the_scenarios_zone():
    assert note("{started}", timezone="Europe/Moscow") == "01.01.2026 12:05"


def test_words_may_be_english():
    assert note("{talk}, {confidence}", language="en") == "1 min 05 s, high (93 %)"


@pytest.mark.parametrize(
    ("confidence", "word"),
    [(0.8, "высокая (80 %)"), (0.5, "средняя (50 %)"), (0.1, "низкая (10 %)"), (None, "источник не определён")],
)
def test_confidence_is_told_in_words(confidence, word):
    assert note("{confidence}", replace(ANSWERED, confidence=confidence)) == word


def test_an_anonymous_caller_has_a_name():
    assert note("{caller}", replace(ANSWERED, caller=None)) == "скрытый номер"


def test_a_line_of_which_nothing_is_known_is_left_out():
    text = "Источник: {source}\\nОбъявление: {content}\\nКонец"
    made = planned(f'ended:\n  open_deal:\n    - note: "{text}"')
    assert cases(made)[CallerState.OPEN_DEAL][0].text == "Источник: yandex\nКонец"


def test_values_are_never_templates():
    assert note("{source}", replace(ANSWERED, source={"utm_source": "{caller} {{"})) == "{caller} {{"


def test_values_lose_what_breaks_a_line():
    source = {"utm_source": "a\x00b\nc\ud83d\x1b"}
    assert note("{source}", replace(ANSWERED, source=source)) == "a b c?"


def test_values_are_cut():
    assert len(note("{source}", replace(ANSWERED, source={"utm_source": "x" * 5_000}))) == 300


def test_a_deals_name_is_one_short_line():
    made = planned('ended:\n  unknown:\n    - deal: {name: "a\\nb {landing} {reason}"}')
    assert cases(made)[CallerState.UNKNOWN][0].name == "a b https://okna.example/ one visit saw this number"


def test_a_deal_always_has_a_name():
    made = planned('ended:\n  unknown:\n    - deal: {name: "{content}"}')
    assert cases(made)[CallerState.UNKNOWN][0].name == "+7 916 123-45-67"


def test_empty_tags_and_fields_are_left_out():
    made = planned('ended:\n  unknown:\n    - deal: {tags: ["{content}", a], fields: {X: "{content}", Y: b}}')
    deal = cases(made)[CallerState.UNKNOWN][0]
    assert (deal.tags, deal.fields) == (("a",), {"Y": Write("b")})


def test_facts_needed_name_every_id():
    text = """
pipeline: Продажи
stage: Успешно
missed:
  unknown:
    - deal: {fields: {UTM_SOURCE: x}}
    - task: {text: t, due_minutes: 5, responsible: Иван Петров}
"""
    needed = facts_needed(read_scenario(text, "rules.yaml", FACTS))
    assert needed.pipelines == {"51"}
    assert needed.stages == {"142"}
    assert needed.users == {"71"}
    assert needed.fields == {"UTM_SOURCE"}


def test_facts_needed_name_the_stages_of_a_move():
    text = "ended: {open_deal: [move: {pipeline: Монтаж, stage: Договор}]}"
    needed = facts_needed(read_scenario(text, "rules.yaml", WIDE))
    assert (needed.pipelines, needed.stages) == ({"53"}, {"30", "31", "32"})


def test_a_text_with_a_name_is_written_once():
    made = planned(
        "texts: {said: 'Источник: {source}'}\nended: {unknown: [deal, note: {use: said}], open_deal: [note: {use: said}]}"
    )
    texts = [action.text for actions in cases(made).values() for action in actions if isinstance(action, AddNote)]
    assert texts == ["Источник: yandex"] * 2


# -- what happens


def test_what_happens_beside_has_rules_of_its_own():
    scenario = read_scenario("ringing: {unknown: [deal]}\nended: {open_deal: [note: x]}", "f", None)
    assert [plan(scenario, 1, ANSWERED, trigger).trigger for trigger in (Trigger.RINGING, None)] == ["ringing", "ended"]
    assert plan(scenario, 1, ANSWERED, Trigger.QUALIFIED) is None


HOURS = "timezone: Europe/Moscow\nworking_hours: {mon-fri: '09:00-18:00'}\nholidays: [2026-01-01]\n"
LATE = "missed_after_hours: {unknown: [deal: {name: late}]}\n"


@pytest.mark.parametrize(
    ("at", "trigger"),
    [
        (datetime(2026, 1, 2, 8, tzinfo=UTC), Trigger.MISSED),  # Friday, 11:00 in Moscow
        (datetime(2026, 1, 2, 15, tzinfo=UTC), Trigger.MISSED_AFTER_HOURS),
        (datetime(2026, 1, 3, 8, tzinfo=UTC), Trigger.MISSED_AFTER_HOURS),  # Saturday
        (datetime(2026, 1, 1, 8, tzinfo=UTC), Trigger.MISSED_AFTER_HOURS),  # a holiday
    ],
)
def test_a_call_missed_outside_working_hours_is_its_own_thing(at, trigger):
    missed = replace(ANSWERED, answered=False, started_at=at)
    assert planned(f"{HOURS}{LATE}missed: {{unknown: [deal]}}", missed).trigger is trigger


def test_without_rules_for_it_a_missed_call_is_a_missed_call():
    at_night = replace(ANSWERED, answered=False, started_at=datetime(2026, 1, 2, 22, tzinfo=UTC))
    assert planned(f"{HOURS}missed: {{unknown: [deal]}}", at_night).trigger is Trigger.MISSED


@pytest.mark.parametrize(
    ("hours", "at", "is_late"),
    [
        ("fri: '22:00-06:00'", datetime(2026, 1, 2, 23, tzinfo=UTC), False),
        ("fri: '22:00-06:00'", datetime(2026, 1, 3, 5, tzinfo=UTC), False),
        ("fri: '22:00-06:00'", datetime(2026, 1, 3, 6, tzinfo=UTC), True),
        ("sat-mon: '09:00-24:00'", datetime(2026, 1, 4, 23, 59, tzinfo=UTC), False),
        ("sat-mon: '09:00-24:00'", datetime(2026, 1, 5, 0, 0, tzinfo=UTC), True),
        ("sat-mon: '09:00-24:00'", datetime(2026, 1, 6, 12, tzinfo=UTC), True),
        ("mon-sun: '00:00-24:00'", datetime(2026, 1, 6, 0, 0, tzinfo=UTC), False),
        ("fri-thu: '00:00-24:00'", datetime(2026, 1, 6, 23, 59, 59, tzinfo=UTC), False),
    ],
)
def test_hours_may_end_the_next_morning_and_days_go_over_the_weeks_end(hours, at, is_late):
    missed = replace(ANSWERED, answered=False, started_at=at)
    made = planned(f"working_hours: {{{hours}}}\n{LATE}missed: {{unknown: [deal]}}", missed)
    assert (made.trigger is Trigger.MISSED_AFTER_HOURS) == is_late


@pytest.mark.parametrize(
    ("top", "problem"),
    [
        ("working_hours: 9-18", "rules.yaml:1: `working_hours` is a set of `mon-fri: 09:00-18:00` lines"),
        ("working_hours: {mo: '09:00-18:00'}", "rules.yaml:1: unknown day 'mo' in `working_hours`"),
        ("working_hours: {mon: '9-18'}", "rules.yaml:1: '9-18' are no hours: write them as 09:00-18:00"),
        ("working_hours: {mon: '09:00-25:00'}", "rules.yaml:1: '09:00-25:00' are no hours"),
        ("working_hours: {mon-wed: '09:00-18:00', tue: '09:00-18:00'}", "rules.yaml:1: 'tue' has its hours twice"),
        ("holidays: [2026-01-01]", "rules.yaml:1: `holidays` says nothing without `working_hours`"),
        ("working_hours: {mon: '09:00-18:00'}\nholidays: [7 January]", "rules.yaml:2: '7 January' in `holidays` is not a day"),
        ("texts: [a]", "rules.yaml:1: `texts` is a set of at most 50 `name: text` lines"),
        ("texts: {a: x, a: y}", "rules.yaml:1: 'a' is written twice in `texts`"),
        ("texts: {a: '{calle}'}", "rules.yaml:1: unknown placeholder {calle} in text a"),
        ("staff: [me]", "rules.yaml:1: 'me' in `staff` is not a phone"),
        ("short_s: soon", "rules.yaml:1: short_s is a whole number from 0 to 600"),
    ],
)  # fmt: skip
def test_a_wrong_top_line_is_named(top, problem):
    assert any(one.startswith(problem) for one in problems(f"{top}\nended: {{unknown: [deal]}}"))


def test_nobody_talks_in_a_missed_call():
    [told] = problems("missed:\n  open_deal:\n    by_other: [note: x]")
    assert told.startswith("rules.yaml:3: nobody has talked in `missed`: `by_other` never happens; allowed: otherwise")


def test_who_is_on_a_list_is_told_of_only_where_a_rule_says_so():
    text = "staff: ['8 916 123-45-67']\nended: {unknown: [deal]}"
    assert planned(text) is None
    assert planned(f"{text}\nmissed: {{}}".replace("[deal]", "[deal], staff: [deal]")).caller_is is CallerState.STAFF


# -- kept as JSON


@pytest.mark.parametrize("answered", [True, False])
def test_a_plan_survives_json(answered):
    enquiry = replace(ANSWERED, answered=answered, source={"utm_source": "Яндекс ☎️ \ud83d"}, caller=None)
    made = plan(read_scenario(READY_MADE.read_text("utf-8"), "f", None), 1, enquiry)
    assert load_plan(dump_plan(made)) == made


def test_a_task_does_not_come_back_as_a_note():
    made = planned("ended:\n  open_deal:\n    - task: {text: t, due_minutes: 5}\n    - note: t")
    kept = cases(load_plan(dump_plan(made)))[CallerState.OPEN_DEAL]
    assert [type(action) for action in kept] == [AddTask, AddNote]


def test_a_move_comes_back_as_it_was():
    made = plan(read_scenario("ended: {open_deal: [move: {pipeline: Монтаж, stage: Договор}]}", "f", WIDE), 1, ANSWERED)
    assert cases(load_plan(dump_plan(made)))[CallerState.OPEN_DEAL] == (MoveDeal("53", "32", ("30", "31")),)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"\xff", b'{"enquiry": 7}', b"[" * 9_999])
def test_json_that_is_not_a_plan_is_a_value_error(text):
    with pytest.raises(ValueError):
        load_plan(text)
