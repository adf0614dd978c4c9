"""What the amoCRM connector is and can do."""

from datetime import timedelta

from connectors.amocrm.settings import Settings
from connectors.protocol import Can, Idempotency, Limits, Manifest, OAuth

manifest = Manifest(
    name="amocrm",
    title="amoCRM",
    kind="crm",
    can={
        Can.CONTACT: "",
        Can.DEAL: "An anonymous caller gets a deal without a contact.",
        Can.NOTE: "",
        Can.TASK: "",
        Can.READ_BACK: "The price of the deal; invoices are not read.",
        Can.DOORBELL: "Webhooks need the extended plan or higher; without them changes come by polling.",
    },
    idempotency=Idempotency.MARKER,
    limits=Limits(
        batch=50,
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
