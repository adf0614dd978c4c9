"""The tables: everything the hub remembers. Every table of a customer carries ``tenant_id``."""

from hub.store.tables.calls import Call, CallEvent, Inbox, Refusal, TelephonyAccount
from hub.store.tables.columns import metadata, table_of
from hub.store.tables.crm import (
    Attempt,
    Deal,
    DealStage,
    Delivery,
    Goal,
    Grant,
    Installation,
    Lane,
    OAuthState,
    Payment,
    ScenarioVersion,
    Spend,
)
from hub.store.tables.enquiries import Enquiry, Match
from hub.store.tables.ledger import LedgerEntry, LedgerHead
from hub.store.tables.people import Login, Person, Tenant
from hub.store.tables.reconciled import Reconciliation
from hub.store.tables.ties import Tie
from hub.store.tables.tracking import (
    Lease,
    NumberRule,
    PageEvent,
    PageSeen,
    Placement,
    Pool,
    Site,
    SiteHabits,
    Target,
    TrackingNumber,
    Visit,
    Visitor,
)

__all__ = [
    "Attempt",
    "Call",
    "CallEvent",
    "Deal",
    "DealStage",
    "Delivery",
    "Enquiry",
    "Goal",
    "Grant",
    "Inbox",
    "Installation",
    "Lane",
    "Lease",
    "LedgerEntry",
    "LedgerHead",
    "Login",
    "Match",
    "NumberRule",
    "OAuthState",
    "PageEvent",
    "PageSeen",
    "Payment",
    "Person",
    "Placement",
    "Pool",
    "Reconciliation",
    "Refusal",
    "ScenarioVersion",
    "Site",
    "SiteHabits",
    "Spend",
    "Target",
    "TelephonyAccount",
    "Tenant",
    "Tie",
    "TrackingNumber",
    "Visit",
    "Visitor",
    "metadata",
    "table_of",
]
