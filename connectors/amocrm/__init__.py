"""The amoCRM connector; its limits, quirks and choices are in README.md."""

from connectors.amocrm.grant import authorize_url, exchange, refresh
from connectors.amocrm.hooks import hooks
from connectors.amocrm.manifest import manifest
from connectors.amocrm.session import open_session
from connectors.protocol import Connector

connector = Connector(
    manifest=manifest,
    hooks=hooks,
    authorize_url=authorize_url,
    exchange=exchange,
    refresh=refresh,
    open=open_session,
)
