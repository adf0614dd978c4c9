"""The path of the person behind an enquiry: his visits in all his browsers, and why they are taken for his."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy import bindparam as value

from hub.store import ties
from hub.store.enquiries import its_visit
from hub.store.tables import Enquiry, Match, Person, Tie, Visit, Visitor, table_of
from hub.store.ties import Known, is_he
from hub.store.tx import Tx
from tracking_core.ties import Key, TieKind, is_shared_browser, is_shared_key

_tie, _visitor, _visit = (table_of(model) for model in (Tie, Visitor, Visit))
_enquiry, _match, _person = (table_of(model) for model in (Enquiry, Match, Person))
_he = _visitor.alias("he")

_MOST_VISITS, _MOST_TIES = 30, 300


@dataclass(frozen=True, slots=True)
class Seen:
    """A visit of the path; ``browser`` counts from 1, and 1 is the enquiry's own."""

    id: int
    browser: int
    channel: str
    source: str
    campaign: str
    started_at: datetime
    is_matched: bool


@dataclass(frozen=True, slots=True)
class Why:
    """By what a visitor is known; ``enquiry_id`` is where from, None when the site itself told."""

    kind: TieKind
    since: datetime
    enquiry_id: int | None
    enquiry_kind: str | None


@dataclass(frozen=True, slots=True)
class Browser:
    """Another browser of the person: how often he came in it, and why it is taken for his."""

    visitor_id: int
    number: int
    visits: int
    whys: tuple[Why, ...]


@dataclass(frozen=True, slots=True)
class Undone:
    """A browser that somebody said is another person's; ``is_own`` when it is the enquiry's own."""

    visitor_id: int
    is_own: bool
    at: datetime
    by: str
    whys: tuple[Why, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """The latest visits, oldest first, of ``count``; ``shared`` are the keys that join nobody, with their visitors."""

    visits: tuple[Seen, ...]
    count: int
    browsers: tuple[Browser, ...]
    undone: tuple[Undone, ...]
    shared: Mapping[TieKind, int]
    is_shared_browser: bool

    @property
    def is_worth_telling(self) -> bool:
        """Says whether there is more to tell than the one visit of the match."""
        return self.count > 1 or bool(self.browsers or self.undone or self.shared) or self.is_shared_browser


_MATCHED = (
    select(_visit.c.visitor_id, _visit.c.id)
    .join(_match, its_visit)
    .where(_match.c.tenant_id == value("tenant"), _match.c.enquiry_id == value("enquiry"))
    .where(_match.c.superseded_at.is_(None))
)
_HIS = (
    select(_visitor.c.id)
    .select_from(_he)
    .join(_visitor, is_he(_he, _visitor))
    .where(_he.c.tenant_id == value("tenant"), _he.c.id == value("visitor"))
)


def path_of(tx: Tx, tenant_id: int, enquiry_id: int) -> Path | None:
    """Return the path of the person an enquiry is matched to; None where there is no visit."""
    matched = tx.execute(_MATCHED, {"tenant": tenant_id, "enquiry": enquiry_id}).first()
    if matched is None:
        return None
    own, visit_id = matched
    his = tx.execute(_HIS, {"tenant": tenant_id, "visitor": own}).scalars().all()
    counted = _counted(tx, tenant_id, his)
    told = _ties(tx, tenant_id, his)
    others = sorted(his, key=lambda one: (one != own, one))[1:]
    numbers = {visitor_id: number for number, visitor_id in enumerate((own, *others), 1)}
    holds = [row for row in told if row.undone_at is None]
    shared = _shared(tx, tenant_id, holds)
    joins = [row for row in holds if _key(row) not in shared]
    return Path(
        visits=_visits(tx, tenant_id, numbers, visit_id),
        count=sum(counted.values()),
        browsers=tuple(Browser(one, numbers[one], counted[one], _whys(one, joins)) for one in others),
        undone=_undone(told, own),
        shared={key.kind: ties.visitors_by(tx, tenant_id, key) for key in sorted(shared, key=str)},
        is_shared_browser=is_shared_browser(ties.keys_of(tx, tenant_id, own)),
    )


def _counted(tx: Tx, tenant_id: int, his: Collection[int]) -> Counter[int]:
    here = (_visit.c.tenant_id == tenant_id, _visit.c.visitor_id.in_(his))
    rows = tx.execute(select(_visit.c.visitor_id, func.count()).where(*here).group_by(_visit.c.visitor_id))
    return Counter({row[0]: row[1] for row in rows})


def _visits(tx: Tx, tenant_id: int, numbers: Mapping[int, int], matched: int) -> tuple[Seen, ...]:
    here = (_visit.c.tenant_id == tenant_id, _visit.c.visitor_id.in_(numbers))
    newest = (_visit.c.started_at.desc(), _visit.c.id.desc())
    rows = tx.execute(select(_visit).where(*here).order_by(*newest).limit(_MOST_VISITS)).all()
    names = [name for name in Seen.__slots__ if name not in ("browser", "is_matched")]
    return tuple(
        Seen(
            **{name: getattr(row, name) for name in names},
            browser=numbers[row.visitor_id],
            is_matched=row.id == matched,
        )
        for row in reversed(rows)
    )


def _ties(tx: Tx, tenant_id: int, his: Collection[int]) -> Sequence[Any]:
    """Return the ties of the person's visitors, and those that were undone of others by the same keys."""
    mine = (_tie.c.tenant_id == tenant_id, _tie.c.gone_at.is_(None))
    keys = select(_tie.c.key).where(*mine, _tie.c.visitor_id.in_(his))
    both = or_(_tie.c.visitor_id.in_(his), and_(_tie.c.undone_at.is_not(None), _tie.c.key.in_(keys)))
    return tx.execute(
        select(_tie, _enquiry.c.kind.label("enquiry_kind"), _person.c.email.label("by"))
        .outerjoin(_enquiry, and_(_enquiry.c.id == _tie.c.enquiry_id, _enquiry.c.tenant_id == _tie.c.tenant_id))
        .outerjoin(_person, and_(_person.c.id == _tie.c.undone_by, _person.c.tenant_id == _tie.c.tenant_id))
        .where(*mine, both)
        .order_by(_tie.c.since.desc(), _tie.c.id.desc())
        .limit(_MOST_TIES)
    ).all()


def _key(row: Any) -> Key:
    return Key(TieKind(row.kind), row.key)


def _why(row: Any) -> Why:
    return Why(TieKind(row.kind), row.since, row.enquiry_id, row.enquiry_kind)


def _whys(visitor_id: int, joins: Sequence[Any]) -> tuple[Why, ...]:
    """Return what ties a visitor to the others: his latest evidence for each key he has in common with one of them."""
    others = {_key(row) for row in joins if row.visitor_id != visitor_id}
    common = {_key(row): row for row in reversed(joins) if row.visitor_id == visitor_id and _key(row) in others}
    return tuple(_why(row) for row in common.values())


def _undone(told: Iterable[Any], own: int) -> tuple[Undone, ...]:
    by_visitor: dict[int, list[Any]] = {}
    for row in told:
        if row.undone_at is not None:
            by_visitor.setdefault(row.visitor_id, []).append(row)
    return tuple(
        Undone(visitor_id, visitor_id == own, rows[0].undone_at, rows[0].by or "", _latest(rows))
        for visitor_id, rows in by_visitor.items()
    )


def _latest(rows: Sequence[Any]) -> tuple[Why, ...]:
    return tuple(_why(row) for row in {_key(row): row for row in reversed(rows)}.values())


def _shared(tx: Tx, tenant_id: int, holds: Iterable[Any]) -> set[Key]:
    return {key for key in {_key(row) for row in holds} if is_shared_key(ties.known_by(tx, tenant_id, key))}


# -- what a person says of it


def tell_apart(tx: Tx, tenant_id: int, enquiry_id: int, visitor_id: int, person_id: int, now: datetime) -> None:
    """Write that a browser is another person's than the enquiry's, whose it was taken for."""
    ties.undo(tx, tenant_id, _in_common(tx, tenant_id, enquiry_id, visitor_id, is_undone=False), person_id, now)


def take_back(tx: Tx, tenant_id: int, enquiry_id: int, visitor_id: int, now: datetime) -> None:
    """Forget that a browser was said to be another person's."""
    ties.take_back(tx, tenant_id, _in_common(tx, tenant_id, enquiry_id, visitor_id, is_undone=True), now)


def _in_common(tx: Tx, tenant_id: int, enquiry_id: int, visitor_id: int, *, is_undone: bool) -> set[Known]:
    """Return by what a visitor is known as the others of the enquiry's person are, or was until it was undone."""
    matched = tx.execute(_MATCHED, {"tenant": tenant_id, "enquiry": enquiry_id}).first()
    if matched is None:
        return set()
    his = tx.execute(_HIS, {"tenant": tenant_id, "visitor": matched.visitor_id}).scalars().all()
    told = _ties(tx, tenant_id, his)
    if is_undone:
        return {(visitor_id, _key(row)) for row in told if row.visitor_id == visitor_id and row.undone_at is not None}
    holds = [row for row in told if row.undone_at is None]
    others = {_key(row) for row in holds if row.visitor_id != visitor_id} - _shared(tx, tenant_id, holds)
    return {(visitor_id, _key(row)) for row in holds if row.visitor_id == visitor_id and _key(row) in others}
