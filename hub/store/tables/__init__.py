"""The tables: everything the hub remembers. Every table of a customer carries ``tenant_id``."""

from hub.store.tables.calls import Call, CallEvent, Inbox, Match, Refusal, TelephonyAccount
from hub.store.tables.columns import metadata, table_of
from hub.store.tables.crm import (
    Attempt,
    Deal,
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
from hub.store.tables.people import Login, Person, Tenant
from hub.store.tables.tracking import Lease, Placement, Pool, Site, TrackingNumber, Visit, Visitor

__all__ = [
    "Attempt",
    "Call",
    "CallEvent",
    "Deal",
    "Delivery",
    "Goal",
    "Grant",
    "Inbox",
    "Installation",
    "Lane",
    "Lease",
    "Login",
    "Match",
    "OAuthState",
    "Payment",
    "Person",
    "Placement",
    "Pool",
    "Refusal",
    "ScenarioVersion",
    "Site",
    "Spend",
    "TelephonyAccount",
    "Tenant",
    "TrackingNumber",
    "Visit",
    "Visitor",
    "metadata",
    "table_of",
]
