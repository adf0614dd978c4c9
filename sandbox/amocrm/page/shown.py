"""What the pages show: columns of deals, a card with its feed, one line of history."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.amocrm.account import Account
from sandbox.amocrm.fieldset import Field
from sandbox.amocrm.history import HistoryLine
from sandbox.amocrm.model import Incoming, Pipeline, Stage
from sandbox.amocrm.page.words import Words
from sandbox.amocrm.store import CARD_KINDS, CLOSED, LEADS, SINGULAR, Card, Note, Task, only_digits

MOSCOW = ZoneInfo("Europe/Moscow")  # the time zone GET /account tells
MOST_IN_COLUMN, MOST_LISTED, MOST_LINES = 50, 100, 100
LEAST_DIGITS = 4


def moment(seconds: float | None) -> str:
    """Returns a moment as the account's people read it."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(MOSCOW).strftime("%d.%m.%Y %H:%M") if seconds else ""


def money(sum_: int) -> str:
    """Returns whole roubles with thin groups."""
    return f"{sum_:,}\u00a0₽".replace(",", "\u202f")


@dataclass(frozen=True, slots=True)
class Column:
    """One stage with its deals, newest change first; `count` and `total` are of all of them."""

    stage: Stage
    cards: list[Card]
    count: int
    total: int


def board(account: Account, pipeline: Pipeline, query: str) -> list[Column]:
    """Returns the columns of a pipeline; unsorted deals stand in the first."""
    by_stage: dict[int, list[Card]] = {}
    for id_ in account.store.shelves[LEADS].by_updated.walk(True):
        card = account.store.shelves[LEADS].cards[id_]
        if card.pipeline_id == pipeline.id and not card.is_deleted and fits(account, card, query):
            by_stage.setdefault(card.status_id, []).append(card)
    return [
        Column(stage, held[:MOST_IN_COLUMN], len(held), sum(card.price for card in held))
        for stage in pipeline.stages
        for held in [by_stage.get(stage.id, [])]
    ]


def listed(account: Account, kind: str, query: str, deleted: bool = False) -> list[Card]:
    """Returns the newest cards of a kind that fit the query."""
    shelf = account.store.shelves[kind]
    cards = (shelf.cards[id_] for id_ in shelf.by_updated.walk(True))
    found = (card for card in cards if card.is_deleted is deleted and fits(account, card, query))
    return [card for card, _ in zip(found, range(MOST_LISTED), strict=False)]


def fits(account: Account, card: Card, query: str) -> bool:
    """Whether a card, or a contact of the deal, has the words or the digits that are looked for."""
    wanted = query.strip().lower()
    if not wanted or wanted == str(card.id):
        return True
    digits = only_digits(wanted)
    near = [card]
    if card.kind == LEADS:
        near += [one for id_ in card.linked("contacts") if (one := account.store.card("contacts", id_))]
    for one in near:
        shelf = account.store.shelves[one.kind]
        if wanted in shelf.texts.get(one.id, "") or (len(digits) >= LEAST_DIGITS and digits in shelf.digits[one.id]):
            return True
    return False


def waiting(account: Account) -> Mapping[int, Incoming]:
    """Returns what waits in unsorted, by lead."""
    return {one.lead_id: one for one in account.incoming.values() if one.state == "pending"}


@dataclass(frozen=True, slots=True)
class Group:
    """One tab of a card: fields with their values, and the names of those that have none."""

    name: str
    filled: list[tuple[Field, list[str]]] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)


def groups(account: Account, card: Card) -> list[Group]:
    """Returns a card's fields by group, as its tabs show them."""
    fields = account.fields[card.kind]
    shown = {one["id"]: Group(one["name"]) for one in sorted(fields.groups, key=lambda one: int(one["sort"]))}
    for one in fields.ordered():
        group = shown.get(one.group_id or "default") or shown["default"]
        values = [spelled(one, raw) for raw in card.fields.get(one.id, ())]
        if values:
            group.filled.append((one, values))
        else:
            group.empty.append(one.name)
    return [group for group in shown.values() if group.filled or group.empty]


def spelled(one: Field, raw: Mapping[str, Any]) -> str:
    """Returns one value of a field as text."""
    if one.type in ("date", "date_time", "birthday"):
        return moment(raw["value"])
    if one.type == "checkbox":
        return "✓" if raw["value"] else "✗"
    return str(raw.get("value"))


def near(account: Account, card: Card) -> list[tuple[str, Card, bool]]:
    """Returns the live cards linked to a card, with their kind and whether each is the main one."""
    return [
        (kind, other, is_main)
        for kind in CARD_KINDS
        for id_, is_main in card.linked(kind).items()
        if (other := account.store.card(kind, id_))
    ]


def notes_of(account: Account, card: Card) -> list[Note]:
    """Returns the notes of a card, newest first."""
    store = account.store
    held = [store.notes[card.kind][id_] for id_ in store.notes_of.get((card.kind, card.id), ())]
    return sorted(held, key=lambda note: (note.created_at, note.id), reverse=True)


def tasks_of(account: Account, card: Card) -> list[Task]:
    """Returns the tasks of a card: open ones by deadline, then those done."""
    held = [account.store.tasks[id_] for id_ in account.store.tasks_of.get((card.kind, card.id), ())]
    return sorted(held, key=lambda task: (task.is_completed, task.complete_till))


def recording(note: Note) -> str:
    """Returns the address of a call's recording; anything but http is not an address to follow."""
    link = str(note.params.get("link") or "")
    return link if link.startswith(("http://", "https://")) else ""


def who(account: Account, user_id: int, words: Words) -> str:
    """Returns the name of a user; 0 is a program."""
    user = account.users.get(user_id)
    return user.name if user else words("robot")


@dataclass(frozen=True, slots=True)
class Told:
    """One line of history in words; either side may be empty."""

    at: str
    by: str
    what: str
    before: str
    after: str


def history(account: Account, card: Card, words: Words) -> list[Told]:
    """Returns what happened to a card, newest first."""
    mine = (SINGULAR[card.kind], card.id)
    lines = (one for one in account.history.walk(True, None, None) if (one.entity_type, one.entity_id) == mine)
    return [_told(account, one, words) for one, _ in zip(lines, range(MOST_LINES), strict=False)]


def _told(account: Account, one: HistoryLine, words: Words) -> Told:
    sides = [", ".join(_side(account, value) for value in side) for side in (one.before, one.after)]
    return Told(moment(one.created_at), who(account, one.created_by, words), _what(account, one, words), *sides)


def _what(account: Account, one: HistoryLine, words: Words) -> str:
    number = only_digits(one.type)
    if one.type.startswith("custom_field_") and number:
        kind = next(kind for kind in CARD_KINDS if SINGULAR[kind] == one.entity_type)
        field_ = account.fields[kind].by_id.get(int(number))
        return field_.name if field_ else number
    return words(one.type)


def _side(account: Account, value: Mapping[str, Any]) -> str:
    told: Iterable[tuple[str, Any]] = value.items()
    for key, inner in told:
        if key == "lead_status":
            pipeline = account.pipelines.get(inner["pipeline_id"])
            stage = pipeline.stage(inner["id"]) if pipeline else None
            return stage.name if stage else str(inner["id"])
        if key == "sale_field_value":
            return money(inner["sale"])
        if key == "responsible_user":
            user = account.users.get(inner["id"])
            return user.name if user else str(inner["id"])
        if key == "link":
            return f"№ {inner['entity']['id']}"
        if key == "note":
            return ""
        return str(inner.get("text") or inner.get("name") or "")
    return ""


def last_working(pipeline: Pipeline) -> Stage:
    """Returns the stage a reopened deal goes back to."""
    return [stage for stage in pipeline.stages if stage.type == 0 and stage.id not in CLOSED][-1]
