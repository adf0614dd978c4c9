"""The `/_sandbox` routes every simulator has: ledger and dial."""

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.dial import Dial, DialRefused
from sandbox.ledger import Ledger


def plain_json(body: object, status: int = 200) -> Response:
    """Returns `body` (dataclasses allowed) as a JSON response."""
    return Response(
        orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS), status_code=status, media_type="application/json"
    )


async def read_object(request: Request) -> dict[str, object]:
    """Returns the JSON object of the body, empty for an empty body; raises ValueError otherwise."""
    body = await request.body()
    found = orjson.loads(body) if body.strip() else {}
    if not isinstance(found, dict):
        raise ValueError("The body must be a JSON object.")
    return found


def admin_routes(ledger: Ledger, dial: Dial) -> list[Route]:
    """Returns the routes of the ledger and the dial."""

    async def show_ledger(request: Request) -> Response:
        since = request.query_params.get("since", "0")
        if not since.isdecimal():
            return plain_json({"error": "since must be a request number."}, 400)
        return plain_json(
            {
                "rows": ledger.since(int(since)),
                "totals": {str(status): n for status, n in ledger.totals.items()},
            }
        )

    async def clear_ledger(request: Request) -> Response:
        ledger.clear()
        return plain_json({"cleared": True})

    async def show_dial(request: Request) -> Response:
        return plain_json(dial.settings())

    async def turn_dial(request: Request) -> Response:
        try:
            dial.turn(await read_object(request))
        except (DialRefused, ValueError) as refused:
            return plain_json({"error": str(refused), "allowed": sorted(dial.knobs)}, 400)
        return plain_json(dial.settings())

    async def reset_dial(request: Request) -> Response:
        dial.reset()
        return plain_json(dial.settings())

    return [
        Route("/_sandbox/ledger", show_ledger, methods=["GET"]),
        Route("/_sandbox/ledger/clear", clear_ledger, methods=["POST"]),
        Route("/_sandbox/dial", show_dial, methods=["GET"]),
        Route("/_sandbox/dial", turn_dial, methods=["POST"]),
        Route("/_sandbox/dial/reset", reset_dial, methods=["POST"]),
    ]
