"""One authorised call on its way through a method, and what a method may answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.bitrix24.errors import Refusal, missing
from sandbox.bitrix24.php import Params, as_int, as_map, pick

if TYPE_CHECKING:
    from sandbox.bitrix24.portal import Portal
    from sandbox.bitrix24.tokens import Grant

PAGE = 50


@dataclass(slots=True)
class Turn:
    """One call: who makes it, with what, and how the portal is addressed; a robot's changes carry no user's tokens."""

    portal: "Portal"
    base: str
    method: str
    params: Params
    user_id: int
    caller: str
    scopes: frozenset[str]
    is_app: bool = True
    is_robot: bool = False
    grant: "Grant | None" = None
    now: float = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.portal.now()

    @property
    def is_admin(self) -> bool:
        """Whether the acting user administers the portal."""
        return self.portal.users[self.user_id].is_admin

    def get(self, name: str, default: Any = None) -> Any:
        """Returns a parameter in whichever case it was sent."""
        found = pick(self.params, name)
        return default if found is None else found

    def text(self, name: str) -> str:
        """Returns a parameter as text, empty when it is absent or no scalar."""
        found = self.get(name, "")
        return "" if isinstance(found, (dict, list)) else str(found)

    def number(self, name: str) -> int | None:
        """Returns a parameter as a whole number, or None."""
        return as_int(self.get(name))

    def map(self, name: str) -> dict[str, Any]:
        """Returns a parameter that is a map, empty when it is absent."""
        return as_map(self.get(name))

    def needed(self, name: str) -> Any:
        """Returns a parameter or refuses with the code 100."""
        found = self.get(name)
        if found is None or found == "":
            raise missing(name)
        return found

    def needed_number(self, name: str) -> int:
        """Returns a whole number or refuses with the code 100."""
        found = as_int(self.needed(name))
        if found is None:
            raise missing(name)
        return found

    def clock_text(self, moment: float) -> str:
        """Returns a moment as the portal writes it."""
        return self.portal.moment_text(moment)

    def admins_only(self, text: str = "Access denied!") -> None:
        """Refuses with 403 whoever does not administer the portal."""
        if not self.is_admin:
            raise Refusal(403, "ACCESS_DENIED", text)


@dataclass(frozen=True, slots=True)
class Listing:
    """A page: the result, how many rows there are in all (None: not counted) and where the next page starts."""

    result: Any
    total: int | None = None
    next: int | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """One REST method: its handler, the scopes of which one is enough, and who may call it how."""

    handler: Callable[[Turn], Any]
    scopes: tuple[str, ...] = ("crm",)
    app_only: bool = False
    in_batch: bool = True


Methods = Mapping[str, Method]


def paged(turn: Turn, rows: list[Any], wrap: Callable[[list[Any]], Any] = lambda page: page) -> Listing:
    """Returns the page of 50 that `start` asks for; -1 gives the first one uncounted (sheet 3.3)."""
    start = turn.number("start") or 0
    if start < 0:
        total = 0 if turn.portal.dial["no_count_total"] == "zero" else None
        return Listing(wrap(rows[:PAGE]), total)
    if turn.portal.dial["odd_start"] == "round_down":
        start -= start % PAGE
    end = start + PAGE
    return Listing(wrap(rows[start:end]), len(rows), end if end < len(rows) else None)
