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
        Can.INCOMING: "Unsorted; where that is switched off a deal is made instead.",
        Can.MOVE: "A deal that somebody moves in the very second of ours may be moved on from there.",
        Can.POPUP: "amoCRM itself chooses the card, by the last eight digits.",
        Can.READ_BACK: "The price of the deal, or its invoices paid in full; of a partly paid one nothing counts.",
        Can.CONTACT_INDEX: "Russian and Kazakh phones, and e-mails; other phones are searched.",
        Can.DOORBELL: "Webhooks need the extended plan or higher; without them changes come by polling.",
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
