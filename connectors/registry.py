"""Name -> connector: the only place besides the hub's composition root where all connectors meet."""

from collections.abc import Mapping

from connectors import amocrm, bitrix24
from connectors.protocol import Connector

CONNECTORS: Mapping[str, Connector] = {one.manifest.name: one for one in (amocrm.connector, bitrix24.connector)}
