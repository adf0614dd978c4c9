"""A scenario without what its account does not have any more: what is left of it runs on; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from connectors.assigning import Assignee, ByNumber, ByRegion, InTurn, Person
from connectors.reopening import reopens
from connectors.scenario import Action, AddTask, CreateDeal, MoveDeal, ReopenDeal, Rule, Scenario, Write, WriteFields

if TYPE_CHECKING:
    from connectors.protocol import Facts


def without_gone(scenario: Scenario, facts: "Facts") -> Scenario:
    """Return the scenario with what is there.

    A deal whose stage or pipeline is gone goes to the first one, what is somebody's who is gone to whom the account
    takes by itself; a field, a move or a turn that is gone is left out.
    """
    left = _Left({one.id: frozenset(stage.id for stage in one.stages) for one in facts.pipelines}, facts)
    pipeline = scenario.pipeline if scenario.pipeline in left.stages else next(iter(left.stages), None)
    return replace(
        scenario,
        rules={trigger: left.of_rules(rules) for trigger, rules in scenario.rules.items()},
        people={name: user for name, user in scenario.people.items() if user in facts.users},
        pipeline=pipeline,
    )


@dataclass(frozen=True, slots=True)
class _Left:
    """What an account has: the stages of each pipeline, its users and fields."""

    stages: Mapping[str, frozenset[str]]
    facts: "Facts"

    def of_rules(self, rules: Sequence[Rule]) -> tuple[Rule, ...]:
        """Return rules with what is left of them; one that opens a deal again in a pipeline that is gone is gone."""
        there = (rule for rule in rules if (asked := reopens(rule)) is None or asked.pipeline in self.stages)
        return tuple(
            replace(rule, actions=tuple(left for one in rule.actions for left in self._action(one))) for rule in there
        )

    def _action(self, action: Action) -> Iterator[Action]:
        if isinstance(action, CreateDeal | AddTask):
            action = replace(action, responsible=self._user(action.responsible), who=tuple(self._who(action.who)))
        if isinstance(action, CreateDeal):
            action = self._placed(replace(action, fields=self._fields(action)))
        if isinstance(action, WriteFields):
            action = replace(action, fields=self._fields(action))
        if isinstance(action, ReopenDeal) and action.stage not in self.stages[action.pipeline or ""]:
            action = replace(action, stage=self._first_open[action.pipeline or ""])
        if isinstance(action, MoveDeal):
            there = self.stages.get(action.pipeline or "", frozenset())
            action = replace(action, from_stages=tuple(one for one in action.from_stages if one in there))
            if action.stage in there and action.from_stages:
                yield action
        elif not isinstance(action, WriteFields) or action.fields:
            yield action

    @property
    def _first_open(self) -> Mapping[str, str]:
        """The first stage of each pipeline at which a deal is open."""
        return {
            one.id: next(stage.id for stage in one.stages if stage.outcome == "open") for one in self.facts.pipelines
        }

    def _user(self, user: str | None) -> str | None:
        return user if user in self.facts.users else None

    def _placed(self, deal: CreateDeal) -> CreateDeal:
        if deal.pipeline is not None and deal.pipeline not in self.stages:
            return replace(deal, pipeline=None, stage=None)
        there = self.stages.get(deal.pipeline or next(iter(self.stages), ""), frozenset())
        return deal if deal.stage in there else replace(deal, stage=None)

    def _fields(self, action: CreateDeal | WriteFields) -> Mapping[str, Write]:
        return {code: one for code, one in action.fields.items() if code in self.facts.fields}

    def _who(self, named: Sequence[Assignee]) -> Iterator[Assignee]:
        for one in named:
            if isinstance(one, ByNumber | ByRegion):
                yield replace(one, users={key: user for key, user in one.users.items() if user in self.facts.users})
            elif isinstance(one, InTurn):
                people = tuple(user for user in one.people if user in self.facts.users)
                yield from [replace(one, people=people)] if people else []
            elif not isinstance(one, Person) or one.user in self.facts.users:
                yield one
