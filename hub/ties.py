"""What an enquiry tells of its visitor: by which phone, e-mail and CRM contact he is known from now on."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from connectors.protocol import Outcome
from hub.store import enquiries, evidence, ties
from hub.store.enquiries import About
from hub.store.evidence import Evidence, OnSite
from hub.store.ties import Known
from hub.store.tx import Tx
from hub.store.vault import Vault
from tracking_core.habits import SURE
from tracking_core.match import Match, MatchReason
from tracking_core.qualify import Rules
from tracking_core.ties import Key, TieKind

_BY_NAME = {TieKind.PHONE: "phone_key", TieKind.EMAIL: "email_key"}


def settle(
    tx: Tx, tenant_id: int, enquiry_id: int, about: About, found: Match, rules: Rules, now: datetime, vault: Vault
) -> bool:
    """Let an enquiry tell what its match says, and no longer what it told before; say whether to look at it again.

    That is when it was matched by the memory of a person who is somebody else now.
    """
    visitor_id = _surely(tx, tenant_id, about, found, rules)
    before = ties.told_by(tx, tenant_id, enquiry_id)[enquiry_id]
    told, kept = set[Known](), set[Known]()
    if visitor_id is not None:
        told = {(visitor_id, Key(kind, key)) for kind, name in _BY_NAME.items() if (key := getattr(about.person, name))}
        kept = {(visitor, key) for visitor, key in before if visitor == visitor_id and key.kind is TieKind.CONTACT}
        if not told <= before:
            reached = evidence.contacts_of(tx, tenant_id, enquiry_id)
            told |= {(visitor_id, _contact(tenant_id, *one, vault)) for one in reached}
    come, gone = told - before, before - told - kept
    if not come and not gone:
        return False
    changed = ties.tell(tx, tenant_id, Evidence(enquiry_id, about.at), come, gone, now)
    return changed and found.reason is MatchReason.REPEAT_CALLER


def _surely(tx: Tx, tenant_id: int, about: About, found: Match, rules: Rules) -> int | None:
    """Return the visitor who surely turned to us; None where he is only likely, remembered, or somebody on a list.

    What is only remembered teaches nothing new: it is known from the enquiry it is remembered by.
    """
    is_sure = found.visit_id is not None and found.confidence >= SURE and found.reason is not MatchReason.REPEAT_CALLER
    if not is_sure or about.person.phone in rules.staff | rules.spam:
        return None
    return int(found.visitor or enquiries.visitor_of(tx, tenant_id, int(found.visit_id or 0)))


def leave_out(tx: Tx, tenant_id: int, phones: Iterable[str], now: datetime, vault: Vault) -> None:
    """Let enquiries of these phones, which are on a list now, tell of nobody any more."""
    for phone in phones:
        key = Key(TieKind.PHONE, vault.fingerprint(phone, tenant_id))
        for enquiry_id in ties.telling(tx, tenant_id, key):
            gone = ties.told_by(tx, tenant_id, enquiry_id)[enquiry_id]
            ties.tell(tx, tenant_id, Evidence(enquiry_id, now), set(), gone, now)


def _contact(tenant_id: int, installation_id: int, contact_id: str, vault: Vault) -> Key:
    return Key(TieKind.CONTACT, vault.fingerprint(f"contact:{installation_id}:{contact_id}", tenant_id))


def contacts_in(outcomes: Mapping[str, Outcome]) -> list[tuple[str, str]]:
    """Return the contacts that deliveries reached: the delivery, and the CRM's id of the contact."""
    return [(id_, ref.id) for id_, outcome in outcomes.items() for ref in outcome.refs if ref.kind == "contact"]


def contacts_told(
    tx: Tx, tenant_id: int, installation_id: int, reached: Sequence[tuple[str, str]], now: datetime, vault: Vault
) -> None:
    """Let deliveries that reached a contact tell that whom their enquiries tell of is known by it, too."""
    told = evidence.of_deliveries(tx, tenant_id, (delivery_id for delivery_id, _ in reached))
    before = ties.told_by(tx, tenant_id, *{enquiry_id for enquiry_id, _ in told.values()})
    for delivery_id, contact_id in reached:
        if delivery_id not in told:
            continue
        enquiry_id, at = told[delivery_id]
        contact, known = _contact(tenant_id, installation_id, contact_id, vault), before[enquiry_id]
        come = {(visitor_id, contact) for visitor_id, _ in known} - known
        if come:
            ties.tell(tx, tenant_id, Evidence(enquiry_id, at), come, set(), now)
            known |= come


def _user_told(tx: Tx, tenant_id: int, visitors: Iterable[OnSite], user: str, now: datetime, vault: Vault) -> None:
    """Note that visitors are logged in as a user of their site; his id is kept as a keyed hash, apart for each site."""
    for visitor_id, site_id in visitors:
        key = Key(TieKind.USER, vault.fingerprint(f"user:{site_id}:{user}", tenant_id))
        if key not in ties.keys_of(tx, tenant_id, visitor_id):
            ties.tell(tx, tenant_id, Evidence(None, now), {(visitor_id, key)}, set(), now)


def user_of_token(
    tx: Tx, tenant_id: int, site_id: int | None, token: str, user: str, now: datetime, vault: Vault
) -> bool:
    """Note it of who has a token, on one site or on any of the tenant's; False when nobody has it."""
    visitors = evidence.visitors_of(tx, tenant_id, token, site_id)
    _user_told(tx, tenant_id, visitors, user, now, vault)
    return bool(visitors)


def user_of_visit(tx: Tx, tenant_id: int, visit_id: int, user: str, now: datetime, vault: Vault) -> None:
    """Note it of whose visit it is."""
    _user_told(tx, tenant_id, evidence.whose_visit(tx, tenant_id, visit_id), user, now, vault)
