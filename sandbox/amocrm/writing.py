"""What POST and PATCH of leads, contacts and companies have in common (sheet sections 3.6, 3.8)."""

from typing import TYPE_CHECKING, Any

from sandbox.amocrm.changes import card_added, card_updated, cards_linked, snapshot
from sandbox.amocrm.errors import Flaws
from sandbox.amocrm.store import COMPANIES, CONTACTS, LEADS, Card
from sandbox.amocrm.turn import Sent, Turn, is_id
from sandbox.amocrm.values import check_values, write_values

if TYPE_CHECKING:
    from sandbox.amocrm.account import Account

_TEXTS = ("name", "first_name", "last_name", "visitor_uid")
_NUMBERS = ("price", "status_id", "pipeline_id", "created_by", "updated_by", "responsible_user_id")
_TIMES = ("created_at", "updated_at", "closed_at", "loss_reason_id")
_LISTS = ("tags_to_add", "tags_to_delete")
_PEOPLE = ("created_by", "updated_by", "responsible_user_id")
LINKABLE = {LEADS: (CONTACTS, COMPANIES), CONTACTS: (COMPANIES,), COMPANIES: (CONTACTS, LEADS)}


def check_card(turn: Turn, kind: str, sent: Sent, flaws: Flaws) -> None:
    """Notes every flaw of one card as it was sent."""
    _check_types(turn, sent, flaws)
    if kind == LEADS:
        _check_place(turn, sent, flaws)
    for key in _PEOPLE:
        if is_id(sent.get(key)) and sent[key] and not turn.account.takes_user(sent[key]):
            flaws.choice(key)
    reason = sent.get("loss_reason_id")
    if is_id(reason) and reason not in turn.account.loss_reasons:
        flaws.choice("loss_reason_id")
    check_values(sent.get("custom_fields_values"), turn.account.fields[kind], turn.account.dial, flaws)
    _check_embedded(turn, kind, sent, flaws)


def _check_types(turn: Turn, sent: Sent, flaws: Flaws) -> None:
    for key in _TEXTS:
        if sent.get(key) is not None and not isinstance(sent[key], str):
            flaws.type(key, "string")
    limit = turn.account.dial["name_limit"]
    if limit and isinstance(sent.get("name"), str) and len(sent["name"]) > limit:
        flaws.other("TooLong", "name", f"This value is too long. {limit} at most.")
    for key in (*_NUMBERS, *_TIMES):
        if sent.get(key) is not None and not is_id(sent[key]):
            flaws.type(key, "int")
    for key in _LISTS:
        if sent.get(key) is not None and not _is_tag_list(sent[key]):
            flaws.type(key, "array")
    if sent.get("_embedded") is not None and not isinstance(sent["_embedded"], dict):
        flaws.type("_embedded", "array")


def _check_place(turn: Turn, sent: Sent, flaws: Flaws) -> None:
    pipeline_id, status_id = sent.get("pipeline_id"), sent.get("status_id")
    if is_id(pipeline_id) and pipeline_id not in turn.account.pipelines:
        flaws.choice("pipeline_id")
    elif is_id(status_id):
        pipeline = turn.account.pipelines.get(pipeline_id) if is_id(pipeline_id) else None
        if (pipeline or turn.account.pipeline_of_status(status_id)) is None or (
            pipeline and pipeline.stage(status_id) is None
        ):
            flaws.choice("status_id")


def check_new(turn: Turn, kind: str, sent: Sent, flaws: Flaws) -> None:
    """Notes every flaw of a new card: of a deal also the fields that its stage requires, where they are enforced."""
    check_card(turn, kind, sent, flaws)
    if kind == LEADS and turn.account.dial["required_fields_enforced"]:
        _check_required(turn, sent, flaws)


def _check_required(turn: Turn, sent: Sent, flaws: Flaws) -> None:
    account = turn.account
    pipeline = account.pipelines.get(sent.get("pipeline_id") or 0) or account.main_pipeline
    stage = sent.get("status_id") or pipeline.first.id
    values = sent.get("custom_fields_values")
    given = [account.fields[LEADS].find(one) for one in _dicts(values) if one.get("values")]
    for one in account.fields[LEADS].ordered():
        if (pipeline.id, stage) in one.required and one not in given:
            flaws.missing(account.dial["missing_key_code"], f"custom_fields_values.{one.id}")


def _check_embedded(turn: Turn, kind: str, sent: Sent, flaws: Flaws) -> None:
    embedded = sent.get("_embedded")
    if not isinstance(embedded, dict):
        return
    tags = embedded.get("tags")
    if tags is not None and not _is_tag_list(tags):
        flaws.type("_embedded.tags", "array")
    if tags is not None and sent.get("tags_to_add") and turn.account.dial["tags_mix"] == "reject":
        flaws.other("InvalidValue", "tags_to_add", "Use either _embedded.tags or tags_to_add.")
    for other in LINKABLE[kind]:
        for index, one in enumerate(_dicts(embedded.get(other))):
            if "id" in one and turn.account.store.card(other, one["id"]) is None:
                flaws.choice(f"_embedded.{other}.{index}.id")


def _is_tag_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def create_card(turn: Turn, kind: str, sent: Sent, in_unsorted: bool = False) -> Card:
    """Stores one checked card with its links."""
    account = turn.account
    responsible = sent.get("responsible_user_id") or turn.user.id
    made_by: int = sent["created_by"] if sent.get("created_by") is not None else turn.user.id
    card = Card(
        kind,
        account.ids.next(kind),
        turn.born,
        responsible_user_id=responsible,
        group_id=account.users[responsible].group_id,
        created_by=made_by,
        updated_by=sent["updated_by"] if sent.get("updated_by") is not None else made_by,
        created_at=sent.get("created_at") or turn.now,
        updated_at=sent.get("updated_at") or sent.get("created_at") or turn.now,
        in_unsorted=in_unsorted,
    )
    _write_names(card, sent)
    if kind == LEADS:
        _place_new(turn, card, sent, in_unsorted)
    write_values(card, sent.get("custom_fields_values"), account.fields[kind], account.dial)
    _write_tags(account, card, sent)
    card_added(account, card)
    _link_sent(turn, card, sent)
    return card


def _write_names(card: Card, sent: Sent) -> None:
    if card.kind == CONTACTS:
        first, last = sent.get("first_name"), sent.get("last_name")
        card.first_name = first if first is not None else card.first_name
        card.last_name = last if last is not None else card.last_name
        if sent.get("name") is not None:
            card.name = sent["name"]
            if first is None and last is None:
                card.first_name, card.last_name = sent["name"], ""
        elif first is not None or last is not None:
            card.name = f"{card.first_name} {card.last_name}".strip()
    elif sent.get("name") is not None:
        card.name = sent["name"]


def _place_new(turn: Turn, card: Card, sent: Sent, in_unsorted: bool) -> None:
    account = turn.account
    source = _sent_source(account, sent)
    pipeline = account.pipelines.get(sent.get("pipeline_id") or 0)
    if pipeline is None and sent.get("status_id"):
        pipeline = account.pipeline_of_status(sent["status_id"])
    if pipeline is None and source is not None:
        pipeline = account.pipelines.get(source[1])
    pipeline = pipeline or account.main_pipeline
    card.pipeline_id = pipeline.id
    card.status_id = sent.get("status_id") or pipeline.first.id
    if in_unsorted:
        card.status_id = pipeline.unsorted.id
    card.source_id = source[0] if source else None
    _write_lead(turn, card, sent)


def _sent_source(account: "Account", sent: Sent) -> tuple[int, int] | None:
    told = (sent.get("_embedded") or {}).get("source")
    external = told.get("external_id") if isinstance(told, dict) else None
    found = (one for one in account.sources.values() if one.external_id == external and not one.is_deleted)
    source = next(found, None)
    return (source.id, source.pipeline_id) if source else None


def _write_lead(turn: Turn, card: Card, sent: Sent, was_closed: bool = False) -> None:
    card.price = sent["price"] if sent.get("price") is not None else card.price
    card.loss_reason_id = sent.get("loss_reason_id", card.loss_reason_id)
    card.visitor_uid = sent.get("visitor_uid") or card.visitor_uid
    closed = card.status_id in (142, 143)
    if closed and not was_closed:
        card.closed_at = sent.get("closed_at") or turn.now
    elif closed and sent.get("closed_at"):
        card.closed_at = sent["closed_at"]
    elif not closed and turn.account.dial["reopening_clears_closed_at"]:
        card.closed_at = None


def patch_card(turn: Turn, card: Card, sent: Sent) -> Card:
    """Changes only the sent fields of a card."""
    account, before = turn.account, snapshot(card)
    _write_names(card, sent)
    if card.kind == LEADS:
        card.pipeline_id = sent.get("pipeline_id") or card.pipeline_id
        card.status_id = sent.get("status_id") or _kept_status(account, card)
        _write_lead(turn, card, sent, before.status_id in (142, 143))
    if sent.get("responsible_user_id"):
        card.responsible_user_id = sent["responsible_user_id"]
        card.group_id = account.users[card.responsible_user_id].group_id
    write_values(card, sent.get("custom_fields_values"), account.fields[card.kind], account.dial)
    _write_tags(account, card, sent)
    card.updated_by = sent["updated_by"] if sent.get("updated_by") is not None else turn.user.id
    shelf = account.store.shelves[card.kind]
    shelf.moved(card, sent.get("updated_at") or turn.now, sent.get("created_at"))
    card_updated(account, card, before)
    _link_sent(turn, card, sent)
    return card


def _kept_status(account: "Account", card: Card) -> int:
    pipeline = account.pipelines[card.pipeline_id]
    return card.status_id if pipeline.stage(card.status_id) else pipeline.first.id


def _write_tags(account: "Account", card: Card, sent: Sent) -> None:
    embedded = sent.get("_embedded") or {}
    if "tags" in embedded:
        card.tags = [_tag(account, card.kind, one) for one in embedded["tags"] or ()]
    for one in sent.get("tags_to_add") or ():
        tag = _tag(account, card.kind, one)
        if tag not in card.tags:
            card.tags.append(tag)
    gone = {_tag(account, card.kind, one) for one in sent.get("tags_to_delete") or ()}
    card.tags = [tag for tag in card.tags if tag not in gone]


def _tag(account: "Account", kind: str, one: dict[str, Any]) -> int:
    id_ = one.get("id")
    return id_ if isinstance(id_, int) and id_ in account.tags[kind] else account.tag_id(kind, str(one.get("name", "")))


def _link_sent(turn: Turn, card: Card, sent: Sent) -> None:
    embedded = sent.get("_embedded") or {}
    for kind in LINKABLE[card.kind]:
        for one in _dicts(embedded.get(kind)):
            other = turn.account.store.card(kind, one.get("id"))
            if other is not None:
                cards_linked(turn.account, card, other, bool(one.get("is_main")))
