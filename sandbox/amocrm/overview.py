"""GET /account, pipelines, statuses and loss reasons (sheet sections 3.2, 3.4)."""

from sandbox.amocrm.errors import refuse
from sandbox.amocrm.hal import NO_CONTENT, Json, hal, self_link, wrapped
from sandbox.amocrm.model import Pipeline, Stage
from sandbox.amocrm.turn import Turn
from sandbox.wire import Answer

_TASK_TYPES = ((1, "Связаться", "FOLLOW_UP"), (2, "Встреча", "MEETING"))
_DATETIME = {
    "date_pattern": "d.m.Y H:i",
    "short_date_pattern": "d.m.Y",
    "short_time_pattern": "H:i",
    "date_formant": "d.m.Y",
    "time_format": "H:i:s",
    "timezone": "Europe/Moscow",
    "timezone_offset": "+03:00",
}


def show_account(turn: Turn) -> Answer:
    """GET /account."""
    account = turn.account
    body: Json = {
        "id": account.id,
        "name": account.name,
        "subdomain": account.subdomain,
        "created_at": account.created_at,
        "created_by": 0,
        "updated_at": account.created_at,
        "updated_by": 0,
        "current_user_id": turn.user.id,
        "country": "RU",
        "currency": "RUB",
        "currency_symbol": "₽",
        "customers_mode": "disabled",
        "is_unsorted_on": account.dial["unsorted_on"],
        "mobile_feature_version": 0,
        "is_loss_reason_enabled": True,
        "is_helpbot_enabled": False,
        "is_technical_account": False,
        "contact_name_display_order": 1,
    }
    asked: Json = {
        "is_api_filter_enabled": account.dial["api_filters"],
        "amojo_id": account.amojo_id,
        "drive_url": turn.ask.base,
        "version": 15,
        "amojo_rights": {"can_direct": True, "can_create_groups": True},
        "invoices_settings": {
            "lang": "ru",
            "invoices_catalog_id": account.invoices.id if account.dial["invoices"] else None,
        },
    }
    body |= {key: value for key, value in asked.items() if key in turn.wanted}
    body["_links"] = self_link(f"{turn.api}/account")
    body["_embedded"] = _embedded(turn)
    return hal(body)


def _embedded(turn: Turn) -> Json:
    shown: Json = {}
    if "users_groups" in turn.wanted:
        shown["users_groups"] = [{"id": 0, "name": "Отдел продаж", "uuid": None}]
    if "task_types" in turn.wanted:
        shown["task_types"] = [
            {"id": id_, "name": name, "color": None, "icon_id": None, "code": code} for id_, name, code in _TASK_TYPES
        ]
    if "datetime_settings" in turn.wanted:
        shown["datetime_settings"] = _DATETIME
    return shown


def list_pipelines(turn: Turn) -> Answer:
    """GET /leads/pipelines: everything, without paging."""
    pipelines = [_pipeline(turn, pipeline) for pipeline in turn.account.pipelines.values()]
    return wrapped(turn, "pipelines", pipelines, total=True)


def one_pipeline(turn: Turn, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """GET /leads/pipelines/{id}."""
    return hal(_pipeline(turn, _found(turn, id)))


def list_statuses(turn: Turn, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """GET /leads/pipelines/{id}/statuses."""
    pipeline = _found(turn, id)
    return wrapped(turn, "statuses", [_stage(turn, pipeline, stage) for stage in pipeline.stages], total=True)


def one_status(turn: Turn, id: str, status: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """GET /leads/pipelines/{id}/statuses/{status}."""
    pipeline = _found(turn, id)
    stage = pipeline.stage(int(status))
    if stage is None:
        raise refuse(404, "Status not found")
    return hal(_stage(turn, pipeline, stage))


def _found(turn: Turn, id_: str) -> Pipeline:
    pipeline = turn.account.pipelines.get(int(id_))
    if pipeline is None:
        raise refuse(404, "Pipeline not found")
    return pipeline


def _pipeline(turn: Turn, pipeline: Pipeline) -> Json:
    return {
        "id": pipeline.id,
        "name": pipeline.name,
        "sort": pipeline.sort,
        "is_main": pipeline.is_main,
        "is_unsorted_on": pipeline.is_unsorted_on,
        "is_archive": False,
        "account_id": turn.account.id,
        "_links": self_link(f"{turn.api}/leads/pipelines/{pipeline.id}"),
        "_embedded": {"statuses": [_stage(turn, pipeline, stage) for stage in pipeline.stages]},
    }


def _stage(turn: Turn, pipeline: Pipeline, stage: Stage) -> Json:
    return {
        "id": stage.id,
        "name": stage.name,
        "sort": stage.sort,
        "is_editable": stage.is_editable,
        "pipeline_id": pipeline.id,
        "color": stage.color,
        "type": stage.type,
        "account_id": turn.account.id,
        "_links": self_link(f"{turn.api}/leads/pipelines/{pipeline.id}/statuses/{stage.id}"),
    }


def list_loss_reasons(turn: Turn) -> Answer:
    """GET /leads/loss_reasons."""
    shown = [
        {
            "id": id_,
            "name": name,
            "sort": 100 * place,
            "_links": self_link(f"{turn.api}/leads/loss_reasons/{id_}"),
        }
        for place, (id_, name) in enumerate(turn.account.loss_reasons.items())
    ]
    return wrapped(turn, "loss_reasons", shown, total=True) if shown else NO_CONTENT
