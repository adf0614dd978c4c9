"""What every connector may have to say, in both languages; ``{crm}`` is the vendor's name, as its manifest says it.

A connector that knows better says the same code in words of its own.
"""

from collections.abc import Mapping

from connectors.telling import Sentence

_RU = {
    "busy": Sentence(
        "В {crm} случился сбой: неизвестно, приняла ли она обращение.",
        "Делать ничего не нужно: хаб сначала проверит, потом повторит.",
    ),
    "down": Sentence(
        "{crm} не отвечает как следует: сбой на её стороне.", "Делать ничего не нужно: хаб попробует снова сам."
    ),
    "moved": Sentence(
        "{crm} отправила запрос на другой адрес: возможно, аккаунт переименовали.",
        "Если это не пройдёт за час, подключите аккаунт ещё раз.",
    ),
    "invalid": Sentence(
        "{crm} не приняла данные обращения.",
        "Проверьте сценарий и настройки в {crm}, затем нажмите «Отправить ещё раз».",
    ),
    "token_dead": Sentence(
        "{crm} больше не принимает доступ, который ей дали.",
        "Хаб обновит его сам. Если не получится, он попросит подключить аккаунт ещё раз.",
    ),
    "unpaid": Sentence(
        "Аккаунт {crm} не оплачен: он не принимает изменений.", "Оплатите {crm}: звонки ждут и уйдут сами."
    ),
    "forbidden": Sentence(
        "{crm} не разрешает это: у пользователя, который её подключил, нет прав, или аккаунт заблокирован.",
        "Подключите аккаунт ещё раз под администратором.",
    ),
    "not_known": Sentence(
        "{crm} не знает того, о чём говорит запрос: возможно, это удалили.",
        "Проверьте сценарий и настройки в {crm}, затем нажмите «Отправить ещё раз».",
    ),
    "not_offered": Sentence("{crm} этого не умеет.", "Измените сценарий, затем нажмите «Отправить ещё раз»."),
    "conflict": Sentence(
        "{crm} говорит, что это противоречит тому, что в ней уже есть.", "Проверьте карточку клиента в {crm}."
    ),
    "gone": Sentence("В {crm} уже нет того, о чём говорит запрос.", "Проверьте карточку клиента в {crm}."),
    "too_large": Sentence(
        "{crm} говорит, что запрос слишком велик.", "Сократите тексты в сценарии, затем нажмите «Отправить ещё раз»."
    ),
    "not_read": Sentence("{crm} не читает запросы в таком виде.", "Сообщите об этом разработчикам хаба."),
    "refused": Sentence(
        "{crm} отказалась принять обращение.",
        "Проверьте сценарий и настройки в {crm}, затем нажмите «Отправить ещё раз».",
    ),
    "locked": Sentence("{crm} сейчас не даёт это менять.", "Делать ничего не нужно: хаб попробует снова сам."),
    "later": Sentence("{crm} просит прийти позже.", "Делать ничего не нужно: хаб попробует снова сам."),
    "slow_down": Sentence(
        "{crm} просит слать запросы реже: их в аккаунте слишком много.",
        "Делать ничего не нужно. Если так бывает часто, проверьте, какие ещё интеграции работают с аккаунтом.",
    ),
    "strange": Sentence(
        "Ответ {crm} не удалось понять: неизвестно, приняла ли она обращение.",
        "Делать ничего не нужно: хаб сначала проверит, потом повторит.",
    ),
    "unreadable": Sentence(
        "Ответ {crm} не удалось понять ({detail}).",
        "Хаб попробует снова сам. Если это не проходит, сообщите разработчикам хаба.",
    ),
    "unreachable": Sentence(
        "{crm} не отвечает: с ней нет связи ({detail}).",
        "Хаб попробует снова сам. Если это не проходит, проверьте, есть ли у сервера хаба доступ в интернет.",
    ),
}

_EN = {
    "busy": Sentence(
        "{crm} had a failure of its own: it is not known whether it took the enquiry.",
        "There is nothing to do: the hub looks first, and then tries again.",
    ),
    "down": Sentence(
        "{crm} does not answer properly: the failure is on its side.",
        "There is nothing to do: the hub tries again by itself.",
    ),
    "moved": Sentence(
        "{crm} sent the request to another address: the account may have been renamed.",
        "If this has not passed in an hour, connect the account again.",
    ),
    "invalid": Sentence(
        "{crm} did not accept the enquiry's data.",
        "Check the scenario and the settings in {crm}, then press “Send again”.",
    ),
    "token_dead": Sentence(
        "{crm} no longer accepts the access it was given.",
        "The hub renews it by itself. If that fails, it asks you to connect the account again.",
    ),
    "unpaid": Sentence(
        "The {crm} account is not paid for: it accepts no changes.",
        "Pay for {crm}: calls wait and go by themselves.",
    ),
    "forbidden": Sentence(
        "{crm} does not allow this: the user who connected it lacks the right, or the account is blocked.",
        "Connect the account again as an administrator.",
    ),
    "not_known": Sentence(
        "{crm} does not know what the request speaks of: it may have been deleted.",
        "Check the scenario and the settings in {crm}, then press “Send again”.",
    ),
    "not_offered": Sentence("{crm} cannot do this.", "Change the scenario, then press “Send again”."),
    "conflict": Sentence(
        "{crm} says that this conflicts with what it already has.", "Look at the client's card in {crm}."
    ),
    "gone": Sentence("What the request speaks of is gone from {crm}.", "Look at the client's card in {crm}."),
    "too_large": Sentence(
        "{crm} says that the request is too large.", "Shorten the texts of the scenario, then press “Send again”."
    ),
    "not_read": Sentence("{crm} does not read requests of this form.", "Tell the hub's developers."),
    "refused": Sentence(
        "{crm} refused the enquiry.", "Check the scenario and the settings in {crm}, then press “Send again”."
    ),
    "locked": Sentence(
        "{crm} does not let this be changed now.", "There is nothing to do: the hub tries again by itself."
    ),
    "later": Sentence("{crm} asks to come later.", "There is nothing to do: the hub tries again by itself."),
    "slow_down": Sentence(
        "{crm} asks for fewer requests: there are too many in the account.",
        "There is nothing to do. If it is often, see which other integrations use the account.",
    ),
    "strange": Sentence(
        "{crm} answered in a way we do not understand: it is not known whether it took the enquiry.",
        "There is nothing to do: the hub looks first, and then tries again.",
    ),
    "unreadable": Sentence(
        "{crm} answered in a way we do not understand ({detail}).",
        "The hub tries again by itself. If this does not pass, tell the hub's developers.",
    ),
    "unreachable": Sentence(
        "{crm} cannot be reached ({detail}).",
        "The hub tries again by itself. If this does not pass, check that the hub's server reaches the internet.",
    ),
}

common_words: Mapping[str, Mapping[str, Sentence]] = {"ru": _RU, "en": _EN}
