"""The amoCRM connector; its limits, quirks and choices are in README.md."""

from connectors.amocrm.by_hand import by_hand
from connectors.amocrm.grant import authorize_url, exchange, refresh
from connectors.amocrm.hooks import hooks
from connectors.amocrm.manifest import manifest
from connectors.amocrm.package import packaging
from connectors.amocrm.people import keys_of
from connectors.amocrm.pipeline import goal_asked
from connectors.amocrm.session import open_session
from connectors.amocrm.words import words
from connectors.protocol import Connector

connector = Connector(
    manifest=manifest,
    hooks=hooks,
    authorize_url=authorize_url,
    exchange=exchange,
    refresh=refresh,
    open=open_session,
    keys_of=keys_of,
    packaging=packaging,
    goal_asked=goal_asked,
    words=words,
    by_hand=by_hand,
)
