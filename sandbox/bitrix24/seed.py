"""What a new portal holds: three employees, two pipelines, the dictionaries of the vendor (sheet section 4.5)."""

from sandbox.bitrix24.ids import IdWell
from sandbox.bitrix24.model import COMPANY, CONTACT, DEAL, INVOICE, Category, Status, User

PEOPLE = (
    (1, "Анна", "Администратор", "anna@romashka.example", "100", True),
    (6, "Мария", "Менеджер", "maria@romashka.example", "101", False),
    (12, "Пётр", "Продавцов", "petr@romashka.example", "102", False),
)
LEAD_STATUSES = (
    ("NEW", "Не обработан", None),
    ("IN_PROCESS", "В работе", None),
    ("PROCESSED", "Обработан", None),
    ("CONVERTED", "Качественный лид", "S"),
    ("JUNK", "Некачественный лид", "F"),
)
DEAL_STAGES = (
    ("NEW", "Новая", None),
    ("PREPARATION", "Подготовка документов", None),
    ("PREPAYMENT_INVOICE", "Счёт на предоплату", None),
    ("EXECUTING", "В работе", None),
    ("FINAL_INVOICE", "Финальный счёт", None),
    ("WON", "Сделка успешна", "S"),
    ("LOSE", "Сделка провалена", "F"),
    ("APOLOGY", "Анализ причины провала", "F"),
)
SERVICE_STAGES = (
    ("NEW", "Новая заявка", None),
    ("UC_A1B2C3", "Выезд назначен", None),
    ("WON", "Выполнено", "S"),
    ("LOSE", "Отказ", "F"),
)
INVOICE_STAGES = (("N", "Новый", None), ("S", "Отправлен", None), ("P", "Оплачен", "S"), ("D", "Не оплачен", "F"))
SOURCES = (
    *(("CALL", "Звонок"), ("EMAIL", "Электронная почта"), ("WEB", "Веб-сайт"), ("ADVERTISING", "Реклама")),
    *(("PARTNER", "Существующий клиент"), ("RECOMMENDATION", "По рекомендации"), ("TRADE_SHOW", "Выставка")),
    *(("WEBFORM", "CRM-форма"), ("CALLBACK", "Обратный звонок"), ("RC_GENERATOR", "Генератор продаж")),
    *(("STORE", "Интернет-магазин"), ("OTHER", "Другое")),
)
OTHERS = {
    "CONTACT_TYPE": (("CLIENT", "Клиенты"), ("SUPPLIER", "Поставщики"), ("PARTNER", "Партнёры"), ("OTHER", "Другое")),
    "DEAL_TYPE": (("SALE", "Продажа"), ("COMPLEX", "Комплексная продажа"), ("SERVICE", "Сервисное обслуживание")),
    "HONORIFIC": (("HNR_RU_1", "г-н"), ("HNR_RU_2", "г-жа")),
    "INDUSTRY": (("IT", "Информационные технологии"), ("OTHER", "Другое")),
}


def make_users() -> dict[int, User]:
    """Returns an admin and two managers."""
    return {one[0]: User(*one) for one in PEOPLE}


def make_categories(ids: IdWell) -> list[Category]:
    """Returns the pipelines: deals have two, invoices one; contacts and companies their default."""
    service, invoices = ids.next("category"), ids.next("category")
    return [
        Category(0, DEAL, "Общая", 300, True),
        Category(service, DEAL, "Сервис", 400, False),
        Category(invoices, INVOICE, "Общая", 500, True),
        Category(0, CONTACT, "Общая", 500, True),
        Category(0, COMPANY, "Общая", 500, True),
    ]


def make_statuses(ids: IdWell, categories: list[Category]) -> list[Status]:
    """Returns the lines of every dictionary."""
    service = next(one.id for one in categories if one.kind == DEAL and one.id)
    invoices = next(one.id for one in categories if one.kind == INVOICE)
    made: list[Status] = []
    for entity, prefix, category, stages in (
        ("STATUS", "", None, LEAD_STATUSES),
        ("DEAL_STAGE", "", None, DEAL_STAGES),
        (f"DEAL_STAGE_{service}", f"C{service}:", service, SERVICE_STAGES),
        (f"SMART_INVOICE_STAGE_{invoices}", f"DT31_{invoices}:", invoices, INVOICE_STAGES),
    ):
        for index, (code, name, semantics) in enumerate(stages, start=1):
            told = f"{prefix}{code}"
            made.append(Status(ids.next("status"), entity, told, name, 10 * index, semantics, True, category))
    for entity, lines in {"SOURCE": SOURCES, **OTHERS}.items():
        for index, (code, name) in enumerate(lines, start=1):
            made.append(Status(ids.next("status"), entity, code, name, 10 * index))
    return made
