"""What is missing in an account for everything to work, as it can be seen without writing anything."""

from collections.abc import Iterator, Mapping

from connectors.bitrix24.api import Replies
from connectors.bitrix24.encoding import command
from connectors.bitrix24.mappings import OF_APP, OPTIONAL, TELEPHONY, TRACE, USER_FIELD
from connectors.telling import Said

_SHOWN = 6  # names in one sentence
# What a new deal has without anybody filling it, or what the hub fills.
_FILLED = frozenset({"title", "stageId", "categoryId", "contactId", "assignedById", "currencyId", "id", "opened"})


def asked(*, by_hook: bool) -> dict[str, str]:
    """Return the commands that ask which methods the portal has [1.8]."""
    names = dict.fromkeys([*TELEPHONY.values(), TRACE, *_wanted(by_hook)])
    return {has(name): command("method.get", {"name": name}) for name in names}


def offers(told: Replies, method: str) -> bool:
    """Say whether the portal says that a method may be called; one that cannot say offers nothing beyond the usual."""
    return told.object(has(method)).get("isAvailable") is True


def has(method: str) -> str:
    """Return the key of the reply that says whether there is a method."""
    return f"has:{method}"


def lacks(told: Replies, *, by_hook: bool) -> tuple[str, ...]:
    """Return the methods that the portal says it does not have; one that cannot say has them all."""
    return tuple(name for name in _wanted(by_hook) if told.object(has(name)).get("isExisting") is False)


def _wanted(by_hook: bool) -> list[str]:
    return [name for name in OPTIONAL if not (by_hook and name in OF_APP)]


def missing(told: Replies, fields: Mapping[str, object], *, by_hook: bool) -> tuple[Said, ...]:
    """Return what a person should know of his account, the gravest first."""
    is_finished = told.object("app").get("INSTALLED") is not False
    is_admin = told.object("profile").get("ADMIN") is True
    return (
        *([Said("by_hook")] if by_hook else []),
        *([] if is_finished else [Said("not_finished")]),
        *([] if is_admin else [Said("no_admin")]),
        *([Said("users_unseen")] if "users" in told.faults else []),
        *(OPTIONAL[name] for name in lacks(told, by_hook=by_hook)),
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
