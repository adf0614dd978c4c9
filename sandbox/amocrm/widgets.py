"""GET, POST and DELETE /widgets/{code}: the integration's widget in this account (sheet section 8.5)."""

from sandbox.amocrm.errors import refuse
from sandbox.amocrm.hal import NO_CONTENT, Json, counted, hal, self_link
from sandbox.amocrm.model import Widget
from sandbox.amocrm.people import need_admin
from sandbox.amocrm.turn import Turn
from sandbox.wire import Answer


def list_widgets(turn: Turn) -> Answer:
    """GET /widgets."""
    return counted(turn, "widgets", list(turn.account.widgets.values()), lambda one: _model(turn, one))


def one_widget(turn: Turn, code: str) -> Answer:
    """GET /widgets/{code}."""
    return hal(_model(turn, _found(turn, code)))


def install_widget(turn: Turn, code: str) -> Answer:
    """POST /widgets/{code}: installs the widget with its settings, or changes them."""
    need_admin(turn)
    widget, settings = _found(turn, code), turn.sent_object()
    missing = [key for key in widget.required if not settings.get(key)]
    if missing:
        raise refuse(400, f"Required settings: {', '.join(missing)}")
    widget.settings, widget.is_active = settings, True
    turn.account.store.changes += 1
    return hal(_model(turn, widget))


def remove_widget(turn: Turn, code: str) -> Answer:
    """DELETE /widgets/{code}: switches the widget off; its settings are gone."""
    need_admin(turn)
    widget = _found(turn, code)
    widget.settings, widget.is_active = {}, False
    turn.account.store.changes += 1
    return NO_CONTENT


def _found(turn: Turn, code: str) -> Widget:
    widget = turn.account.widgets.get(code)
    if widget is None:
        raise refuse(404, "Widget not found")
    return widget


def _model(turn: Turn, widget: Widget) -> Json:
    model: Json = {
        "id": widget.id,
        "code": widget.code,
        "version": widget.version,
        "rating": "0",
        "settings_template": [
            {"key": key, "name": key, "type": "text", "is_required": key in widget.required} for key in widget.keys
        ],
        "is_lead_source": True,
        "is_work_with_dp": True,
        "is_crm_template": False,
        "client_uuid": turn.account.tokens.client_id,
        "is_active_in_account": widget.is_active,
        "pipeline_id": None,
    }
    if turn.client_id == turn.account.tokens.client_id:  # others do not see what the integration was told
        model["settings"] = widget.settings or None
    return model | {"_links": self_link(f"{turn.api}/widgets/{widget.code}")}
