"""What is missing in an account for everything to work, as it can be seen without writing anything."""

from collections.abc import Iterator, Mapping

from connectors.bitrix24.api import Replies
from connectors.bitrix24.mappings import USER_FIELD
from connectors.telling import Said

_SHOWN = 6  # names in one sentence
# What a new deal has without anybody filling it, or what the hub fills.
_FILLED = frozenset({"title", "stageId", "categoryId", "contactId", "assignedById", "currencyId", "id", "opened"})


def missing(told: Replies, fields: Mapping[str, object]) -> tuple[Said, ...]:
    """Return what a person should know of his account, the gravest first."""
    is_finished = told.object("app").get("INSTALLED") is not False
    is_admin = told.object("profile").get("ADMIN") is True
    return (
        *([] if is_finished else [Said("not_finished")]),
        *([] if is_admin else [Said("no_admin")]),
        *([Said("users_unseen")] if "users" in told.faults else []),
        *_required(fields),
    )


def _required(fields: Mapping[str, object]) -> Iterator[Said]:
    """Yield the fields without which the portal refuses a deal [4.2]."""
    names = [
        str(one.get("listLabel") or one.get("title") or key)
        for key, one in fields.items()
        if isinstance(one, dict)
        and one.get("isRequired") is True
        and key not in _FILLED
        and not key.startswith(f"{USER_FIELD}HUB_")
    ]
    if names:
        yield Said("required_fields", {"fields": ", ".join(names[:_SHOWN]) + ("…" if len(names) > _SHOWN else "")})
