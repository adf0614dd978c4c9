"""The fields of CRM objects: their names in both families, their types, what may be written (sheet section 4.3)."""

import re
from dataclasses import dataclass
from typing import Any

from sandbox.bitrix24.model import COMPANY, CONTACT, DEAL, INVOICE, LEAD

MONEY = "double"
FM_TYPES = ("PHONE", "EMAIL", "WEB", "IM", "LINK")
VALUE_TYPES = ("WORK", "MOBILE", "FAX", "HOME", "PAGER", "MAILING", "OTHER")


@dataclass(frozen=True, slots=True)
class Field:
    """One standard field; `default` is what an object has that was never told, `entity` the dictionary of a status."""

    name: str
    upper: str
    type: str = "string"
    is_read_only: bool = False
    default: Any = None
    entity: str = ""
    is_multiple: bool = False
    is_immutable: bool = False


def _own(name: str, upper: str, type_: str, default: Any = None, *, many: bool = False, once: bool = False) -> Field:
    return Field(name, upper, type_, True, default, "", many, once)


UTM = tuple(Field(f"utm{part}", f"UTM_{part.upper()}") for part in ("Source", "Medium", "Campaign", "Content", "Term"))
COMMON = (
    _own("id", "ID", "integer"),
    _own("createdTime", "DATE_CREATE", "datetime"),
    _own("updatedTime", "DATE_MODIFY", "datetime"),
    _own("createdBy", "CREATED_BY_ID", "user"),
    _own("updatedBy", "MODIFY_BY_ID", "user"),
    Field("assignedById", "ASSIGNED_BY_ID", "user"),
    Field("opened", "OPENED", "boolean", default="Y"),
    _own("lastActivityBy", "LAST_ACTIVITY_BY", "user"),
    _own("lastActivityTime", "LAST_ACTIVITY_TIME", "datetime"),
    Field("webformId", "WEBFORM_ID", "integer", default=0),
    *UTM,
    Field("observers", "OBSERVER_IDS", "user", default=(), is_multiple=True),
    Field("comments", "COMMENTS", "text", default=""),
)
SOURCE = (
    Field("sourceId", "SOURCE_ID", "crm_status", entity="SOURCE"),
    Field("sourceDescription", "SOURCE_DESCRIPTION", "text"),
)
ORIGIN = (Field("originatorId", "ORIGINATOR_ID"), Field("originId", "ORIGIN_ID"))
PERSON = (
    Field("name", "NAME"),
    Field("lastName", "LAST_NAME"),
    Field("secondName", "SECOND_NAME"),
    Field("honorific", "HONORIFIC", "crm_status", entity="HONORIFIC"),
    Field("birthdate", "BIRTHDATE", "date"),
    Field("post", "POST"),
)
REACHED = (_own("hasPhone", "HAS_PHONE", "boolean", "N"), _own("hasEmail", "HAS_EMAIL", "boolean", "N"))
MOVED = (_own("movedBy", "MOVED_BY_ID", "user"), _own("movedTime", "MOVED_TIME", "datetime"))
SUMS = (
    Field("opportunity", "OPPORTUNITY", MONEY, default=0),
    Field("isManualOpportunity", "IS_MANUAL_OPPORTUNITY", "boolean", default="N"),
    Field("currencyId", "CURRENCY_ID", "crm_currency", default="RUB"),
)
CLIENTS = (
    Field("companyId", "COMPANY_ID", "crm_company", default=0),
    Field("contactId", "CONTACT_ID", "crm_contact"),
    Field("contactIds", "CONTACT_IDS", "crm_contact", default=(), is_multiple=True),
)
TERMS = (Field("begindate", "BEGINDATE", "date"), Field("closedate", "CLOSEDATE", "date"))
NULL_NAMES = (
    *("dateCreateShort", "dateModifyShort", "shortName", "isConvert", "login", "address", "productId"),
    *("begindateShort", "closedateShort", "eventDateShort", "isWork", "isWon", "isLose", "receivedAmount"),
    *("lostAmount", "hasProducts"),
)
STAGED = (LEAD, DEAL, INVOICE)
LINKED = (LEAD, DEAL, INVOICE)
REACHABLE = (LEAD, CONTACT, COMPANY)

FIELDS: dict[int, tuple[Field, ...]] = {
    LEAD: (
        *COMMON,
        Field("title", "TITLE", default=""),
        *PERSON,
        Field("companyTitle", "COMPANY_TITLE"),
        Field("stageId", "STATUS_ID", "crm_status"),
        _own("stageSemanticId", "STATUS_SEMANTIC_ID", "string"),
        Field("statusDescription", "STATUS_DESCRIPTION", "text"),
        *MOVED,
        _own("dateClosed", "DATE_CLOSED", "datetime"),
        *SUMS,
        *SOURCE,
        *ORIGIN,
        *CLIENTS,
        _own("isReturnCustomer", "IS_RETURN_CUSTOMER", "boolean", "N"),
        *REACHED,
        _own("hasImol", "HAS_IMOL", "boolean", "N"),
    ),
    DEAL: (
        *COMMON,
        Field("title", "TITLE", default=""),
        Field("typeId", "TYPE_ID", "crm_status", default="SALE", entity="DEAL_TYPE"),
        Field("categoryId", "CATEGORY_ID", "crm_category", default=0),
        Field("stageId", "STAGE_ID", "crm_status"),
        _own("stageSemanticId", "STAGE_SEMANTIC_ID", "string"),
        _own("isNew", "IS_NEW", "boolean", "Y"),
        _own("closed", "CLOSED", "boolean", "N"),
        *MOVED,
        *TERMS,
        Field("probability", "PROBABILITY", "integer"),
        *SUMS,
        Field("taxValue", "TAX_VALUE", MONEY, default=0),
        _own("orderStage", "ORDER_STAGE", "string"),
        *SOURCE,
        *ORIGIN,
        Field("additionalInfo", "ADDITIONAL_INFO", "text"),
        Field("leadId", "LEAD_ID", "crm_lead"),
        *CLIENTS,
        Field("quoteId", "QUOTE_ID", "crm_quote"),
        Field("isRecurring", "IS_RECURRING", "boolean", default="N"),
        _own("isReturnCustomer", "IS_RETURN_CUSTOMER", "boolean", "N"),
        _own("isRepeatedApproach", "IS_REPEATED_APPROACH", "boolean", "N"),
    ),
    CONTACT: (
        *COMMON,
        *PERSON,
        Field("photo", "PHOTO", "file"),
        Field("typeId", "TYPE_ID", "crm_status", default="CLIENT", entity="CONTACT_TYPE"),
        _own("categoryId", "CATEGORY_ID", "crm_category", 0),
        *SOURCE,
        *ORIGIN,
        Field("originVersion", "ORIGIN_VERSION"),
        Field("companyId", "COMPANY_ID", "crm_company", default=0),
        Field("companyIds", "COMPANY_IDS", "crm_company", default=(), is_multiple=True),
        Field("leadId", "LEAD_ID", "crm_lead"),
        *REACHED,
        Field("export", "EXPORT", "boolean", default="Y"),
    ),
    COMPANY: (
        *COMMON,
        Field("title", "TITLE", default=""),
        Field("typeId", "COMPANY_TYPE", "crm_status"),
        Field("industry", "INDUSTRY", "crm_status", entity="INDUSTRY"),
        Field("employees", "EMPLOYEES", "crm_status"),
        _own("categoryId", "CATEGORY_ID", "crm_category", 0),
        Field("revenue", "REVENUE", MONEY, default=0),
        Field("currencyId", "CURRENCY_ID", "crm_currency", default="RUB"),
        *ORIGIN,
        Field("originVersion", "ORIGIN_VERSION"),
        Field("leadId", "LEAD_ID", "crm_lead"),
        *REACHED,
        Field("isMyCompany", "IS_MY_COMPANY", "boolean", default="N"),
    ),
    INVOICE: (
        *COMMON,
        Field("title", "TITLE", default=""),
        Field("xmlId", "XML_ID"),
        _own("categoryId", "CATEGORY_ID", "crm_category"),
        Field("stageId", "STAGE_ID", "crm_status"),
        _own("previousStageId", "PREVIOUS_STAGE_ID", "string"),
        *MOVED,
        *TERMS,
        Field("accountNumber", "ACCOUNT_NUMBER"),
        *SUMS,
        Field("taxValue", "TAX_VALUE", MONEY, default=0),
        Field("sourceId", "SOURCE_ID", "crm_status", entity="SOURCE"),
        Field("sourceDescription", "SOURCE_DESCRIPTION", "text"),
        *CLIENTS,
        Field("mycompanyId", "MYCOMPANY_ID", "crm_company", default=0),
        Field("parentId2", "PARENT_ID_2", "crm_deal"),
    ),
}
BY_NAME = {kind: {field.name: field for field in fields} for kind, fields in FIELDS.items()}
BY_UPPER = {kind: {field.upper: field for field in fields} for kind, fields in FIELDS.items()}
INT_TYPES = ("integer", "user", "crm_company", "crm_contact", "crm_lead", "crm_deal", "crm_quote", "crm_category")
MANY_MONEY = 100  # minor units of one unit


def uf_camel(name: str, camel_letters: bool) -> str:
    """Returns the camel name of a user field: `UF_CRM_3_DIGIT` is `ufCrm3Digit` (sheet section 4.2).

    Where letters and digits mix, or a number stands alone, only the prefix changes; names of letters only are a switch.
    """
    rest = name.removeprefix("UF_CRM_")
    number, _, tail = rest.partition("_")
    if number.isdecimal() and tail:
        if tail.isdecimal():
            return f"ufCrm{number}_{tail}"
        return f"ufCrm_{rest}" if re.search(r"\d", tail) else f"ufCrm{number}{_camel(tail)}"
    if not re.search(r"\d", rest) and camel_letters:
        return f"ufCrm{_camel(rest)}"
    return f"ufCrm_{rest}"


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def money_shown(minor: int | None) -> int | float | None:
    """Returns minor units as the JSON number of whole units."""
    if minor is None:
        return None
    return minor // MANY_MONEY if minor % MANY_MONEY == 0 else minor / MANY_MONEY


def money_text(minor: int | None) -> str | None:
    """Returns minor units as the text of the old family: `19999.99`."""
    return None if minor is None else f"{minor // MANY_MONEY}.{minor % MANY_MONEY:02d}"


def money_read(value: Any) -> int | None:
    """Returns minor units of a number or a text, None for what is no sum."""
    try:
        return round(float(str(value).replace(" ", "").replace(",", ".")) * MANY_MONEY)
    except ValueError:
        return None
