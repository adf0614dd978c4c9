"""What amoCRM's refusals mean for the whole installation (sheet sections 2 and 5.4)."""

from datetime import timedelta

from connectors.amocrm.mappings import LEGACY_CODE, LEGACY_CODES
from connectors.errors import ConnectorError, Refused, installation_error
from connectors.protocol import InstallationError, Why
from connectors.telling import Said

BLOCK_HOLD = timedelta(minutes=15)  # after a block the vendor's support must be asked; hammering prolongs it [2]
_THROTTLE_HOLD = timedelta(seconds=1)
_MOVED = frozenset({301, 302, 303, 307, 308})


class Unpaid(InstallationError):
    """The account is not paid for: it takes no changes, and after 30 days shows nothing either [2]."""


def trouble(error: ConnectorError, *, asks_token: bool = False) -> InstallationError:
    """Return the installation's error for a failed read or a refused creation that speaks of the account.

    Where a token is asked for, an address that is nobody's is only an address that does not answer.
    """
    if not isinstance(error, Refused):
        return installation_error(error)
    if error.status == 403 and not error.readable:
        return InstallationError(Why.FORBIDDEN, Said("blocked"), hold=BLOCK_HOLD)
    found = installation_error(error)
    if error.status == 402:
        return Unpaid(found.why, found.said, hold=found.hold)
    if not asks_token and (error.status in _MOVED or (error.status == 404 and not error.readable)):
        # A fresh token is asked for, and with it where the account lives now [1.6].
        return InstallationError(Why.UNAUTHORIZED, Said("nobody_here"))
    why, said = legacy(error) or (found.why, Said("no_rights") if error.status == 403 else found.said)
    hold = found.hold or (_THROTTLE_HOLD if why is Why.THROTTLED else None)
    return InstallationError(why, said, hold=hold)


def legacy(error: Refused) -> tuple[Why, Said] | None:
    """Return what an old numeric code in the detail of a 400 or 403 says of the account, if any."""
    if error.status not in (400, 403) or not error.readable:
        return None
    codes = LEGACY_CODE.findall(error.detail.partition(":")[2])
    return next((LEGACY_CODES[code] for code in codes if code in LEGACY_CODES), None)
