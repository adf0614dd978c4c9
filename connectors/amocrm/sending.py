"""Sends creating requests of a batch and reads what became of each part of them.

A refused batch is atomic (sheet section 5.5): the parts the vendor names are mended or dropped and the rest
is sent again, a few times at most. A lost answer makes its parts UNKNOWN; the second one stops the batch.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from connectors.amocrm.api import Json, embedded
from connectors.amocrm.mappings import NAMED_PATHS, PATH_SAID, REFUSED
from connectors.amocrm.trouble import legacy, trouble
from connectors.amocrm.work import Kind, Work
from connectors.errors import OF_INSTALLATION, NotSent, PerhapsSent, Unreadable, Verdict, verdict
from connectors.http import Answer
from connectors.protocol import InstallationError, Status, Why
from connectors.telling import Said

ROUNDS = 4
MOST_LOST = 2
_LOST = Said("answer_lost")
_UNNAMED = Said("unnamed")
_UNSETTLED = Said("unsettled")

Create = Callable[[Sequence[Json], Sequence[str]], Awaitable[Answer]]  # (bodies, ids of the deliveries they are of)
Rows = Callable[[object], list[Json]]
Mend = Callable[["Part", Sequence[str]], Awaitable[bool]]  # (part, paths of its errors) -> mended, send it again


@dataclass(slots=True)
class Part:
    """One object to be created: the step it finishes, and its body, which names its ``request_id``."""

    work: Work
    step: str
    kind: Kind
    body: Json

    @property
    def request_id(self) -> str:
        """What the vendor's answer calls this part."""
        return str(self.body["request_id"])


def changed_rows(parts: Sequence[Part], plural: str, found: object) -> list[Json]:
    """Return changed objects by what we call them: the answer need not repeat that [5.2]."""
    names = {part.body["id"]: part.request_id for part in parts}
    return [row | {"request_id": names.get(row.get("id"))} for row in embedded(found, plural)]


async def never(_: Part, __: Sequence[str]) -> bool:
    """Mend nothing: a refused part is refused."""
    return False


async def without_author(part: Part, paths: Sequence[str]) -> bool:
    """Leave out who is in charge of a note where the account does not take him: it then does not count as his call."""
    people = {"created_by", "responsible_user_id"}
    if not people & part.body.keys() or not {_culprit(path) for path in paths} <= people:
        return False
    part.body = {key: value for key, value in part.body.items() if key not in people}
    return True


class Portion:
    """How many deals go into one request: few at first, twice as many after each that went well [3.7]."""

    LEAST, MOST = 10, 50

    def __init__(self) -> None:
        self.size = self.LEAST

    def next(self, parts: Iterator[Part]) -> list[Part]:
        """Return what the next request carries, nothing when there is nothing left."""
        return list(islice(parts, self.size))

    def of_most(self, parts: Iterator[Part]) -> Iterator[list[Part]]:
        """Yield what requests carry that may go side by side: until nothing is left, or one did not go well."""
        while self.size == self.MOST and (chunk := self.next(parts)):
            yield chunk

    def judge(self, parts: Sequence[Part]) -> None:
        """Learn from what became of a request: one lost answer shall not leave many in doubt again."""
        went_well = all(part.work.deal for part in parts)
        self.size = min(2 * self.size, self.MOST) if went_well else self.LEAST


class Sender:
    """Sends the parts of one batch; remembers how many answers were lost."""

    def __init__(self) -> None:
        self._lost = 0

    async def send(self, parts: Sequence[Part], create: Create, rows: Rows, mend: Mend = never) -> None:
        """Create the parts with one request, or few when some are refused; their works learn the result.

        Raises ``InstallationError`` when the account or the vendor cannot be served now.
        """
        pending = list(parts)
        for _ in range(ROUNDS):
            if not pending:
                return
            answer = await self._ask(pending, create)
            if answer is None:
                return
            if answer.ok:
                self._take(pending, answer, rows)
                return
            paths = self._judge(pending, answer)
            if paths is None:
                return
            if not paths and len(pending) > 1:
                for part in pending:
                    await self.send([part], create, rows, mend)
                return
            pending = await self._repair(pending, paths, answer, mend)
        for part in pending:
            part.work.trouble(Status.RETRY, Why.INVALID, _UNSETTLED)

    async def _ask(self, parts: Sequence[Part], create: Create) -> Answer | None:
        try:
            of = dict.fromkeys(part.work.delivery.id for part in parts)
            return await create([part.body for part in parts], tuple(of))
        except NotSent as error:
            raise trouble(error) from None
        except PerhapsSent as error:
            self._lose(parts, Verdict(Status.UNKNOWN, Why.UNAVAILABLE, _LOST), error.detail)
            return None

    def _judge(self, parts: Sequence[Part], answer: Answer) -> dict[str, list[str]] | None:
        """Return error paths by request id when parts may be repaired, None when their fate is settled."""
        error = answer.refused()
        read = verdict(answer.status)
        lost_account = answer.status == 404 and not error.readable
        if lost_account or legacy(error) or (read.status is Status.RETRY and read.why in OF_INSTALLATION):
            raise trouble(error)
        if read.status is Status.UNKNOWN:
            self._lose(parts, read, error.detail)
            return None
        if read.status is Status.RETRY:
            for part in parts:
                part.work.trouble(read.status, read.why, read.said, detail=error.detail)
            return None
        return _paths(answer.json(), parts)

    def _lose(self, parts: Sequence[Part], read: Verdict, detail: str) -> None:
        for part in parts:
            part.work.trouble(read.status, read.why, read.said, detail=detail)
        self._lost += 1
        if self._lost >= MOST_LOST:
            raise InstallationError(Why.UNAVAILABLE, Said("losing"))

    def _take(self, parts: Sequence[Part], answer: Answer, rows: Rows) -> None:
        try:
            found = rows(answer.read())
        except Unreadable as error:
            for part in parts:
                part.work.trouble(Status.UNKNOWN, Why.UNREADABLE, _UNNAMED, detail=error.detail)
            return
        named = {request_id: row for row in found for request_id in _request_ids(row)}
        for part in parts:
            row = named.get(part.request_id, {})
            if not isinstance(row.get("id"), int):
                part.work.trouble(Status.UNKNOWN, Why.UNREADABLE, _UNNAMED)
                continue
            part.work.created = True
            is_new = part.kind == "deal" and not part.work.contact and not row.get("merged")
            for kind in ("contact", "company"):
                if row.get(f"{kind}_id"):
                    part.work.hold(kind, str(row[f"{kind}_id"]))
            if is_new:
                part.work.new_contact = part.work.contact
            part.work.finish(part.step, part.kind, str(row["id"]))
            if part.kind == "deal":
                part.work.deal = str(row["id"])
                part.work.is_merged = row.get("merged") is True

    async def _repair(
        self, parts: Sequence[Part], paths: dict[str, list[str]], answer: Answer, mend: Mend
    ) -> list[Part]:
        kept = []
        for part in parts:
            wrong = paths.get(part.request_id)
            if (wrong is None and paths) or await mend(part, wrong or ()):
                kept.append(part)
            elif part.step not in part.work.done:  # a mending may have settled it without the vendor
                told = answer.problem()
                words = told.detail if told.readable else ""  # of another page than theirs people read nothing
                detail = f"{told.detail} {wrong or ''}".strip()
                part.work.trouble(Status.REJECTED, Why.INVALID, *_refusal(part, wrong or (), words), detail=detail)
        return kept


def _paths(found: object, parts: Sequence[Part]) -> dict[str, list[str]]:
    """Return the paths of validation errors by the request id of the part they speak of [5.3]."""
    errors = found.get("validation-errors", found.get("errors")) if isinstance(found, dict) else None
    by_id: dict[str, list[str]] = {}
    for error in errors if isinstance(errors, list) else []:
        if not isinstance(error, dict):
            continue
        part = _spoken_of(error.get("request_id"), parts)
        inner: Any = error.get("errors")
        if part is not None:
            wrong = [one for one in (inner if isinstance(inner, list) else [inner]) if isinstance(one, dict)]
            by_id.setdefault(part.request_id, []).extend(str(one.get("path", "")) for one in wrong)
    return by_id


def _spoken_of(request_id: object, parts: Sequence[Part]) -> Part | None:
    """Return the part a request id means: ours, or its place when the vendor counts from zero."""
    for part in parts:
        if part.request_id == str(request_id):
            return part
    place = str(request_id)
    return parts[int(place)] if place.isascii() and place.isdigit() and int(place) < len(parts) else None


def _request_ids(row: Json) -> list[str]:
    told = row.get("request_id")
    return [str(one) for one in told] if isinstance(told, list) else [str(told)]


def _refusal(part: Part, paths: Sequence[str], told: str) -> tuple[Said, ...]:
    """Return what was not created, and why as far as the vendor's paths or its own words tell."""
    found = dict.fromkeys(word for path in paths for word in [_culprit(path)] if word)
    reasons = tuple(_reason(part, word) for word in found)
    refused = REFUSED.get(part.step.partition(":")[0], REFUSED[part.kind])
    return (refused, *(reasons or (Said("its_words", {"words": told}) if told else Said("no_reason"),)))


def _culprit(path: str) -> str | None:
    return next((word for word in PATH_SAID if word in path.split(".")), None)


def _reason(part: Part, word: str) -> Said:
    said = PATH_SAID[word]
    return replace(said, values={"id": str(part.body.get(word, ""))}) if word in NAMED_PATHS else said
