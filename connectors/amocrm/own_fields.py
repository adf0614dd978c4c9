"""Our own fields of a deal and the tab they stand in: created once, adopted where they are, never forced on anybody."""

from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from connectors.amocrm.account import NO_MARKER, Fields
from connectors.amocrm.api import Api, Json, linked
from connectors.amocrm.mappings import GROUP_NAME, GROUP_SORT, OWN_FIELDS
from connectors.amocrm.trouble import Unpaid, trouble
from connectors.errors import ConnectorError, Refused
from connectors.http import Answer
from connectors.telling import Said

T = TypeVar("T")

MADE = "own_fields"  # a trait of an account: all of them were there once, so whoever misses one has removed it
_FIRST_SORT = 601  # behind the marker
_NO = (400, 403, 404, 405, 422)


@dataclass(frozen=True, slots=True)
class Own:
    """Whether our fields were all there once, and what a person should know of them."""

    is_made: bool
    said: tuple[Said, ...] = ()


async def ensure(api: Api, fields: Fields, *, was_made: bool) -> Own:
    """Create what is missing of our fields; what a person removed stays away, but for the marker.

    Raises ``InstallationError``, yet not for want of a right or of money: that is said instead.
    """
    try:
        await fields.ready()
        missing = [code for code in OWN_FIELDS if code not in fields.ids]
        creates = bool(missing) and not was_made
        group = await _asked(_group(api)) if creates or not fields.marker else None
        if not await fields.ensure_marker(group):
            return Own(is_made=was_made, said=(NO_MARKER,))
        if creates:
            await _asked(_create(api, fields, missing, group))
    except Unpaid:
        return Own(is_made=was_made, said=(Said("unpaid"),))
    left = [code for code in missing if code not in fields.ids]
    said = Said("fields_removed" if was_made else "fields_refused", {"fields": names_of(left, api.address)})
    return Own(is_made=was_made or not left, said=(said,) if left else ())


async def _asked(doing: Awaitable[T]) -> T:
    """Return what the account answers; raises ``InstallationError``."""
    try:
        return await doing
    except ConnectorError as error:
        raise trouble(error) from None


async def _create(api: Api, fields: Fields, codes: Sequence[str], group: str | None) -> None:
    wanted = [_field(code, index, group, api) for index, code in enumerate(codes)]
    answer = _readable(await api.create_deal_fields(wanted))
    if answer.status == 400:
        # One report says that a field with a code is refused: then it is addressed by id [3.10].
        bare = [{key: value for key, value in one.items() if key != "code"} for one in wanted]
        answer = _readable(await api.create_deal_fields(bare))
    if answer.ok:
        found = answer.read()
        fields.adopt(linked(found, "custom_fields") if isinstance(found, dict) else ())


async def _group(api: Api) -> str | None:
    """Return the id of our tab, created where it is missing; None where the account takes none."""
    try:
        known = _group_id(await api.deal_groups())
    except Refused as error:
        if error.readable and error.status in _NO:
            return None
        raise
    if known:
        return known
    answer = _readable(await api.create_deal_group({"name": GROUP_NAME, "sort": GROUP_SORT}))
    made = answer.read() if answer.ok else None
    return _group_id(linked(made, "custom_field_groups")) if isinstance(made, dict) else None


def _group_id(groups: Iterable[Json]) -> str | None:
    return next((str(one["id"]) for one in groups if one.get("name") == GROUP_NAME and one.get("id")), None)


def _readable(answer: Answer) -> Answer:
    """Return an answer that is a success, or a refusal that only says no; raises ``ConnectorError`` for another."""
    if not answer.ok and not (answer.status in _NO and answer.problem().readable):
        raise answer.refused()
    return answer


def _field(code: str, index: int, group: str | None, api: Api) -> Json:
    """Return a field as it is created; only programs write it, so that what stands there is what the hub knows."""
    place = {"group_id": group} if group else {}
    return {
        "type": OWN_FIELDS[code][-1],
        "name": name_of(code, api.address),
        "code": code,
        "sort": _FIRST_SORT + index,
        "is_api_only": True,
        **place,
    }


def names_of(codes: Iterable[str], address: str) -> str:
    """Return fields as a person knows them, at an account under this address."""
    return ", ".join(name_of(code, address) for code in codes)


def name_of(code: str, address: str) -> str:
    """Return the name of a field on a card: ours has one, English where the account is of Kommo; others, their code."""
    russian, english, _ = OWN_FIELDS.get(code, (code, code, ""))
    return english if address.endswith(".kommo.com") else russian
