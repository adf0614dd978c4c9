"""What is missing in an account for everything to work, as it can be seen without writing anything."""

from collections.abc import Iterable, Iterator, Sequence

from connectors.amocrm.account import Fields
from connectors.amocrm.api import Json, linked, objects, whole
from connectors.amocrm.mappings import OWN_FIELDS, STAGE_OUTCOME, TRACKING, UNSORTED_STAGE
from connectors.telling import Said

_SHOWN = 6  # names in one sentence


def missing(account: Json, pipelines: Sequence[Json], fields: Fields, *, is_admin: bool) -> tuple[Said, ...]:
    """Return what a person should know of his account, the gravest first."""
    return (
        *([] if is_admin else [Said("no_admin")]),
        *_required(fields.found, pipelines),
        *_statistics(fields),
        *_unsorted(account, pipelines),
        *([] if account.get("is_api_filter_enabled") else [Said("filters_off")]),
    )


def _required(fields: Sequence[Json], pipelines: Sequence[Json]) -> Iterator[Said]:
    """Yield the fields that must be filled where a new deal lands, but for those the hub fills [3.10]."""
    landing = {id_ for pipeline in pipelines if (id_ := _first_stage(pipeline)) is not None}
    names = [
        str(one.get("name") or one.get("id"))
        for one in fields
        if any((whole(stage.get("pipeline_id")), whole(stage.get("status_id"))) in landing for stage in _stages(one))
        and str(one.get("code") or "") not in OWN_FIELDS
    ]
    if names:
        yield Said("required_fields", {"fields": _listed(names)})


def _stages(field: Json) -> list[Json]:
    return objects(field.get("required_statuses"))


def _first_stage(pipeline: Json) -> tuple[int, int] | None:
    """Return (pipeline, stage) of the first stage a new deal can land in."""
    open_ones = [
        stage
        for stage in linked(pipeline, "statuses")
        if stage.get("type") != UNSORTED_STAGE and whole(stage["id"]) not in STAGE_OUTCOME
    ]
    first = min(open_ones, key=lambda stage: whole(stage.get("sort")), default=None)
    return (whole(pipeline.get("id")), whole(first["id"])) if first else None


def _statistics(fields: Fields) -> Iterator[Said]:
    gone = sorted(set(TRACKING.values()) - fields.ids.keys())
    if gone:
        yield Said("statistics_removed", {"fields": ", ".join(gone)})


def _unsorted(account: Json, pipelines: Sequence[Json]) -> Iterator[Said]:
    if not account.get("is_unsorted_on"):
        yield Said("unsorted_off")
        return
    off = [str(one.get("name") or one["id"]) for one in pipelines if one.get("is_unsorted_on") is False]
    if off:
        yield Said("unsorted_off_in", {"pipelines": _listed(off)})


def _listed(names: Iterable[str]) -> str:
    found = list(dict.fromkeys(names))
    return ", ".join(found[:_SHOWN]) + ("…" if len(found) > _SHOWN else "")
