"""What the Bitrix24 connector is and can do."""

from datetime import timedelta

from connectors.bitrix24.mappings import HOSTS
from connectors.bitrix24.settings import Settings
from connectors.protocol import Can, Idempotency, Limits, Manifest, OAuth
from connectors.telling import Said

manifest = Manifest(
    name="bitrix24",
    title="Bitrix24",
    kind="crm",
    can={
        Can.CONTACT: Said("can_contact"),
        Can.DEAL: Said("can_deal"),
        Can.NOTE: None,
        Can.TASK: Said("can_task"),
        Can.INCOMING: Said("can_incoming"),
        Can.MOVE: Said("can_move"),
        Can.FIELDS: Said("can_fields"),
        Can.POPUP: Said("can_popup"),
        Can.REGISTER: Said("can_register"),
        Can.OBSERVE: Said("can_observe"),
        Can.ANALYTICS: Said("can_analytics"),
        Can.READ_BACK: Said("can_read_back"),
        Can.DOORBELL: Said("can_doorbell"),
    },
    idempotency=Idempotency.MARKER,
    limits=Limits(
        batch=500,
        # Of 2 a second that the bucket loses, and of 50 that it holds: what is left is for two hits that may leave it
        # only at the end of their second, and for hits that reach it closer together than we sent them [2.1].
        per_second=1.99,
        burst=47,
        timeout=timedelta(seconds=70),  # the vendor gives a request up after 60 s [2.4]
        search_lag=timedelta(seconds=35),  # a lost request may work on for 60 s: twice this is waited before a look [9]
    ),
    hosts=HOSTS,
    oauth=OAuth(
        authorize_url="",
        scopes=("crm", "telephony", "user_basic", "placement"),
        pkce=False,
        access_lifetime=timedelta(hours=1),
        refresh_lifetime=timedelta(days=180),
        refresh_rotates=True,
    ),
    settings=Settings,
    standing="sandbox-tested",
)
