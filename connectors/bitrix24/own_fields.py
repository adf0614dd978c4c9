"""Our own fields of deals and leads: made once, never forced on anybody (sheet 4.8)."""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.bitrix24.api import Api, Fault, replies
from connectors.bitrix24.encoding import command
from connectors.bitrix24.mappings import DEAL, LEAD, OWN_FIELDS, USER_FIELD
from connectors.bitrix24.trouble import of_account, trouble
from connectors.errors import ConnectorError
from connectors.telling import Said

MADE = "own_fields"  # a trait of an account: all of them were there once, so whoever misses one has removed it
_METHODS = {DEAL: "crm.deal.userfield.add", LEAD: "crm.lead.userfield.add"}


@dataclass(frozen=True, slots=True)
class Own:
    """Whether our fields were all there once, and what a person should know of them."""

    is_made: bool
    said: tuple[Said, ...] = ()


async def ensure(api: Api, fields: Mapping[int, dict[str, str]], *, has_leads: bool, was_made: bool) -> Own:
    """Make what is missing of our fields; what a person removed stays away. ``fields`` learn what was made.

    Raises ``InstallationError``, yet not for want of a right: that is said instead.
    """
    missing = {
        f"{entity}x{index}": (entity, code)
        for entity in ((DEAL, LEAD) if has_leads else (DEAL,))
        for index, code in enumerate(OWN_FIELDS)
        if f"{USER_FIELD}{code}" not in fields[entity]
    }
    if missing and not was_made:
        await _make(api, fields, missing)
    left = sorted({code for entity, code in missing.values() if f"{USER_FIELD}{code}" not in fields[entity]})
    said = Said("fields_removed" if was_made else "fields_refused", {"fields": ", ".join(map(label, left))})
    return Own(is_made=was_made or not left, said=(said,) if left else ())


async def _make(api: Api, fields: Mapping[int, dict[str, str]], missing: Mapping[str, tuple[int, str]]) -> None:
    commands = {
        f"own{key}": command(_METHODS[entity], {"fields": _field(code)}) for key, (entity, code) in missing.items()
    }
    try:
        told = replies(await api.change(commands))
    except ConnectorError as error:
        raise trouble(error) from None
    for key, (entity, code) in missing.items():
        fault = told.faults.get(f"own{key}")
        if fault and (stopped := of_account(fault, told)) and stopped.hold:
            raise stopped
        if f"own{key}" in told.results or (fault and _is_there(fault)):
            fields[entity][f"{USER_FIELD}{code}"] = f"{USER_FIELD}{code}"


def _is_there(fault: Fault) -> bool:
    """Say whether a field was refused because it is there; the words are not documented [4.8]."""
    return "already" in fault.text.lower() or "exist" in fault.text.lower() or "существует" in fault.text.lower()


def _field(code: str) -> dict[str, object]:
    russian, english, kind = OWN_FIELDS[code]
    labels = {"ru": russian, "en": english}
    return {
        "FIELD_NAME": code,
        "USER_TYPE_ID": kind,
        "XML_ID": code,
        "EDIT_FORM_LABEL": labels,
        "LIST_COLUMN_LABEL": labels,
        "LIST_FILTER_LABEL": labels,
        "SHOW_FILTER": "Y",
        "MULTIPLE": "N",
        "MANDATORY": "N",
    }


def label(code: str) -> str:
    """Return the name of a field as the portal shows it."""
    return f"{USER_FIELD}{code}"
