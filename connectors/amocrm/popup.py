"""Shows a caller's card to users who are rung or talk with him; what is not shown at once is never shown [3.13]."""

from collections.abc import Sequence

from connectors.amocrm.api import Api
from connectors.amocrm.parts import number
from connectors.amocrm.trouble import legacy, trouble
from connectors.errors import ConnectorError, NotSent, verdict
from connectors.protocol import Status


async def show(api: Api, users: Sequence[str], phone: str) -> bool:
    """Ask once; says whether amoCRM took it. Raises ``InstallationError`` for trouble of the account.

    A user who is gone or a lost answer is this pop-up's own trouble: deliveries need not wait for it.
    """
    try:
        answer = await api.popup([number(user, "user") for user in users], phone)
    except ValueError:
        return False
    except NotSent as error:
        raise trouble(error) from None
    except ConnectorError:
        return False
    if answer.ok:
        return True
    refused = answer.refused()
    lacks_right = refused.status == 403 and refused.readable and legacy(refused) is None
    if verdict(refused.status).status is Status.RETRY and not lacks_right:
        raise trouble(refused)
    return False
