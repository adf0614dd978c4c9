"""The caveats of what the connector can do, in both languages."""

from collections.abc import Mapping

from connectors.telling import Sentence

can_words: Mapping[str, Mapping[str, Sentence]] = {
    "ru": {
        "can_contact": Sentence("Вместе с лидом контакт не создаётся: телефон и e-mail записываются в сам лид."),
        "can_deal": Sentence(
            "Если номер звонящего скрыт, сделка создаётся без контакта; теги записываются в описание источника, других в Битрикс24 нет."
        ),
        "can_task": Sentence("Это дело в карточке сделки (универсальное дело), а не задача из раздела «Задачи»."),
        "can_incoming": Sentence("Это лид; если в Битрикс24 включён режим без лидов, вместо него создаётся сделка."),
        "can_fields": Sentence("Тегов в Битрикс24 нет: они дописываются в описание источника."),
        "can_move": Sentence("Если сделку передвинули в ту же секунду, хаб может передвинуть её дальше оттуда."),
        "can_popup": Sentence(
            "Карточка остаётся на экране, пока её не закроют; нужно право на телефонию у того, кто подключил хаб."
        ),
        "can_register": Sentence(
            "Запись Битрикс24 скачивает сам по ссылке хаба; нужно право на телефонию у того, кто подключил хаб."
        ),
        "can_observe": Sentence(
            "Нужно право смотреть статистику звонков у того, кто подключил хаб; номер тот же, начало в пределах полутора минут."
        ),
        "can_analytics": Sentence(
            "Это сквозная аналитика; визит записывается один раз вместе с новой карточкой, посмотреть записанные нельзя."
        ),
        "can_read_back": Sentence(
            "Это оплаты сделки, иначе её оплаченные счета, иначе сумма выигранной сделки; удаления видны сразу, только если хаб подключил администратор."
        ),
        "can_doorbell": Sentence(
            "События приходят, когда установка приложения завершена; потерянные события Битрикс24 не повторяет, поэтому хаб спрашивает и сам."
        ),
    },
    "en": {
        "can_contact": Sentence("A lead gets no contact beside it: phone and e-mail are written into the lead itself."),
        "can_deal": Sentence(
            "An anonymous caller gets a deal without a contact; tags are written into the description of the source, there are no others."
        ),
        "can_task": Sentence("It is a to-do in the timeline of the deal, not a task of the section Tasks."),
        "can_incoming": Sentence("It is a lead; where leads are switched off a deal is made instead."),
        "can_fields": Sentence("Bitrix24 has no tags: they are put behind the description of the source."),
        "can_move": Sentence("A deal that somebody moves in the very second of ours may be moved on from there."),
        "can_popup": Sentence(
            "The card stays on the screen until it is closed; who connected the hub needs the right to telephony."
        ),
        "can_register": Sentence(
            "Bitrix24 fetches the recording itself, from the hub's link; who connected the hub needs the right to telephony."
        ),
        "can_observe": Sentence(
            "Who connected the hub needs the right to see the statistics of calls; the same number, begun within a minute and a half."
        ),
        "can_analytics": Sentence(
            "Sales Intelligence; a visit is written once, with its new card, and nobody can ask which are there."
        ),
        "can_read_back": Sentence(
            "Payments of the deal, else its paid invoices, else the amount of a won deal; deletions show at once only where an administrator connected the hub."
        ),
        "can_doorbell": Sentence(
            "Events come once the installation is finished; lost ones are not repeated, so the hub asks by itself, too."
        ),
    },
}
