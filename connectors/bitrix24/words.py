"""What the connector says to people, in both languages: code -> what is the matter, and what to do about it."""

from collections.abc import Mapping

from connectors.bitrix24.can_words import can_words
from connectors.bitrix24.hand_words import hand_words
from connectors.bitrix24.outcome_words import outcome_words
from connectors.telling import Sentence

_RU = {
    "not_finished": Sentence(
        "Установка приложения в Битрикс24 не завершена: до этого он не присылает события и не показывает вкладки.",
        "Откройте приложение в Битрикс24 под администратором: установка завершится сама.",
    ),
    "no_admin": Sentence(
        "Битрикс24 подключил пользователь без прав администратора: хаб видит только то, что видит он, и может завести дубли того, чего не видит.",
        "Подключите портал ещё раз под администратором.",
    ),
    "users_unseen": Sentence(
        "Битрикс24 не показывает хабу сотрудников: в сценарии их придётся называть номерами.",
        "Дайте приложению право «Пользователи (базовый доступ)» и подключите портал ещё раз.",
    ),
    "too_old": Sentence(
        "В этом Битрикс24 нет метода {method}, без которого хаб с ним работать не может.",
        "Обновите Битрикс24 на своём сервере (модули CRM и REST), затем проверьте связь.",
    ),
    "lacks_telephony": Sentence(
        "В этом Битрикс24 нет телефонии для приложений: карточка звонящего на экране не показывается. Звонки и сделки доходят.",
        "Если карточка нужна, обновите на своём сервере модуль телефонии.",
    ),
    "lacks_payments": Sentence(
        "Этот Битрикс24 не отдаёт оплаты сделок: выручкой считаются оплаченные счета, а без них — сумма выигранной сделки.",
        "Если оплаты нужны, обновите на своём сервере модуль CRM.",
    ),
    "lacks_history": Sentence(
        "Этот Битрикс24 не отдаёт историю стадий: стадию, которую сделка прошла между двумя опросами, хаб не увидит.",
        "Если цели считаются по стадиям, обновите на своём сервере модуль CRM.",
    ),
    "lacks_todos": Sentence(
        "В этом Битрикс24 нет универсальных дел: задачи из сценария создать нельзя.",
        "Уберите задачи из сценария или обновите на своём сервере модуль CRM.",
    ),
    "lacks_events": Sentence(
        "Этот Битрикс24 не сообщает приложениям о событиях: об изменениях сделок хаб узнаёт опросом.",
        "Делать ничего не нужно.",
    ),
    "lacks_tabs": Sentence(
        "В этом Битрикс24 нельзя встроить вкладку в карточку: источник виден в полях сделки и в комментарии.",
        "Делать ничего не нужно.",
    ),
    "frame_own_server": Sentence(
        "Хаб не знает портала {host}: он не в облаке Битрикс24.",
        "Если это ваш сервер, попросите того, кто отвечает за хаб, назвать его в HUB_APPS (hosts).",
    ),
    "required_fields": Sentence(
        "В сделках обязательны поля: {fields}. Хаб их не заполняет: Битрикс24 откажет в создании сделки.",
        "Снимите обязательность этих полей или впишите их значения в сценарий (fields).",
    ),
    "fields_refused": Sentence(
        "Битрикс24 не дал создать поля источника: {fields}. Источник виден в UTM-метках сделки и в комментарии.",
        "Подключите портал ещё раз под администратором.",
    ),
    "fields_removed": Sentence(
        "В Битрикс24 удалены поля источника: {fields}. Хаб их больше не заполняет, звонки доходят как прежде.",
        "Чтобы вернуть поля, подключите этот портал ещё раз.",
    ),
    "hooks_refused": Sentence(
        "Битрикс24 не подписал хаб на события ({words}). Об изменениях сделок хаб узнаёт опросом и попробует подписаться ещё раз.",
        "Делать ничего не нужно.",
    ),
    "hooks_no_way": Sentence(
        "Адрес хаба {host} не виден из интернета, поэтому Битрикс24 не сможет сообщать об изменениях. Хаб узнаёт о них опросом.",
        "Откройте хаб по внешнему адресу и укажите его в HUB_PUBLIC_URL.",
    ),
    "tab_refused": Sentence(
        "Битрикс24 не показал вкладку хаба в карточках ({words}).",
        "Подключите портал ещё раз под администратором; источник виден в полях сделки и в комментарии.",
    ),
    "no_portal": Sentence(
        "«{host}» — не адрес портала Битрикс24.",
        "Впишите адрес вида romashka.bitrix24.ru, как в строке браузера. Портал на своём сервере сначала называют в HUB_APPS (hosts).",
    ),
    "frame_elsewhere": Sentence(
        "Эту страницу открывает Битрикс24 внутри вашего портала.",
        "Откройте приложение CallTracking Hub или карточку сделки в своём портале.",
    ),
    "frame_old": Sentence(
        "Битрикс24 больше не ручается за эту страницу: она открыта слишком давно.", "Обновите страницу."
    ),
    "frame_unsaved": Sentence(
        "Карточка ещё не сохранена, поэтому источника у неё пока нет.", "Сохраните её и откройте вкладку ещё раз."
    ),
    "frame_no_card": Sentence(
        "Битрикс24 не показывает вам эту карточку: её удалили, или у вас нет прав на неё.",
        "Попросите администратора портала дать вам право её читать.",
    ),
    "frame_no_admin": Sentence(
        "Приложение установил пользователь без прав администратора.",
        "Откройте приложение в Битрикс24 под администратором.",
    ),
}

_EN = {
    "not_finished": Sentence(
        "The installation of the application is not finished: until then Bitrix24 sends no events and shows no tabs.",
        "Open the application in Bitrix24 as an administrator: that finishes it.",
    ),
    "no_admin": Sentence(
        "Bitrix24 was connected by a user without admin rights: the hub sees only what he sees, and may double what he does not.",
        "Connect the portal again as an administrator.",
    ),
    "users_unseen": Sentence(
        "Bitrix24 does not show its users to the hub: a scenario has to name them by number.",
        "Give the application the right “Users (basic)” and connect the portal again.",
    ),
    "too_old": Sentence(
        "This Bitrix24 does not have the method {method}, without which the hub cannot work with it.",
        "Update Bitrix24 on your server (the modules CRM and REST), then check the connection.",
    ),
    "lacks_telephony": Sentence(
        "This Bitrix24 has no telephony for applications: a caller's card is not shown on the screen. Calls and deals arrive.",
        "If the card is wanted, update the telephony module on your server.",
    ),
    "lacks_payments": Sentence(
        "This Bitrix24 does not give payments of deals away: paid invoices are the revenue, and without them the amount of a won deal.",
        "If payments are wanted, update the CRM module on your server.",
    ),
    "lacks_history": Sentence(
        "This Bitrix24 does not give the history of stages away: a stage that a deal passed between two looks is not seen.",
        "If goals count by stages, update the CRM module on your server.",
    ),
    "lacks_todos": Sentence(
        "This Bitrix24 has no to-dos of the timeline: tasks of the scenario cannot be made.",
        "Take the tasks out of the scenario, or update the CRM module on your server.",
    ),
    "lacks_events": Sentence(
        "This Bitrix24 does not tell applications of events: the hub asks for changes of deals instead.",
        "There is nothing to do.",
    ),
    "lacks_tabs": Sentence(
        "This Bitrix24 lets nobody put a tab on a card: the source is in the fields of the deal and in its comment.",
        "There is nothing to do.",
    ),
    "frame_own_server": Sentence(
        "The hub does not know the portal {host}: it is not in the cloud of Bitrix24.",
        "If the server is yours, ask who runs the hub to name it in HUB_APPS (hosts).",
    ),
    "required_fields": Sentence(
        "These fields of deals are required: {fields}. The hub does not fill them: Bitrix24 will refuse the deal.",
        "Make them optional, or give them values in the scenario (fields).",
    ),
    "fields_refused": Sentence(
        "Bitrix24 did not let the hub create the fields of the source: {fields}. The source is still in the UTM fields and in the comment.",
        "Connect the portal again as an administrator.",
    ),
    "fields_removed": Sentence(
        "Fields of the source were deleted in Bitrix24: {fields}. The hub does not fill them any more; calls arrive as before.",
        "To have the fields back, connect this portal once more.",
    ),
    "hooks_refused": Sentence(
        "Bitrix24 did not bind the hub to its events ({words}). The hub asks for changes of deals instead, and will try again.",
        "There is nothing to do.",
    ),
    "hooks_no_way": Sentence(
        "The hub's address {host} cannot be seen from the internet, so Bitrix24 cannot tell of changes. The hub asks for them instead.",
        "Have the hub answer under an outside address and set it as HUB_PUBLIC_URL.",
    ),
    "tab_refused": Sentence(
        "Bitrix24 did not let the hub show its tab on cards ({words}).",
        "Connect the portal again as an administrator; the source is in the fields of the deal and in its comment.",
    ),
    "no_portal": Sentence(
        "“{host}” is not the address of a Bitrix24 portal.",
        "Write it as in the browser, for example acme.bitrix24.com. A portal on a server of your own is named in HUB_APPS (hosts) first.",
    ),
    "frame_elsewhere": Sentence(
        "Bitrix24 opens this page inside your portal.",
        "Open the application CallTracking Hub, or the card of a deal, in your portal.",
    ),
    "frame_old": Sentence(
        "Bitrix24 does not vouch for this page any more: it was opened too long ago.", "Reload the page."
    ),
    "frame_unsaved": Sentence(
        "This card is not saved yet, so it has no source so far.", "Save it and open the tab again."
    ),
    "frame_no_card": Sentence(
        "Bitrix24 does not show you this card: it was deleted, or you may not read it.",
        "Ask an administrator of the portal for the right to read it.",
    ),
    "frame_no_admin": Sentence(
        "The application was installed by a user without admin rights.",
        "Open the application in Bitrix24 as an administrator.",
    ),
}

words: Mapping[str, Mapping[str, Sentence]] = {
    "ru": {**_RU, **can_words["ru"], **hand_words["ru"], **outcome_words["ru"]},
    "en": {**_EN, **can_words["en"], **hand_words["en"], **outcome_words["en"]},
}
