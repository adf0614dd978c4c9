"""Shows the card of a call to users who are rung or talk; what is not shown at once is not shown at all [5.1, 5.3].

The call is registered without a card and shown then, so that a second call of the same person within half an hour,
which the vendor takes for the first, is shown, too. It is never finished: the call itself is written with the deal.
"""

from collections.abc import Sequence

from connectors.bitrix24.api import Api, replies
from connectors.bitrix24.cards import NoId, number
from connectors.bitrix24.encoding import command, result
from connectors.bitrix24.find import digits
from connectors.bitrix24.mappings import CARD_CALL, INCOMING
from connectors.bitrix24.trouble import judged, of_account, trouble
from connectors.errors import ConnectorError, NotSent, Refused
from connectors.protocol import Status


async def show(api: Api, users: Sequence[str], phone: str) -> bool:
    """Ask once; says whether Bitrix24 took it. Raises ``InstallationError`` for trouble of the account.

    A user who is gone, no right to telephony or a lost answer is this pop-up's own trouble: deliveries need not wait.
    """
    try:
        commands = _commands([number(user, "user") for user in users], phone)
        told = replies(await api.change(commands))
    except NoId:
        return False
    except NotSent as error:
        raise trouble(error) from None
    except Refused as error:
        if judged(error).status is Status.RETRY:
            raise trouble(error) from None
        return False
    except ConnectorError:
        return False
    refused = (of_account(fault, told) for fault in told.faults.values())
    if error_ := next((one for one in refused if one and one.hold), None):
        raise error_
    return told.results.get("show") is True


def _commands(users: Sequence[int], phone: str) -> dict[str, str]:
    asked = {
        "USER_ID": users[0],
        "PHONE_NUMBER": phone,
        "TYPE": INCOMING,
        "CRM_CREATE": 0,
        "SHOW": 0,
        "ADD_TO_CHAT": 0,
        "EXTERNAL_CALL_ID": f"{CARD_CALL}{users[0]}-{digits(phone)}",
    }
    shown = {"CALL_ID": result("call", "CALL_ID"), "USER_ID": list(users)}
    return {
        "call": command("telephony.externalCall.register", asked),
        "show": command("telephony.externalCall.show", shown),
    }
