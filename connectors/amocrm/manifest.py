"""What the amoCRM connector is and can do."""

from datetime import timedelta

from connectors.amocrm.settings import Settings
from connectors.protocol import Can, Idempotency, Limits, Manifest, OAuth
from connectors.telling import Said

manifest = Manifest(
    name="amocrm",
    title="amoCRM",
    kind="crm",
    can={
        Can.CONTACT: None,
        Can.DEAL: Said("can_deal"),
        Can.NOTE: None,
        Can.TASK: None,
        Can.INCOMING: Said("can_incoming"),
        Can.MOVE: Said("can_move"),
        Can.FIELDS: None,
        Can.POPUP: Said("can_popup"),
        Can.READ_BACK: Said("can_read_back"),
        Can.CONTACT_INDEX: Said("can_contact_index"),
        Can.DOORBELL: Said("can_doorbell"),
    },
    idempotency=Idempotency.MARKER,
    limits=Limits(
        batch=500,
        per_second=7.0,  # in any second; the lane takes care of what the way there adds to the spacing
        burst=7,
        window=7,
        timeout=timedelta(seconds=30),
        search_lag=timedelta(seconds=30),
    ),
    hosts=("amocrm.ru", "amocrm.com", "kommo.com"),
    oauth=OAuth(
        authorize_url="https://www.amocrm.ru/oauth",
        scopes=("crm", "notifications"),
        pkce=False,
        access_lifetime=timedelta(hours=24),
        refresh_lifetime=timedelta(days=90),
        refresh_rotates=True,
    ),
    settings=Settings,
    standing="sandbox-tested",
)
