"""The owner's console: what each source brought, every call's story, and how the connections are."""

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hub.web.answers import refused
from hub.web.console import (
    accuracy_page,
    cell_page,
    conflicts_page,
    connections_page,
    correction_page,
    deliveries_page,
    enquiries_page,
    erase_page,
    goals_page,
    login,
    numbers_page,
    person_page,
    recording_page,
    report_page,
    requests_page,
    scenarios_page,
    sites_page,
    token_page,
)
from hub.web.console.session import whoever
from hub.web.console.shell import complain

routes: list[BaseRoute] = [
    Route("/login", login.show, methods=["GET"]),
    Route("/login", login.log_in, methods=["POST"]),
    Route("/logout", login.log_out, methods=["POST"]),
    Route("/language", login.language, methods=["POST"]),
    Route("/", report_page.show, methods=["GET"]),
    Route("/report", report_page.show, methods=["GET"]),
    Route("/enquiries", enquiries_page.show_list, methods=["GET"]),
    Route("/enquiries/{enquiry_id}", enquiries_page.show_one, methods=["GET"]),
    Route("/enquiries/{enquiry_id}/recording", recording_page.play, methods=["GET"]),
    Route("/enquiries/{enquiry_id}/recording/revoke", recording_page.revoke, methods=["POST"]),
    Route("/enquiries/{enquiry_id}/heard", enquiries_page.hear, methods=["POST"]),
    Route("/enquiries/{enquiry_id}/visit", correction_page.correct, methods=["POST"]),
    Route("/enquiries/{enquiry_id}/person/apart", person_page.tell_apart, methods=["POST"]),
    Route("/enquiries/{enquiry_id}/person/together", person_page.take_back, methods=["POST"]),
    Route("/deliveries", deliveries_page.show, methods=["GET"]),
    Route("/deliveries/alike", deliveries_page.decide_alike, methods=["POST"]),
    Route("/deliveries/{delivery_id}/again", deliveries_page.send_again, methods=["POST"]),
    Route("/deliveries/{delivery_id}/drop", deliveries_page.give_up, methods=["POST"]),
    Route("/accuracy", accuracy_page.show, methods=["GET"]),
    Route("/goals", goals_page.show, methods=["GET"]),
    Route("/connections", connections_page.show, methods=["GET"]),
    Route("/connections/{installation_id}/try", connections_page.try_now, methods=["POST"]),
    Route("/connections/{installation_id}/disconnect", connections_page.ask, methods=["GET"]),
    Route("/connections/{installation_id}/disconnect", connections_page.disconnect, methods=["POST"]),
    Route("/connections/{installation_id}/conflicts", conflicts_page.show, methods=["GET"]),
    Route("/connections/{installation_id}/requests", requests_page.show, methods=["GET"]),
    Route("/connections/{installation_id}/requests.jsonl", requests_page.download, methods=["GET"]),
    Route("/connections/{installation_id}/requests/delete", requests_page.delete, methods=["POST"]),
    Route("/connections/{installation_id}/erase", erase_page.ask, methods=["GET"]),
    Route("/connections/{installation_id}/erase", erase_page.erase, methods=["POST"]),
    Route("/connections/{connector}/token", token_page.show, methods=["GET"]),
    Route("/connections/{connector}/token", token_page.take, methods=["POST"]),
    Route("/scenarios", scenarios_page.show, methods=["GET"]),
    Route("/scenarios/try", scenarios_page.try_out, methods=["POST"]),
    Route("/scenarios/publish", scenarios_page.publish, methods=["POST"]),
    Route("/scenarios/cell", cell_page.show, methods=["POST"]),
    Route("/scenarios/back", scenarios_page.go_back, methods=["POST"]),
    Route("/sites", sites_page.show, methods=["GET"]),
    Route("/sites/{key}/numbers", numbers_page.show, methods=["GET"]),
]


async def _refuse(request: Request, error: Exception) -> Response:
    """Answer what no route takes: a page for a browser, a sentence for a machine."""
    assert isinstance(error, HTTPException)
    if "text/html" not in request.headers.get("accept", ""):
        answer: Response = refused(request, error.status_code, _sentence(request, error))
    else:
        await whoever(request)
        answer = await complain(request, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


def _sentence(request: Request, error: HTTPException) -> str:
    if error.status_code == 404:
        return "There is nothing under this address."
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        return f"This address does not take {request.method[:20]}; allowed: {allowed}."
    return error.detail if error.detail.endswith(".") else f"{error.detail}."


exception_handlers: Mapping[Any, Any] = {HTTPException: _refuse}
