"""What a new account holds: one admin, two managers, two pipelines."""

from sandbox.amocrm.ids import IdWell
from sandbox.amocrm.model import Pipeline, Stage, User

_PEOPLE = (
    ("Анна Администратор", "anna@romashka.example", "+74951110001", True),
    ("Мария Менеджер", "maria@romashka.example", "+74951110002", False),
    ("Пётр Продавцов", "petr@romashka.example", "+74951110003", False),
)
_PIPELINES = (
    ("Продажи", ("Первичный контакт", "Переговоры", "Принимают решение", "Согласование договора")),
    ("Сервис", ("Новая заявка", "В работе")),
)
_COLORS = ("#99ccff", "#ffff99", "#ffcc66", "#ffcccc")


def make_users(ids: IdWell) -> dict[int, User]:
    """Returns an admin and two managers."""
    users = [User(ids.next("user"), name, email, phone, admin) for name, email, phone, admin in _PEOPLE]
    return {user.id: user for user in users}


def make_pipelines(ids: IdWell) -> dict[int, Pipeline]:
    """Returns the main pipeline and a second one, each with unsorted, 142 and 143."""
    pipelines = [make_pipeline(ids, name, stages, sort) for sort, (name, stages) in enumerate(_PIPELINES, start=1)]
    return {pipeline.id: pipeline for pipeline in pipelines}


def make_pipeline(ids: IdWell, name: str, stages: tuple[str, ...], sort: int) -> Pipeline:
    """Returns one pipeline with the given working statuses between unsorted and the two closed ones."""
    made = [Stage(ids.next("status"), "Неразобранное", 10, "#c1c1c1", 1, False)]
    made += [
        Stage(ids.next("status"), stage, 20 + 10 * index, _COLORS[index % len(_COLORS)])
        for index, stage in enumerate(stages)
    ]
    made.append(Stage(142, "Успешно реализовано", 10_000, "#CCFF66", 0, False))
    made.append(Stage(143, "Закрыто и не реализовано", 11_000, "#D5D8DB", 0, False))
    return Pipeline(ids.next("pipeline"), name, sort, sort == 1, made)
