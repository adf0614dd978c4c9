"""Pages for everybody, without a login: help, and what happens to people's data.

A marketplace's moderator opens them, and whoever wonders what this server knows of him.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.settings import Settings
from hub.web.console.shell import bare_desk, render

_HELP = ("connect", "empty", "wrong", "recording", "goal", "account", "write")
_PRIVACY = ("who", "what", "browser", "why", "where", "crm", "recordings", "keep", "remove", "ask")


async def support(request: Request) -> Response:
    """Show what to do when something does not work, and whom to write to."""
    return _paper(request, "support", _HELP)


async def privacy(request: Request) -> Response:
    """Show which data are processed, why, where, and how they are removed."""
    return _paper(request, "privacy", _PRIVACY)


def _paper(request: Request, name: str, parts: tuple[str, ...]) -> Response:
    desk = bare_desk(request)
    settings: Settings = desk.hub.settings
    t, days = desk.words, settings.recording_link_days
    operator = settings.operator.strip() or t("pages.somebody")
    email = settings.support_email.strip()
    values = {
        "operator": operator,
        "contact": t("pages.ask_email", email=email) if email else t("pages.ask_company"),
        "days": t.count("check.days", settings.request_log_days),
        "erased": t.count("check.days", settings.erase_after_days),
        "links": t("pages.links_days", days=days) if days else t("pages.no_links"),
    }
    told = [(t(f"{name}.{part}_head"), t(f"{name}.{part}", **values).split("\n")) for part in parts]
    lead = t(f"{name}.lead", **values)
    here = {"support": "privacy", "privacy": "support"}
    return render(desk, "paper.html", paper=name, other=here[name], lead=lead, parts=told, email=email)


routes = [Route("/support", support, methods=["GET"]), Route("/privacy", privacy, methods=["GET"])]
