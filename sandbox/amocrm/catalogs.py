"""GET, POST and PATCH of /catalogs and of an invoice catalog's elements (sheet sections 3.1, 4.7)."""

from sandbox.amocrm.errors import Flaws, Refusal, refuse, validation_answer
from sandbox.amocrm.fields import field_model
from sandbox.amocrm.hal import NO_CONTENT, Json, counted, hal, paged, self_link, wrapped
from sandbox.amocrm.invoices import ELEMENTS, Invoices, told_of_element
from sandbox.amocrm.store import Card
from sandbox.amocrm.turn import Sent, Turn, is_id, write_batch
from sandbox.amocrm.values import check_values, read_values, write_values
from sandbox.wire import Answer


def list_catalogs(turn: Turn) -> Answer:
    """GET /catalogs; 204 where the account keeps no invoices."""
    shown = [turn.account.invoices] if turn.account.dial["invoices"] else []
    return paged(turn, "catalogs", shown, lambda one: _catalog(turn, one))


def one_catalog(turn: Turn, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """GET /catalogs/{id}."""
    return hal(_catalog(turn, _found(turn, id)))


def list_catalog_fields(turn: Turn, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """GET /catalogs/{id}/custom_fields."""
    fields = _found(turn, id).fields.ordered()
    return counted(turn, "custom_fields", fields, lambda one: field_model(turn, one))


def list_elements(turn: Turn, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """GET /catalogs/{id}/elements, oldest first; `filter[id]` is free."""
    ids = set(turn.filter_list("id"))
    found = [one for one in _found(turn, id).elements.values() if not ids or str(one.id) in ids]
    return paged(turn, "elements", found, lambda one: _model(turn, one))


def one_element(turn: Turn, id: str, element: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """GET /catalogs/{id}/elements/{element}; an absent one is 204."""
    one = _found(turn, id).elements.get(int(element))
    return NO_CONTENT if one is None else hal(_model(turn, one))


def add_elements(turn: Turn, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """POST /catalogs/{id}/elements."""
    catalog = _found(turn, id)

    def apply(one: Sent) -> Json:
        element = Card(ELEMENTS, turn.account.ids.next("element"), turn.born)
        element.created_by, element.created_at = turn.user.id, turn.now
        catalog.elements[element.id] = element
        _write(turn, catalog, element, one)
        told_of_element(turn.account, "add", element)
        return _model(turn, element) | {"request_id": one["request_id"]}

    made = write_batch(turn, turn.sent_list(), lambda one, flaws: _check(turn, catalog, one, flaws, True), apply)
    return wrapped(turn, "elements", made)


def patch_elements(turn: Turn, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """PATCH /catalogs/{id}/elements with an array."""
    catalog = _found(turn, id)

    def check(one: Sent, flaws: Flaws) -> None:
        if not is_id(one.get("id")) or one["id"] not in catalog.elements:
            flaws.other(turn.account.dial["patch_missing_code"], "id", "Element not found")
        _check(turn, catalog, one, flaws, False)

    def apply(one: Sent) -> Json:
        return _changed(turn, catalog, catalog.elements[one["id"]], one) | {"request_id": one["request_id"]}

    return wrapped(turn, "elements", write_batch(turn, turn.sent_list(), check, apply))


def patch_element(turn: Turn, id: str, element: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """PATCH /catalogs/{id}/elements/{element}."""
    catalog, sent = _found(turn, id), turn.sent_object()
    one = catalog.elements.get(int(element))
    if one is None:
        raise refuse(404, "Element not found")
    flaws = Flaws()
    _check(turn, catalog, sent, flaws, False)
    if flaws.found:
        raise Refusal(validation_answer([("0", flaws.found)]))
    return hal(_changed(turn, catalog, one, sent))


def _found(turn: Turn, id_: str) -> Invoices:
    if not turn.account.dial["invoices"] or int(id_) != turn.account.invoices.id:
        raise refuse(404, "Catalog not found")
    return turn.account.invoices


def _check(turn: Turn, catalog: Invoices, one: Sent, flaws: Flaws, new: bool) -> None:
    if new and one.get("name") is None:
        flaws.missing(turn.account.dial["missing_key_code"], "name")
    elif one.get("name") is not None and not isinstance(one["name"], str):
        flaws.type("name", "string")
    if one.get("id") is not None and not is_id(one["id"]):
        flaws.type("id", "int")
    check_values(one.get("custom_fields_values"), catalog.fields, turn.account.dial, flaws)


def _write(turn: Turn, catalog: Invoices, element: Card, one: Sent) -> None:
    element.name = one.get("name") or element.name
    element.updated_by, element.updated_at = turn.user.id, turn.now
    write_values(element, one.get("custom_fields_values"), catalog.fields, turn.account.dial)
    turn.account.store.changes += 1


def _changed(turn: Turn, catalog: Invoices, element: Card, one: Sent) -> Json:
    _write(turn, catalog, element, one)
    told_of_element(turn.account, "update", element)
    return _model(turn, element)


def _catalog(turn: Turn, catalog: Invoices) -> Json:
    return {
        "id": catalog.id,
        "name": catalog.name,
        "created_by": 0,
        "updated_by": 0,
        "created_at": turn.account.created_at,
        "updated_at": turn.account.created_at,
        "sort": 10,
        "type": "invoices",
        "can_add_elements": True,
        "can_show_in_cards": False,
        "can_link_multiple": True,
        "can_be_deleted": False,
        "account_id": turn.account.id,
        "_links": self_link(f"{turn.api}/catalogs/{catalog.id}"),
    }


def _model(turn: Turn, element: Card) -> Json:
    catalog = turn.account.invoices
    model: Json = {
        "id": element.id,
        "name": element.name,
        "created_by": element.created_by,
        "updated_by": element.updated_by,
        "created_at": element.created_at,
        "updated_at": element.updated_at,
        "is_deleted": False,
        "custom_fields_values": read_values(catalog.fields, element.fields),
        "catalog_id": catalog.id,
        "account_id": turn.account.id,
    }
    if "invoice_link" in turn.wanted:
        model["invoice_link"] = f"{turn.ask.base}/invoice/{element.id}"
    return model | {"_links": self_link(f"{turn.api}/catalogs/{catalog.id}/elements/{element.id}")}
