"""The tables: everything the hub remembers. Every table of a customer carries ``tenant_id``."""

from hub.store.tables.calls import Call, CallEvent, Inbox, Refusal, TelephonyAccount
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
from hub.store.tables.enquiries import Enquiry, Match
from hub.store.tables.people import Login, Person, Tenant
from hub.store.tables.tracking import (
    Lease,
    NumberRule,
    PageEvent,
    PageSeen,
    Placement,
    Pool,
    Site,
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
    "Delivery",
    "Enquiry",
    "Goal",
    "Grant",
    "Inbox",
    "Installation",
    "Lane",
    "Lease",
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
    "Refusal",
    "ScenarioVersion",
    "Site",
    "Spend",
    "Target",
    "TelephonyAccount",
    "Tenant",
    "TrackingNumber",
    "Visit",
    "Visitor",
    "metadata",
    "table_of",
]
