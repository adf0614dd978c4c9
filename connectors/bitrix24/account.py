"""Who the portal is, and how it is told to a person."""

from connectors.bitrix24.api import Api, Replies
from connectors.bitrix24.encoding import command
from connectors.bitrix24.trouble import checked, is_denied, no_rights, trouble
from connectors.errors import ConnectorError, Unreadable
from connectors.protocol import Ref


async def check(api: Api, account: str, *, by_hook: bool = False) -> Ref:
    """Return the account's reference once the portal answers to us; raises ``InstallationError``.

    What an application is a webhook is not told [1.8]: it asks who it is.
    """
    told = await read(api, {"app": command("profile" if by_hook else "app.info", {})})
    fault = told.faults.get("app")
    if fault and is_denied(fault):
        raise no_rights()
    if not told.object("app"):
        raise trouble(Unreadable("the portal does not say what it knows of our application"))
    return Ref("account", account, api.address)


async def read(api: Api, commands: dict[str, str]) -> Replies:
    """Return what commands bring; raises ``InstallationError``."""
    try:
        return checked(await api.ask(commands))
    except ConnectorError as error:
        raise trouble(error) from None
