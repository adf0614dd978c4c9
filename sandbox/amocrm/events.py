"""GET /events: the history with its free filters (sheet section 3.17)."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from sandbox.amocrm.errors import Flaw, Refusal, validation_answer
from sandbox.amocrm.hal import NO_CONTENT, Json, hal, paged, self_link, wrapped
from sandbox.amocrm.history import HistoryLine
from sandbox.amocrm.store import CARD_KINDS, SINGULAR
from sandbox.amocrm.turn import Turn
from sandbox.brackets import Tree, below, listed
from sandbox.wire import Answer

MOST_PER_PAGE, MOST_IDS = 100, 10
PLURAL = {SINGULAR[kind]: kind for kind in CARD_KINDS}
TYPES = (
    *(
        "lead_added",
        "contact_added",
        "company_added",
        "lead_deleted",
    ),
    *(
        "contact_deleted",
        "company_deleted",
        "lead_restored",
        "contact_restored",
    ),
    *(
        "company_restored",
        "lead_status_changed",
        "sale_field_changed",
        "name_field_changed",
    ),
    *(
        "entity_responsible_changed",
        "entity_merged",
        "entity_linked",
        "entity_unlinked",
    ),
    *(
        "incoming_call",
        "outgoing_call",
    ),
)
_VALUES = {"leads_statuses": "lead_status", "responsible_user_id": "responsible_user"}
Wanted = Callable[[HistoryLine], bool]


def list_events(turn: Turn) -> Answer:
    """GET /events, newest first; both list styles of the filters are understood."""
    tests = list(_tests(turn))
    start, end = _span(turn)
    days = turn.account.dial["events_days"]
    if days:
        start = max(start or 0, turn.now - days * 86_400)
    lines = turn.account.history.walk(turn.account.dial["events_order"] == "desc", start, end)
    found = (line for line in lines if all(test(line) for test in tests))
    return paged(turn, "events", found, lambda line: _model(turn, line), MOST_PER_PAGE)


def _span(turn: Turn) -> tuple[float | None, float | None]:
    told = turn.filter().get("created_at")
    if isinstance(told, str):
        return (float(told), float(told)) if told.isdecimal() else (None, None)
    bounds = turn.filter("created_at")
    low, high = (
        float(said) if isinstance(said := bounds.get(key), str) and said.isdecimal() else None for key in ("from", "to")
    )
    return low, high


def _tests(turn: Turn) -> Iterator[Wanted]:
    filters = {name: set(turn.filter_list(name)) for name in ("id", "type", "entity", "entity_id", "created_by")}
    _check_filters(filters)
    if filters["id"]:
        yield lambda line: line.id in filters["id"]
    if filters["type"]:
        yield lambda line: line.type in filters["type"]
    if filters["entity"]:
        yield lambda line: line.entity_type in filters["entity"]
    if filters["entity_id"]:
        yield lambda line: str(line.entity_id) in filters["entity_id"]
    if filters["created_by"]:
        yield lambda line: str(line.created_by) in filters["created_by"]
    for side in ("value_before", "value_after"):
        told = turn.filter(side)
        if told:
            yield _value_test(side, told)


def _check_filters(filters: dict[str, set[str]]) -> None:
    flaws = [
        Flaw("TooMany", f"filter.{name}", f"{MOST_IDS} values at most.")
        for name in ("created_by", "entity_id")
        if len(filters[name]) > MOST_IDS
    ]
    if filters["entity_id"] and len(filters["entity"]) != 1:
        flaws.append(Flaw("InvalidValue", "filter.entity", "entity_id needs exactly one entity."))
    if flaws:
        raise Refusal(validation_answer([("0", flaws)]))


def _value_test(side: str, told: Tree) -> Wanted:
    wanted_stages = [
        {key: one[key] for key in ("pipeline_id", "status_id") if isinstance(one.get(key), str)}
        for one in below(told, "leads_statuses").values()
        if isinstance(one, dict)
    ]
    users = set(listed(told.get("responsible_user_id")))
    fields = set(listed(told.get("custom_field_values")))
    texts = set(listed(told.get("value")))

    def test(line: HistoryLine) -> bool:
        values = line.before if side == "value_before" else line.after
        return any(
            (not wanted_stages or _is_stage(value.get("lead_status"), wanted_stages))
            and (not users or str(value.get("responsible_user", {}).get("id")) in users)
            and (not fields or str(value.get("custom_field_value", {}).get("field_id")) in fields)
            and (not texts or any(str(one) in texts for inner in value.values() for one in inner.values()))
            for value in values
        )

    return test


def _is_stage(value: dict[str, int] | None, wanted: Sequence[Mapping[str, object]]) -> bool:
    if value is None:
        return False
    shown = {"pipeline_id": str(value["pipeline_id"]), "status_id": str(value["id"])}
    return any(all(shown[key] == said for key, said in one.items()) for one in wanted)


def one_event(turn: Turn, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """GET /events/{id}."""
    line = turn.account.history.by_id.get(id)
    return NO_CONTENT if line is None else hal(_model(turn, line))


def list_types(turn: Turn) -> Answer:
    """GET /events/types."""
    fields = [f"custom_field_{id_}_value_changed" for id_ in turn.account.fields["leads"].by_id]
    shown = [
        {"key": key, "type": number, "lang": key.replace("_", " ").capitalize()}
        for number, key in enumerate([*TYPES, *fields], start=1)
    ]
    return wrapped(turn, "events_types", shown, total=True)


def _model(turn: Turn, line: HistoryLine) -> Json:
    plural = PLURAL[line.entity_type]
    links = self_link(f"{turn.api}/{plural}/{line.entity_id}")
    return {
        "id": line.id,
        "type": line.type,
        "entity_id": line.entity_id,
        "entity_type": line.entity_type,
        "created_by": line.created_by,
        "created_at": line.created_at,
        "value_after": line.after,
        "value_before": line.before,
        "account_id": turn.account.id,
        "_links": self_link(f"{turn.api}/events/{line.id}"),
        "_embedded": {"entity": {"id": line.entity_id, "_links": links}},
    }
