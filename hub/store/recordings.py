"""Where the recording of a call is, as telephony told it, and what its account is allowed and able to ask for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from hub.store.tables import Call, TelephonyAccount, table_of
from hub.store.tx import Tx
from hub.store.vault import Unopenable, Vault
from tracking_core.telephony.recordings import Recording

_call, _account = table_of(Call), table_of(TelephonyAccount)


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording as it was told of, and the account it came through."""

    recording: Recording
    adapter: str
    recordings_from: tuple[str, ...]
    secrets: Mapping[str, str] = field(repr=False)


def recording_of(tx: Tx, tenant_id: int, enquiry_id: int, vault: Vault) -> Kept | None:
    """Return the recording of a call of this tenant; None when none was told of, or our keys do not open it."""
    of = (_account.c.id == _call.c.account_id) & (_account.c.tenant_id == _call.c.tenant_id)
    columns = (_account.c.name, _account.c.adapter, _account.c.secrets, _account.c.recordings_from)
    row = tx.execute(
        select(_call.c.account_id, _call.c.provider_call_id, _call.c.recording, _call.c.recording_id, *columns)
        .select_from(_call.join(_account, of))
        .where(_call.c.tenant_id == tenant_id, _call.c.enquiry_id == enquiry_id)
    ).first()
    if row is None or (row.recording is None and row.recording_id is None):
        return None
    place = (tenant_id, row.account_id, row.provider_call_id)
    try:
        url = vault.open(row.recording, *place, "recording") if row.recording else None
        secrets = json.loads(vault.open(row.secrets, tenant_id, row.name, "secrets"))
    except Unopenable:
        return None
    return Kept(Recording(url, row.recording_id), row.adapter, tuple(row.recordings_from), secrets)
