"""What the hub itself has to say of deliveries, holds and access, in both languages: beside what connectors say."""

from collections.abc import Mapping

from connectors.telling import Sentence

_RU = {
    "hub.no_outcome": Sentence(
        "Из ответа {crm} неясно, что стало с обращением.",
        "Делать ничего не нужно: хаб сначала проверит, потом повторит.",
    ),
    "hub.plan_unreadable": Sentence(
        "План этой отправки нельзя прочитать: ключа, которым он закрыт, больше нет.",
        "Если ключ убрали из связки ключей хаба, верните его и нажмите «Отправить ещё раз».",
    ),
    "hub.dark": Sentence(
        "{crm} трое суток ничего не принимала.", "Когда причина устранена, нажмите «Отправить ещё раз»."
    ),
    "hub.no_app": Sentence(
        "Хаб не знает ключей своего приложения в {crm}.",
        "Впишите их в настройку HUB_APPS (раздел {connector}) и перезапустите хаб.",
    ),
    "hub.hung": Sentence(
        "Хаб слишком долго ждал ответа {crm} и прервал работу с аккаунтом.",
        "Делать ничего не нужно: хаб попробует снова сам.",
    ),
    "hub.failed": Sentence(
        "Ошибка самого хаба при работе с аккаунтом: {error}.",
        "Звонки ждут, хаб попробует снова. Если это не проходит, пришлите разработчикам журнал хаба.",
    ),
    "hub.renewal_lost": Sentence(
        "Ответ на последнее продление доступа не дошёл до хаба: связь прервалась или хаб в этот момент остановили. Старый токен {crm} второй раз не примет.",
        "Подключите аккаунт ещё раз: звонки ждут и уйдут сами.",
    ),
    "hub.access_ended": Sentence(
        "Срок доступа вышел, а продлить его нечем.", "Подключите аккаунт ещё раз: звонки ждут и уйдут сами."
    ),
    "hub.renewal_rests": Sentence(
        "{crm} только что не смогла продлить доступ.", "Делать ничего не нужно: хаб скоро попробует снова."
    ),
    "hub.renewal_slow": Sentence(
        "{crm} слишком долго продлевала доступ.", "Делать ничего не нужно: хаб скоро попробует снова."
    ),
    "hub.removed_there": Sentence(
        "Приложение удалили в {crm}.", "Чтобы передавать обращения снова, установите его ещё раз."
    ),
    "hub.disconnected": Sentence(
        "Аккаунт отключили в хабе.", "Чтобы передавать обращения снова, подключите его ещё раз."
    ),
    "hub.frame_outside": Sentence(
        "Эту страницу показывает {crm} внутри вашего аккаунта.", "Откройте в нём приложение или карточку сделки."
    ),
    "hub.frame_flood": Sentence("С вашего адреса слишком часто открывают эту страницу.", "Обновите её через минуту."),
}

_EN = {
    "hub.no_outcome": Sentence(
        "{crm}'s answer did not say what became of this.",
        "There is nothing to do: the hub looks first, and then tries again.",
    ),
    "hub.plan_unreadable": Sentence(
        "Its plan cannot be read: the key that opens it is gone.",
        "If a key was taken out of the hub's key ring, put it back, then send this again.",
    ),
    "hub.dark": Sentence("{crm} took nothing for three days.", "Once the reason is gone, press “Send again”."),
    "hub.no_app": Sentence(
        "The hub has no keys of its app in {crm}.",
        "Set them in HUB_APPS ({connector}) and restart the hub.",
    ),
    "hub.hung": Sentence(
        "The hub waited too long for {crm} and gave the account up for now.",
        "There is nothing to do: the hub tries again.",
    ),
    "hub.failed": Sentence(
        "The hub itself failed while serving this account: {error}.",
        "Calls wait, and the hub tries again. If this does not pass, send the hub's log to its developers.",
    ),
    "hub.renewal_lost": Sentence(
        "The answer to the last renewal of our access never reached the hub: the connection broke, or the hub was stopped at that moment. {crm} does not take the old token twice.",
        "Connect the account again: calls wait and go by themselves.",
    ),
    "hub.access_ended": Sentence(
        "The access has ended, and it came without a token to renew it.",
        "Connect the account again: calls wait and go by themselves.",
    ),
    "hub.renewal_rests": Sentence(
        "{crm} could not renew our access a moment ago.", "There is nothing to do: the hub asks again soon."
    ),
    "hub.renewal_slow": Sentence(
        "{crm} took too long to renew our access.", "There is nothing to do: the hub asks again soon."
    ),
    "hub.removed_there": Sentence("The app was removed in {crm}.", "To send enquiries again, install it once more."),
    "hub.disconnected": Sentence(
        "The account was disconnected in the hub.", "To send enquiries again, connect it once more."
    ),
    "hub.frame_outside": Sentence(
        "{crm} shows this page inside your account.", "Open the application there, or the card of a deal."
    ),
    "hub.frame_flood": Sentence("This page is opened too often from your address.", "Reload it in a minute."),
}

hub_words: Mapping[str, Mapping[str, Sentence]] = {"ru": _RU, "en": _EN}
