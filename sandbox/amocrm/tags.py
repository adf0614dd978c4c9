"""Tags: a known name gives its old id (sheet section 3.11)."""

from sandbox.amocrm.errors import Flaws
from sandbox.amocrm.hal import Json, paged, wrapped
from sandbox.amocrm.turn import Sent, Turn, write_batch
from sandbox.wire import Answer


def list_tags(turn: Turn, kind: str) -> Answer:
    """GET /{kind}/tags."""
    names, ids = set(turn.filter_list("name")), set(turn.filter_list("id"))
    query = str(turn.params.get("query") or "").lower()
    found = [
        {"id": id_, "name": name, "color": None}
        for id_, name in turn.account.tags[kind].items()
        if (not names or name in names) and (not ids or str(id_) in ids) and query in name.lower()
    ]
    return paged(turn, "tags", found, lambda tag: tag)


def add_tags(turn: Turn, kind: str) -> Answer:
    """POST /{kind}/tags."""

    def check(one: Sent, flaws: Flaws) -> None:
        if not isinstance(one.get("name"), str) or not one["name"]:
            flaws.missing(turn.account.dial["missing_key_code"], "name")

    def apply(one: Sent) -> Json:
        turn.account.store.changes += 1
        id_ = turn.account.tag_id(kind, one["name"])
        return {"id": id_, "name": one["name"], "color": None, "request_id": one["request_id"]}

    return wrapped(turn, "tags", write_batch(turn, turn.sent_list(), check, apply), total=True)
