"""The grammar of a scenario file: which keys may stand where, and what each must be."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from itertools import count
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

import yaml

from connectors.scenario import (
    CALL_OVER,
    LATELY_DAYS,
    TALKED,
    AddTask,
    CallerState,
    CreateDeal,
    OfSeveral,
    Result,
    Rule,
    Scenario,
    Telephony,
    Trigger,
)
from connectors.scenario_actions import PLACE, Actions
from connectors.scenario_hours import hours_of
from connectors.scenario_names import Names
from connectors.scenario_nodes import Children, Problems, compose, keys_of, list_of, number_of, text_of
from connectors.scenario_people import HoursOf, People
from connectors.wording import LANGUAGES
from tracking_core.phone import to_e164
from tracking_core.qualify import Hours

if TYPE_CHECKING:
    from connectors.protocol import Facts

_NUMBERS = {"short_s": (0, 600, 0), "lately_days": (1, 3_650, LATELY_DAYS)}  # key -> least, most, when left out
_LISTS = ("staff", "blacklist")
_HOURS = ("working_hours", "holidays")
_WORDS = (
    "name",
    "language",
    "timezone",
    *PLACE,
    "tags",
    "texts",
    "people",
    "popup",
    "telephony",
    "analytics",
    "of_several",
)
_TOP = (*_WORDS, *_NUMBERS, *_LISTS, *_HOURS, *Trigger)
DEFAULT_NAME: Mapping[str, str] = {"ru": "Звонок {caller}", "en": "Call {caller}"}
MOST_PHONES, MOST_HOLIDAYS = 1_000, 400


def read(text: str, filename: str, facts: "Facts | None") -> Scenario:
    """Return the scenario of a YAML text; raises ``ScenarioError`` with every problem found."""
    problems = Problems(filename)
    root = compose(text, problems)
    scenario = _Reader(problems, facts).scenario(root)
    problems.raise_any()
    return scenario


class _Reader:
    """Walks one file; what it returns is only good when no problem was noted."""

    def __init__(self, problems: Problems, facts: "Facts | None") -> None:
        self._problems = problems
        self._facts = facts
        self._names = Names(problems, facts)
        self._rule_numbers = count(1)

    def scenario(self, root: yaml.Node) -> Scenario:
        top = keys_of(root, _TOP, self._problems, "the scenario")
        language = self._one_of(top, "language", LANGUAGES, "ru")
        timezone = self._one_of(top, "timezone", sorted(available_timezones()), "UTC")
        holidays = self._dates(top["holidays"][1]) if "holidays" in top else frozenset()
        hours = partial(hours_of, zone=timezone, holidays=holidays, problems=self._problems)
        people = People(self._problems, self._names, hours)
        actions = Actions(self._problems, self._names, people, CreateDeal(name=DEFAULT_NAME[language]), {}).of(top)
        rules = {
            Trigger(word): self._rules(value, word, actions) for word, (_, value) in top.items() if word in _EVENTS
        }
        if isinstance(root, yaml.MappingNode) and not rules:
            self._problems.add(root, "the scenario says nothing to do", list(Trigger))
        telephony = self._telephony(top)
        if telephony is Telephony.OBSERVE:
            self._check_observing(top, rules)
        least = {key: self._number(top, key) for key in _NUMBERS}
        phones = {key: self._phones(top[key][1], key) if key in top else frozenset() for key in _LISTS}
        return Scenario(
            name=text_of(top["name"][1], self._problems, "name") if "name" in top else "",
            rules=rules,
            language=language,
            timezone=timezone,
            people=people.answering(top["people"][1]) if "people" in top else {},
            popup=self._popup(top),
            telephony=telephony,
            analytics=self._analytics(top),
            pipeline=actions.pipeline or self._names.main_pipeline,
            staff=phones["staff"],
            blacklist=phones["blacklist"],
            short_s=least["short_s"],
            lately_days=least["lately_days"],
            hours=self._hours(top, hours),
            of_several=OfSeveral(self._one_of(top, "of_several", tuple(OfSeveral), OfSeveral.NEWEST)),
        )

    # -- rules

    def _rules(self, node: yaml.Node, trigger: str, actions: Actions) -> tuple[Rule, ...]:
        states = keys_of(node, list(CallerState), self._problems, f"`{trigger}`")
        return tuple(
            Rule(next(self._rule_numbers), CallerState(word), result, actions.read(of_result, CallerState(word)))
            for word, (_, value) in states.items()
            for result, of_result in self._by_result(value, word, trigger)
        )

    def _by_result(self, node: yaml.Node, state: str, trigger: str) -> Iterator[tuple[Result, yaml.Node]]:
        """Yield what is done for each result; a list of actions is for whatever the call came to."""
        if not isinstance(node, yaml.MappingNode):
            yield Result.OTHERWISE, node
            return
        if not any(key.value in _RESULTS for key, _ in node.value):
            self._problems.add(node, f"`{state}` is a list of `- ...` lines, or has one for each result", list(Result))
            return
        results = keys_of(node, list(Result), self._problems, f"`{state}`")
        for word, (key, value) in results.items():
            if trigger not in TALKED and word != Result.OTHERWISE:
                self._problems.add(key, f"nobody has talked in `{trigger}`: `{word}` never happens", [Result.OTHERWISE])
            yield Result(word), value

    def _check_observing(self, top: Children, rules: Mapping[Trigger, Sequence[Rule]]) -> None:
        """Where the CRM makes the cards of calls, a card is always there, and nothing else is made."""
        if "popup" in top:
            self._problems.add(top["popup"][0], "`telephony: observe` leaves cards to the CRM: take `popup` out")
        for trigger in rules.keys() & _OF_CALLS:
            for rule in rules[trigger]:
                node = top[trigger][0]
                if trigger not in CALL_OVER:
                    self._problems.add(
                        node, f"`telephony: observe` tells of calls that are over: `{trigger}` is not", CALL_OVER
                    )
                    break
                if rule.state is not CallerState.OPEN_DEAL:
                    self._problems.add(node, f"with `telephony: observe`, `{trigger}` has `open_deal` alone")
                elif any(isinstance(one, CreateDeal | AddTask) for one in rule.actions):
                    self._problems.add(
                        node,
                        f"`telephony: observe` creates nothing: `{trigger}` may `note`, `move`, `fields` and `tag`",
                    )

    # -- what holds for all of them

    def _analytics(self, top: Children) -> bool:
        wanted = self._is_on(top, "analytics")
        if wanted and self._facts is not None and not self._facts.analytics:
            self._problems.add(
                top["analytics"][1], "this account has no analytics that can be told of visits", ["false"]
            )
        return wanted

    def _telephony(self, top: Children) -> Telephony:
        ways = self._facts.telephony if self._facts else tuple(Telephony)
        return Telephony(self._one_of(top, "telephony", ways, Telephony.NOTE))

    def _popup(self, top: Children) -> bool:
        wanted = self._is_on(top, "popup")
        if wanted and "people" not in top:
            self._problems.add(top["popup"][1], "`popup` shows the card to those whom `people` names: name them there")
        return wanted

    def _is_on(self, top: Children, key: str) -> bool:
        return self._one_of(top, key, ("true", "false"), "false") == "true"

    def _phones(self, node: yaml.Node, key: str) -> frozenset[str]:
        """Return phones in E.164, whichever way they are written."""
        found = set()
        for line in list_of(node, self._problems, f"`{key}`", MOST_PHONES):
            written = text_of(line, self._problems, "a phone")
            phone = to_e164(written)
            if written and phone is None:
                self._problems.add(line, f"{written!r} in `{key}` is not a phone: write it as +74951234567")
            found.add(phone or "")
        return frozenset(found)

    def _hours(self, top: Children, hours: HoursOf) -> tuple[Hours, ...]:
        """Return when somebody is at work; nothing where that is not said."""
        if "working_hours" in top:
            return hours(top["working_hours"][1])
        if "holidays" in top:
            self._problems.add(top["holidays"][0], "`holidays` says nothing without `working_hours`")
        return ()

    def _dates(self, node: yaml.Node) -> frozenset[date]:
        found = set()
        for line in list_of(node, self._problems, "`holidays`", MOST_HOLIDAYS):
            word = text_of(line, self._problems, "a holiday")
            try:
                found.add(date.fromisoformat(word))
            except ValueError:
                self._problems.add(line, f"{word!r} in `holidays` is not a day: write it as 2027-01-07")
        return frozenset(found)

    def _number(self, top: Children, key: str) -> int:
        least, most, default = _NUMBERS[key]
        return number_of(top[key][1], self._problems, key, least, most) if key in top else default

    def _one_of(self, top: Children, key: str, allowed: Sequence[str], default: str) -> str:
        if key not in top:
            return default
        word = text_of(top[key][1], self._problems, key)
        if word and word not in allowed:
            self._problems.add(top[key][1], f"unknown {key} {word!r}", allowed, word)
        return word if word in allowed else default


_OF_CALLS = CALL_OVER | {Trigger.RINGING, Trigger.ANSWERED, Trigger.CALLBACK_DONE, Trigger.RECORDING_READY}
_EVENTS, _RESULTS = frozenset(Trigger), frozenset(Result)
