"""``cthub`` whose only CRM has done everything at once: ``python -m bench.instant worker`` measures the queue alone."""

import sys
from dataclasses import replace

from connectors.registry import CONNECTORS
from hub import app
from hub.__main__ import main
from tests.hub.double import Acme


def connector_of_nobody() -> dict[str, object]:
    """Return the one connector there is, with the batches of amoCRM's and no rate: it sends no request."""
    made = Acme().connector()
    return {"acme": replace(made, manifest=replace(made.manifest, limits=CONNECTORS["amocrm"].manifest.limits))}


if __name__ == "__main__":
    app.CONNECTORS = connector_of_nobody()  # type: ignore[attr-defined]
    sys.argv[0] = "cthub"
    main()
