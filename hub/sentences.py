"""Sentences the core writes in English, for a reader of Russian; the figures in them stay as they are.

The core says why it matched or judged a call in one sentence. A test makes the core say each of them.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

_RUSSIAN: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        # the match of a call
        (r"A person named this visit\.", "Визит указал сотрудник."),
        (r"A person says that it was none of these visitors\.", "Сотрудник указал: это никто из этих посетителей."),
        (r"The telephony named the visit itself\.", "Визит назвала сама телефония."),
        (
            r"(\d+) visitors held the number at the time of the call; the likeliest is named\.",
            r"В момент звонка номер видели посетители: \1; назван самый вероятный.",
        ),
        (
            r"The number was this visitor's alone at the time of the call;",
            "В момент звонка номер был закреплён только за этим посетителем;",
        ),
        (r"Nobody was shown the number before the call\.", "До звонка этот номер никому не показывали."),
        (r"The last visitor who was shown the number;", "Последний посетитель, которому показали номер;"),
        (
            r"Shown the number earlier, yet likelier than those after;",
            "Номер показали ему раньше, но он вероятнее тех, кому показали позже;",
        ),
        (r"The visitor tapped the number (\d+) s before the call\.", r"Посетитель нажал на номер за \1 с до звонка."),
        (r"The caller's region is the visit's\.", "Регион звонившего — тот же, что у визита."),
        (r"The caller's region differs\.", "Регион звонившего — другой."),
        (
            r"Nobody is likely enough: the best candidate has (\d+)%\.",
            r"Уверенности нет: у лучшего кандидата \1 %.",
        ),
        (r"Probable only \((\d+)%\)\.", r"Только вероятно (\1 %)."),
        (
            r"The same caller called on ([\d.]+); that call's visitor is taken\.",
            r"Этот же человек звонил \1; взят посетитель того звонка.",
        ),
        (r"The number is shown only in the placement (.+)\.", r"Номер показан только в размещении «\1»."),
        (r"on the site when the call began", "был на сайте, когда начался звонок"),
        (r"last seen (\d+) min before it", r"был на сайте за \1 мин до звонка"),
        (r"last seen (\d+) h before it", r"был на сайте за \1 ч до звонка"),
        (r"The enquiry was sent from this visit\.", "Обращение отправлено из этого визита."),
        (
            r"The same person turned to us on ([\d.]+); that enquiry's visitor is taken\.",
            r"Этот же человек обращался \1; взят посетитель того обращения.",
        ),
        (
            r"No visit came with the enquiry, and the person is not known\.",
            "Обращение пришло без визита, и этого человека мы не знаем.",
        ),
        # the verdict on an enquiry
        (
            r"It leaves neither a phone nor an e-mail to answer to\.",
            "Ответить некуда: ни телефона, ни почты.",
        ),
        (r"The phone is on the staff list\.", "Это телефон сотрудника."),
        (r"The phone is on the spam list\.", "Телефон в списке спама."),
        (
            r"This person has turned to us before, and only first enquiries count\.",
            "Человек уже обращался, а засчитывается только первое обращение.",
        ),
        (r"It came outside working hours\.", "Пришло в нерабочее время."),
        (r"The caller waited (\d+) s, at most (\d+) s count\.", r"Ждал ответа \1 с, засчитывается до \2 с."),
        (r"It is of the kind \w+; only these count: [\w, ]+\.", "Такие обращения правило не засчитывает."),
        (r"It can be answered in the chat\.", "Ответить можно в чате."),
        (r"It can be answered: a phone or an e-mail is left\.", "Есть куда ответить: оставлен телефон или почта."),
        # the verdict on a call
        (
            r"The talk lasted (\d+) s, at least (\d+) s count\.",
            r"Разговор длился \1 с, засчитывается от \2 с.",
        ),
        (
            r"Called back after (\d+) s; the talk lasted (\d+) s, at least (\d+) s count\.",
            r"Перезвонили через \1 с; разговор длился \2 с, засчитывается от \3 с.",
        ),
        (
            r"Called back after (\d+) s, at most (\d+) s count\.",
            r"Перезвонили через \1 с, засчитывается до \2 с.",
        ),
        (
            r"Nobody has called back; a call back within (\d+) s counts\.",
            r"Никто не перезвонил; засчитывается перезвон за \1 с.",
        ),
        (
            r"The call back counts for an earlier enquiry of the same person\.",
            "Перезвон засчитан за более раннее обращение этого человека.",
        ),
        (r"Nobody answered\.", "Никто не ответил."),
        (r"The call is not over yet\.", "Звонок ещё идёт."),
        (r"The call is outbound, not inbound\.", "Звонок исходящий."),
        (r"The call is internal, not inbound\.", "Звонок внутренний."),
        (r"The caller is on the staff list\.", "Звонил сотрудник."),
        (r"The caller is on the spam list\.", "Номер в списке спама."),
        (
            r"The caller has called before, and only first calls count\.",
            "Человек уже звонил, а засчитывается только первый звонок.",
        ),
        # rules that do not fit an account
        (r"scenario version \d+:(\d+): ", r"строка \1 сценария: "),
        (r"unknown pipeline '(.+?)'", r"нет воронки «\1»"),
        (r"unknown stage '(.+?)'", r"нет этапа «\1»"),
        (r"unknown user '(.+?)'", r"нет сотрудника «\1»"),
        (r"several are called (?:pipeline|stage|user) '(.+?)': use the id", r"несколько с именем «\1»: укажите номер"),
        (r"; did you mean (.+?)\?", r"; может быть, \1?"),
        (r"; allowed: ", "; есть: "),
        # a reconciliation
        (r"Telephony never told that the call ended\.", "Телефония так и не сообщила, что звонок закончился."),
        (
            r"The ledger says that it was planned, and its delivery is missing from the database\.",
            "По журналу это было запланировано, но самой передачи в базе нет.",
        ),
        (
            r"Entry (\d+) does not fit: its number is not the next one: an entry before it is missing, or it was put in\.",
            r"Не сходится запись \1: её номер не следующий — запись перед ней пропала или эту вставили.",
        ),
        (
            r"Entry (\d+) does not fit: it was not sealed after the entry that stands before it now\.",
            r"Не сходится запись \1: она запечатана не после той, что теперь стоит перед ней.",
        ),
        (
            r"Entry (\d+) does not fit: it does not tell what it told when it was sealed\.",
            r"Не сходится запись \1: в ней сказано не то, что было при запечатывании.",
        ),
        (
            r"Entry (\d+) does not fit: the chain does not end there by the hub's own mark: .+\.",
            r"Не сходится запись \1: по отметке хаба цепочка кончается не здесь — записи после неё пропали, добавлены "
            "или всё переписано заново.",
        ),
        (
            r"Entry (\d+) does not fit: the chain ends there without the hash you noted: .+\.",
            r"Не сходится запись \1: цепочка кончается здесь, а записанного вами хеша в ней нет — базу вернули "
            "к более раннему моменту.",
        ),
    )
)


@lru_cache(maxsize=4_096)  # there are many patterns, and few sentences that differ in more than a number
def told(language: str, sentence: str) -> str:
    """Return a sentence of the core in the reader's language; one we have no words for stays as it is."""
    if language != "ru":
        return sentence
    for pattern, text in _RUSSIAN:
        sentence = pattern.sub(text, sentence)
    return sentence
