"""The tables: everything the hub remembers. Every table of a customer carries ``tenant_id``."""

from hub.store.tables.calls import Call, CallEvent, Inbox, RecordingLink, Refusal, TelephonyAccount
from hub.store.tables.columns import metadata, table_of
from hub.store.tables.crm import (
    AskedGoal,
    Attempt,
    CardOf,
    ContactKey,
    Deal,
    DealContact,
    DealPayment,
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
from hub.store.tables.doorbells import Doorbell
from hub.store.tables.enquiries import Enquiry, Match
from hub.store.tables.erasures import Erasure
from hub.store.tables.ledger import LedgerEntry, LedgerHead
from hub.store.tables.market import ArrivedCode, SpentToken, UnlinkedAccount
from hub.store.tables.people import Login, Person, Tenant
from hub.store.tables.reconciled import Reconciliation
from hub.store.tables.round_trips import RoundTrip
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
    "ArrivedCode",
    "AskedGoal",
    "Attempt",
    "Call",
    "CallEvent",
    "CardOf",
    "ContactKey",
    "Deal",
    "DealContact",
    "DealPayment",
    "DealStage",
    "Delivery",
    "Doorbell",
    "Enquiry",
    "Erasure",
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
    "RecordingLink",
    "Refusal",
    "RoundTrip",
    "ScenarioVersion",
    "Site",
    "SiteHabits",
    "Spend",
    "SpentToken",
    "Target",
    "TelephonyAccount",
    "Tenant",
    "Tie",
    "TrackingNumber",
    "UnlinkedAccount",
    "Visit",
    "Visitor",
    "metadata",
    "table_of",
]
