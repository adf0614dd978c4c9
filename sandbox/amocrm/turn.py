"""One authenticated request on its way through the handlers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

from sandbox.amocrm.errors import EMPTY, Flaw, Flaws, Refusal, problem, refuse, validation_answer
from sandbox.brackets import Tree, below, listed
from sandbox.wire import Ask

if TYPE_CHECKING:
    from sandbox.amocrm.account import Account
    from sandbox.amocrm.model import User

MOST_ITEMS = 250
Sent = dict[str, Any]
Check = Callable[[Sent, Flaws], None]
Made = TypeVar("Made")


@dataclass(slots=True)
class Turn:
    """A request, who made it and the account it goes to; `now` is in whole seconds of the vendor's clock."""

    account: "Account"
    ask: Ask
    user: "User"
    client_id: str
    params: Tree
    now: int
    born: float
    wanted: frozenset[str] = field(default_factory=frozenset)

    @property
    def api(self) -> str:
        """The API address with the host that was asked."""
        return f"{self.ask.base}/api/v4"

    def filter(self, *names: str) -> Tree:
        """Returns the subtree of `filter[...]`."""
        return below(self.params, "filter", *names)

    def filter_list(self, name: str) -> list[str]:
        """Returns the values of one filter in any of its list styles."""
        return listed(below(self.params, "filter").get(name))

    def sent_object(self) -> Sent:
        """Returns the JSON object of the body, or refuses with 400."""
        body = self._body()
        if not isinstance(body, dict) or not body:
            raise refuse(400, EMPTY)
        return body

    def sent_list(self, most: int = MOST_ITEMS) -> list[Sent]:
        """Returns the JSON array of the body with request ids filled in, or refuses with 400 or 422."""
        body = self._body()
        if not isinstance(body, list) or not body:
            raise refuse(400, EMPTY)
        if len(body) > most:
            raise refuse(422, f"Limit {most} per page")
        for one in body:
            if not isinstance(one, dict):
                raise refuse(400, "Every element of the array should be an object")
        for index, one in enumerate(body):
            if one.get("request_id") is None:
                one["request_id"] = str(index)
        return body

    def _body(self) -> object:
        try:
            return self.ask.json()
        except ValueError as error:
            raise Refusal(problem(400, EMPTY)) from error


def is_id(value: object) -> TypeGuard[int]:
    """Whether a sent value is a whole number, which true and false are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def write_batch(turn: Turn, sent: list[Sent], check: Check, apply: Callable[[Sent], Made]) -> list[Made]:
    """Checks the whole array, then applies it; one flawed item refuses all, unless `partial_batches`."""
    flawed: dict[int, list[Flaw]] = {}
    for index, one in enumerate(sent):
        flaws = Flaws()
        check(one, flaws)
        if flaws.found:
            flawed[index] = flaws.found
    refusal = Refusal(validation_answer([(sent[index]["request_id"], found) for index, found in flawed.items()]))
    if flawed and not turn.account.dial["partial_batches"]:
        raise refusal
    made = [apply(one) for index, one in enumerate(sent) if index not in flawed]
    if flawed:
        raise refusal
    return made


def make_turn(account: "Account", ask: Ask, user: "User", client_id: str, params: Tree) -> Turn:
    """Returns the turn of a request that passed authorization."""
    born = account.now()
    wanted = frozenset(listed(params.get("with")))
    return Turn(account, ask, user, client_id, params, int(born), born, wanted)
