"""POST /leads/complex: a lead with its contact and company at once, bare array out (sheet section 3.7)."""

from sandbox.amocrm.changes import card_updated, cards_linked, line, reindex, snapshot
from sandbox.amocrm.errors import Flaw, Flaws, Refusal, problem
from sandbox.amocrm.fieldset import FieldSet
from sandbox.amocrm.hal import Json, hal
from sandbox.amocrm.people import allow
from sandbox.amocrm.store import COMPANIES, CONTACTS, LEADS, Card
from sandbox.amocrm.turn import MOST_ITEMS, Sent, Turn, write_batch
from sandbox.amocrm.unsorted_cards import MANDATORY, put_into_unsorted
from sandbox.amocrm.writing import check_card, check_new, create_card, patch_card
from sandbox.wire import Answer

MOST_LEADS, MOST_VALUES = 50, 40
_WRITTEN_OVER = ("name", "price", "responsible_user_id", "custom_fields_values")


def add_complex(turn: Turn) -> Answer:
    """POST /leads/complex."""
    allow(turn, LEADS, "add")
    sent = turn.sent_list(MOST_ITEMS)
    if len(sent) > MOST_LEADS:
        raise Refusal(problem(turn.account.dial["complex_limit_status"], f"Limit {MOST_LEADS} per page"))
    stored = next(reversed(turn.account.store.shelves[LEADS].cards), 0)
    made = write_batch(turn, sent, lambda one, flaws: _check(turn, one, flaws), lambda one: _add(turn, one, stored))
    return hal(_grouped(turn, made))


def _check(turn: Turn, sent: Sent, flaws: Flaws) -> None:
    check_new(turn, LEADS, sent, flaws)
    _check_width(sent, "", flaws)
    embedded = sent.get("_embedded")
    if not isinstance(embedded, dict):
        return
    _check_metadata(turn, sent, embedded, flaws)
    for kind in (CONTACTS, COMPANIES):
        people = embedded.get(kind)
        if people is None:
            continue
        path = f"_embedded.{kind}"
        if not isinstance(people, list) or not all(isinstance(one, dict) for one in people):
            flaws.type(path, "array")
        elif len(people) > 1:
            flaws.other("TooMany", path, "This collection should contain 1 element or less.")
        elif people and "id" not in people[0]:
            inner = Flaws()
            check_card(turn, kind, people[0], inner)
            _check_width(people[0], "", inner)
            flaws.found += [Flaw(one.code, f"{path}.0.{one.path}", one.detail) for one in inner.found]


def _waits(metadata: Sent) -> bool:
    return metadata.get("category") in tuple(MANDATORY)


def _check_metadata(turn: Turn, sent: Sent, embedded: Sent, flaws: Flaws) -> None:
    metadata = embedded.get("metadata")
    if not isinstance(metadata, dict) or not _waits(metadata):
        return
    account = turn.account
    if not _takes_unsorted(turn, sent) and account.dial["unsorted_off_complex"] == "400":
        flaws.choice("_embedded.metadata.category")
    for key in MANDATORY[metadata["category"]] if account.dial["complex_metadata_whole"] else ():
        if metadata.get(key) is None:
            flaws.missing(account.dial["missing_key_code"], f"_embedded.metadata.{key}")


def _takes_unsorted(turn: Turn, sent: Sent) -> bool:
    pipeline = turn.account.pipelines.get(sent.get("pipeline_id") or 0) or turn.account.main_pipeline
    return bool(turn.account.dial["unsorted_on"]) and pipeline.is_unsorted_on


def _check_width(sent: Sent, path: str, flaws: Flaws) -> None:
    values = sent.get("custom_fields_values")
    if isinstance(values, list) and len(values) > MOST_VALUES:
        flaws.other("TooMany", f"{path}custom_fields_values", f"Limit {MOST_VALUES} custom fields")


def _add(turn: Turn, sent: Sent, stored: int) -> Json:
    embedded = sent.get("_embedded") or {}
    told = embedded.get("metadata")
    metadata: Sent = told if isinstance(told, dict) else {}
    waiting = _waits(metadata) and _takes_unsorted(turn, sent)
    people = {kind: next(iter(embedded.get(kind) or ()), None) for kind in (CONTACTS, COMPANIES)}
    double = None if waiting else _double(turn, people[CONTACTS], stored)
    if double is not None:
        return _merge(turn, sent, double, people[CONTACTS])
    lead = create_card(turn, LEADS, sent, waiting)
    contact, company = (_person(turn, kind, people[kind], waiting) for kind in (CONTACTS, COMPANIES))
    if contact:
        cards_linked(turn.account, lead, contact, True)
    if company:
        cards_linked(turn.account, lead, company, False)
    are_new = not any("id" in (one or {}) for one in people.values())
    if contact and company and (are_new or turn.account.dial["complex_links_known"]):
        cards_linked(turn.account, contact, company, False)
    if waiting:
        put_into_unsorted(turn, lead, contact, company, metadata, sent)
    return _result(lead, contact, company, sent, False)


def _person(turn: Turn, kind: str, sent: Sent | None, waiting: bool) -> Card | None:
    if sent is None:
        return None
    if "id" in sent:
        return turn.account.store.card(kind, sent["id"])
    return create_card(turn, kind, sent, waiting)


def _result(lead: Card, contact: Card | None, company: Card | None, sent: Sent, merged: bool) -> Json:
    return {
        "id": lead.id,
        "contact_id": contact.id if contact else None,
        "company_id": company.id if company else None,
        "request_id": [sent["request_id"]],
        "merged": merged,
    }


def _double(turn: Turn, contact: Sent | None, stored: int) -> Card | None:
    """Duplicate control: an open lead, stored before this request, whose main contact has the phone."""
    if not turn.account.dial["duplicate_control"]:
        return None
    store = turn.account.store
    for phone in _phones(contact, turn.account.fields[CONTACTS]):
        for person in store.shelves[CONTACTS].with_phone(phone):
            leads = [store.card(LEADS, id_) for id_, main in person.linked(LEADS).items() if main]
            known = [one for one in leads if one and one.is_open_lead and one.id <= stored]
            if known:
                return known[-1]
    return None


def _phones(contact: Sent | None, fields: FieldSet) -> list[str]:
    field = fields.by_code("PHONE")
    found = []
    for one in (contact or {}).get("custom_fields_values") or ():
        if field is not None and fields.find(one) is field:
            found += [str(raw.get("value", "")) for raw in one.get("values") or ()]
    return found


def _merge(turn: Turn, sent: Sent, lead: Card, contact: Sent | None) -> Json:
    """Attaches the item to the lead that is there: its values stay or are written over, new phones are appended."""
    account, before = turn.account, snapshot(lead)
    line(account, lead, "entity_merged", [], [])
    if account.dial["duplicate_policy"] == "update":
        patch_card(turn, lead, {key: sent[key] for key in _WRITTEN_OVER if key in sent})
    else:
        account.store.shelves[LEADS].moved(lead, turn.now)
        lead.updated_by = turn.user.id
        card_updated(account, lead, before)
    main = next((id_ for id_, is_main in lead.linked(CONTACTS).items() if is_main), None)
    person = account.store.card(CONTACTS, main)
    if person is not None:
        _append_phones(turn, person, contact)
    return _result(lead, person, None, sent, True)


def _append_phones(turn: Turn, person: Card, contact: Sent | None) -> None:
    fields = turn.account.fields[CONTACTS]
    field = fields.by_code("PHONE")
    if field is None:
        return
    known = person.fields.get(field.id, [])
    enum = (field.enums or [{}])[0]
    kind = {"enum_id": enum.get("id"), "enum_code": enum.get("code")}
    spelled = {raw["value"] for raw in known}
    fresh = [phone for phone in dict.fromkeys(_phones(contact, fields)) if phone not in spelled]
    person.fields[field.id] = known + [{"value": phone, **kind} for phone in fresh]
    reindex(turn.account, person)


def _grouped(turn: Turn, made: list[Json]) -> list[Json]:
    """Items merged into one lead list all of their request ids, when the switch says so."""
    if not turn.account.dial["merged_request_ids"]:
        return made
    together: dict[int, list[str]] = {}
    for one in made:
        if one["merged"]:
            together.setdefault(one["id"], []).extend(one["request_id"])
    return [one | {"request_id": together.get(one["id"], one["request_id"])} for one in made]
