"""The people of a scenario file: who answers as which user, and who gets what (`responsible`)."""

from collections.abc import Callable, Mapping

import yaml

from connectors.assigning import Answerer, Assignee, ByNumber, ByRegion, InTurn, Owner, Person
from connectors.scenario_names import Names
from connectors.scenario_nodes import Problems, is_blank, keys_of, list_of, text_of
from tracking_core.phone import to_e164
from tracking_core.qualify import Hours
from tracking_core.regions import of_code, of_name

MOST_PEOPLE, MOST_NAMED, MOST_PLACES = 500, 10, 1_000
_WORDS: Mapping[str, Assignee] = {
    "answerer": Answerer(),
    "deal_owner": Owner("deal"),
    "contact_owner": Owner("contact"),
}
_WAYS = ("turns", "by_number", "by_region")
EVERYBODY = "all"  # of the account, in turn

HoursOf = Callable[[yaml.Node], tuple[Hours, ...]]


class People:
    """Reads who is meant; the hours of those who take turns are the scenario's, as ``hours_of`` reads them."""

    def __init__(self, problems: Problems, names: Names, hours: HoursOf) -> None:
        self._problems = problems
        self._names = names
        self._hours = hours

    def answering(self, node: yaml.Node) -> Mapping[str, str]:
        """Return which user of the account is whom telephony calls so."""
        lines = self._lines(node, "people", "who answers: user", MOST_PEOPLE)
        return {text_of(key, self._problems, "who answers"): self._names.user(value) for key, value in lines}

    def responsible(self, node: yaml.Node) -> tuple[Assignee, ...]:
        """Return whom a `responsible` names, in turn: a list is tried from its first line on."""
        if isinstance(node, yaml.SequenceNode):
            lines = list_of(node, self._problems, "`responsible`", MOST_NAMED)
            return tuple(one for line in lines for one in self._named(line))
        return self._named(node)

    def _named(self, node: yaml.Node) -> tuple[Assignee, ...]:
        if not isinstance(node, yaml.MappingNode):
            word = node.value if isinstance(node, yaml.ScalarNode) else ""
            return (_WORDS[word],) if word in _WORDS else (Person(self._names.user(node)),)
        found = keys_of(node, _WAYS, self._problems, "`responsible`")
        if len(found) > 1:
            self._problems.add(node, "each of these stands on a line of its own in `responsible`", _WAYS)
        return tuple(self._way(word, value) for word, (_, value) in found.items())

    def _way(self, word: str, node: yaml.Node) -> Assignee:
        if word == "turns":
            return self._turns(node)
        return ByNumber(self._by_number(node)) if word == "by_number" else ByRegion(self._by_region(node))

    def _turns(self, node: yaml.Node) -> InTurn:
        """Return the turns of a list of users, of a mapping of users to their hours, or of `all` of the account."""
        if isinstance(node, yaml.ScalarNode) and node.value == EVERYBODY:
            return InTurn(self._names.users or (EVERYBODY,))
        hours: dict[str, tuple[Hours, ...]] = {}
        if isinstance(node, yaml.MappingNode):
            lines = self._lines(node, "turns", "user: hours", MOST_PEOPLE)
            users = [self._names.user(key) for key, _ in lines]
            whose = zip(users, lines, strict=True)
            hours = {user: self._hours(value) for user, (_, value) in whose if not is_blank(value)}
        else:
            users = [self._names.user(line) for line in list_of(node, self._problems, "`turns`", MOST_PEOPLE)]
        for user in {user for user in users if users.count(user) > 1}:
            self._problems.add(node, f"{user!r} is named twice in `turns`")
        if not users:
            self._problems.add(node, "`turns` names nobody")
        return InTurn(tuple(users), hours)

    def _by_number(self, node: yaml.Node) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for key, value in self._lines(node, "by_number", "number: user", MOST_PLACES):
            written = text_of(key, self._problems, "a number")
            number = to_e164(written)
            if written and number is None:
                self._problems.add(key, f"{written!r} in `by_number` is not a phone: write it as +74951234567")
            found[number or ""] = self._names.user(value)
        return found

    def _by_region(self, node: yaml.Node) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for key, value in self._lines(node, "by_region", "region: user", MOST_PLACES):
            written = text_of(key, self._problems, "a region")
            region = of_code(written) or of_name(written)
            if written and region is None:
                told = "write its name, or its code such as RU-MOW"
                self._problems.add(key, f"{written!r} in `by_region` is no region we know: {told}")
            found[region or ""] = self._names.user(value)
        return found

    def _lines(self, node: yaml.Node, key: str, form: str, most: int) -> list[tuple[yaml.Node, yaml.Node]]:
        """Return the lines of a mapping, each key once."""
        if not isinstance(node, yaml.MappingNode) or len(node.value) > most:
            self._problems.add(node, f"`{key}` is a set of at most {most} `{form}` lines")
            return []
        seen: set[str] = set()
        for name, _ in node.value:
            word = str(name.value)
            if word in seen:
                self._problems.add(name, f"{word!r} is written twice in `{key}`")
            seen.add(word)
        return list(node.value)
