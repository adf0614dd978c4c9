"""What amoCRM's refusals mean for the whole installation (sheet sections 2 and 5.4)."""

from datetime import timedelta

from connectors.amocrm.mappings import LEGACY_CODE, LEGACY_CODES
from connectors.errors import ConnectorError, Refused, installation_error
from connectors.protocol import InstallationError, Why

BLOCK_HOLD = timedelta(minutes=15)  # after a block the vendor's support must be asked; hammering prolongs it [2]
_THROTTLE_HOLD = timedelta(seconds=1)


def trouble(error: ConnectorError) -> InstallationError:
    """Return the installation's error for a failed read or a refused creation that speaks of the account."""
    if not isinstance(error, Refused):
        return installation_error(error)
    if error.status == 403 and not error.readable:
        sentence = "amoCRM has blocked this account's requests; only amoCRM support can lift the block."
        return InstallationError(Why.FORBIDDEN, sentence, hold=BLOCK_HOLD)
    found = installation_error(error)
    why = legacy(error) or found.why
    hold = found.hold or (_THROTTLE_HOLD if why is Why.THROTTLED else None)
    return InstallationError(why, found.sentence, hold=hold)


def legacy(error: Refused) -> Why | None:
    """Return what an old numeric code in the detail of a 400 or 403 says of the account, if any."""
    if error.status not in (400, 403) or not error.readable:
        return None
    codes = LEGACY_CODE.findall(error.detail.partition(":")[2])
    return next((LEGACY_CODES[code] for code in codes if code in LEGACY_CODES), None)
