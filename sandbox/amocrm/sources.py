"""Sources of leads; `external_id` is the natural key (sheet section 3.15)."""

from sandbox.amocrm.errors import PROBLEM, TITLES, Flaws, Refusal, refuse, validation_answer
from sandbox.amocrm.hal import NO_CONTENT, Json, hal, self_link, wrapped
from sandbox.amocrm.model import LeadSource
from sandbox.amocrm.people import need_admin
from sandbox.amocrm.turn import Sent, Turn, is_id, write_batch
from sandbox.wire import Answer, json_answer

MOST_ACTIVE, MOST_POSTED, LONGEST_ID = 100, 50, 36


def list_sources(turn: Turn) -> Answer:
    """GET /sources; 204 when there is none."""
    need_admin(turn)
    wanted = set(turn.filter_list("external_id"))
    found = [one for one in _active(turn) if not wanted or one.external_id in wanted]
    return wrapped(turn, "sources", [_model(turn, one) for one in found], total=True) if found else NO_CONTENT


def one_source(turn: Turn, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """GET /sources/{id}."""
    need_admin(turn)
    return hal(_model(turn, _found(turn, id)))


def add_sources(turn: Turn) -> Answer:
    """POST /sources."""
    need_admin(turn)
    sent = turn.sent_list(MOST_POSTED)
    taken = {one.external_id for one in _active(turn)}

    def check(one: Sent, flaws: Flaws) -> None:
        _check(turn, one, taken, flaws)

    def apply(one: Sent) -> Json:
        return _model(turn, _create(turn, one)) | {"request_id": one["request_id"]}

    if len(taken) + len(sent) > MOST_ACTIVE:
        raise refuse(422, f"Limit {MOST_ACTIVE} sources")
    return wrapped(turn, "sources", write_batch(turn, sent, check, apply), total=True)


def _check(turn: Turn, one: Sent, taken: set[str], flaws: Flaws) -> None:
    missing = turn.account.dial["missing_key_code"]
    for key in ("name", "external_id"):
        if one.get(key) is None:
            flaws.missing(missing, key)
        elif not isinstance(one[key], str):
            flaws.type(key, "string")
    external = one.get("external_id")
    if isinstance(external, str):
        if not 0 < len(external) <= LONGEST_ID or not (external.isascii() and external.isprintable()):
            flaws.other("InvalidValue", "external_id", f"Up to {LONGEST_ID} printable ASCII characters.")
        elif external in taken:
            flaws.other("NotUnique", "external_id", "This external_id is already used.")
        taken.add(external)
    if one.get("pipeline_id") is not None and (
        not is_id(one["pipeline_id"]) or one["pipeline_id"] not in turn.account.pipelines
    ):
        flaws.choice("pipeline_id")


def _create(turn: Turn, one: Sent) -> LeadSource:
    account = turn.account
    old = next((known for known in account.sources.values() if known.external_id == one["external_id"]), None)
    kept = old is not None and account.dial["source_id_returns"]
    id_ = old.id if old is not None and kept else account.ids.next("source")
    pipeline_id = one.get("pipeline_id") or account.main_pipeline.id
    source = LeadSource(id_, one["name"], one["external_id"], pipeline_id, bool(one.get("default")))
    account.sources[id_] = source
    account.store.changes += 1
    return source


def patch_sources(turn: Turn) -> Answer:
    """PATCH /sources with an array."""
    need_admin(turn)

    def check(one: Sent, flaws: Flaws) -> None:
        if not any(known.id == one.get("id") for known in _active(turn)):
            flaws.other("EntityNotFound", "id", f"source with id = {one.get('id')} not found")
        _check_change(turn, one, flaws)

    def apply(one: Sent) -> Json:
        return _model(turn, _change(turn, turn.account.sources[one["id"]], one))

    return wrapped(turn, "sources", write_batch(turn, turn.sent_list(), check, apply), total=True)


def patch_source(turn: Turn, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """PATCH /sources/{id}."""
    need_admin(turn)
    source, sent, flaws = _found(turn, id), turn.sent_object(), Flaws()
    _check_change(turn, sent, flaws)
    if flaws.found:
        raise Refusal(validation_answer([("0", flaws.found)]))
    return hal(_model(turn, _change(turn, source, sent)))


def _check_change(turn: Turn, one: Sent, flaws: Flaws) -> None:
    if one.get("name") is not None and not isinstance(one["name"], str):
        flaws.type("name", "string")
    pipeline_id = one.get("pipeline_id")
    if pipeline_id is not None and not (is_id(pipeline_id) and pipeline_id in turn.account.pipelines):
        flaws.choice("pipeline_id")


def _change(turn: Turn, source: LeadSource, one: Sent) -> LeadSource:
    """Changes what may be changed; `external_id` is immutable."""
    for key in ("name", "pipeline_id", "default"):
        if key in one:
            setattr(source, key, one[key])
    turn.account.store.changes += 1
    return source


def delete_sources(turn: Turn) -> Answer:
    """DELETE /sources with a body: unknown ids answer with `errors`, whose inner `errors` is an object."""
    need_admin(turn)
    sent = turn.sent_list()
    active = {one.id: one for one in _active(turn)}
    unknown = [
        {
            "request_id": one["request_id"],
            "errors": {
                "code": "EntityNotFound",
                "path": "id",
                "detail": f"source with id = {one.get('id')} not found",
            },
        }
        for one in sent
        if not is_id(one.get("id")) or one["id"] not in active
    ]
    for one in sent:
        if is_id(one.get("id")) and one["id"] in active:
            active[one["id"]].is_deleted = True
            turn.account.store.changes += 1
    if unknown:
        body = {"errors": unknown, "title": TITLES[400], "type": "https://httpstatus.es/400"}
        raise Refusal(json_answer(400, body | {"status": 400, "detail": "Invalid request items"}, PROBLEM))
    return NO_CONTENT


def delete_source(turn: Turn, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """DELETE /sources/{id}."""
    need_admin(turn)
    _found(turn, id).is_deleted = True
    turn.account.store.changes += 1
    return NO_CONTENT


def _active(turn: Turn) -> list[LeadSource]:
    return [one for one in turn.account.sources.values() if not one.is_deleted]


def _found(turn: Turn, id_: str) -> LeadSource:
    found = turn.account.sources.get(int(id_))
    if found is None or found.is_deleted:
        raise refuse(404, "Source not found")
    return found


def _model(turn: Turn, source: LeadSource) -> Json:
    return {
        "id": source.id,
        "name": source.name,
        "pipeline_id": source.pipeline_id,
        "external_id": source.external_id,
        "default": source.default,
        "origin_code": None,
        "services": source.services,
        "_links": self_link(f"{turn.api}/sources/{source.id}"),
    }
