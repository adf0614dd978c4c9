"""The Bitrix24 connector; its limits, quirks and choices are in README.md."""

from connectors.bitrix24.by_hand import by_hand
from connectors.bitrix24.encoding import methods
from connectors.bitrix24.frame import frames
from connectors.bitrix24.grant import authorize_url, exchange, refresh
from connectors.bitrix24.hooks import hooks
from connectors.bitrix24.manifest import manifest
from connectors.bitrix24.publication import publication
from connectors.bitrix24.session import open_session
from connectors.bitrix24.words import words
from connectors.protocol import Connector

connector = Connector(
    manifest=manifest,
    hooks=hooks,
    authorize_url=authorize_url,
    exchange=exchange,
    refresh=refresh,
    open=open_session,
    frames=frames,
    publication=publication,
    words=words,
    by_hand=by_hand,
    by_hand_is_address=True,
    asked_in=methods,
)
