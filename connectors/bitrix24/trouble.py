"""What Bitrix24's refusals mean for the whole installation (sheet sections 1.6, 3.5 and 3.6)."""

from datetime import timedelta

from connectors.bitrix24.api import Denied, Fault, Replies
from connectors.bitrix24.mappings import ACCESS_DENIED, CODES, NOT_THERE, OPERATING, UNSURE
from connectors.errors import (
    ConnectorError,
    Refused,
    Verdict,
    installation_error,
    redact,
    verdict,
)
from connectors.protocol import InstallationError, Status, Why
from connectors.telling import Said

_MOVED = frozenset({301, 302, 303, 307, 308})
_LONGEST = timedelta(minutes=10)  # how far the vendor looks back on the time we took [2.2]
_PLAN = Said("no_rest")
_NO_RIGHTS = Said("no_rights")
_BUSY = Verdict(Status.UNKNOWN, Why.UNAVAILABLE, Said("busy"))
_WRONG = Verdict(Status.REJECTED, Why.INVALID, Said("refused"))


def trouble(error: ConnectorError, *, asks_token: bool = False) -> InstallationError:
    """Return the installation's error for a failed read or a refused batch.

    Where a token is asked for, an address that is nobody's is only an address that does not answer.
    """
    if isinstance(error, Denied):
        if error.code == ACCESS_DENIED:
            return InstallationError(Why.FORBIDDEN, _PLAN)
        if error.code in CODES:
            why, said, hold = CODES[error.code]
            return InstallationError(why, said, hold=error.retry_after or hold)
        if error.status < 400:
            return InstallationError(Why.UNREADABLE, Said("unreadable", {"detail": error.detail}))
    is_nobody = isinstance(error, Refused) and (error.status in _MOVED or (error.status == 404 and not error.readable))
    if is_nobody and not asks_token:
        # A fresh token is asked for, and with it where the portal lives now [3.7].
        return InstallationError(Why.UNAUTHORIZED, Said("nobody_here"))
    return installation_error(error)


def judged(error: Refused) -> Verdict:
    """Return what the refusal of a whole batch says of the creations in it."""
    if isinstance(error, Denied):
        if error.code in UNSURE:
            return _BUSY
        if error.code in CODES or error.code == ACCESS_DENIED:
            found = trouble(error)
            return Verdict(Status.RETRY, found.why, found.said)
        if error.status < 400:
            return _WRONG
    return verdict(error.status)


def of_account(fault: Fault, told: Replies) -> InstallationError | None:
    """Return the installation's error that the refusal of one command is; None for one of its own."""
    if fault.code not in CODES:
        return None
    why, said, hold = CODES[fault.code]
    if fault.code == OPERATING and told.resets_at > told.clock > 0:
        hold = min(timedelta(seconds=told.resets_at - told.clock), _LONGEST)
    return InstallationError(why, said, hold=hold)


def no_rights() -> InstallationError:
    """Return the installation's error of one who may not do what everything depends on."""
    return InstallationError(Why.FORBIDDEN, _NO_RIGHTS)


def is_denied(fault: Fault) -> bool:
    """Say whether a command was refused for want of a right; some refusals only say so in words [3.5]."""
    return fault.code == ACCESS_DENIED or (fault.code in ("", "0", "403") and "access denied" in fault.text.lower())


def is_gone(fault: Fault) -> bool:
    """Say whether what a command names is not there."""
    return fault.code in NOT_THERE or (fault.code in ("", "0") and "not found" in fault.text.lower())


def checked(told: Replies) -> Replies:
    """Return the replies to reads; raises ``InstallationError`` when one of them was refused to the whole account."""
    for fault in told.faults.values():
        found = of_account(fault, told)
        if found is not None:
            raise found
    return told


def words(fault: Fault) -> str:
    """Return the vendor's own words, redacted."""
    return redact(fault.text or fault.code)
