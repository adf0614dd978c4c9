"""What the second script says on a site's pages; a site may say each of these texts in its own words."""

from collections.abc import Mapping

CALLBACK: Mapping[str, Mapping[str, str]] = {
    "ru": {
        "button": "Обратный звонок",
        "title": "Перезвоним вам",
        "text": "Оставьте номер, и мы позвоним.",
        "hours": "",
        "phone": "Телефон",
        "name": "Имя (необязательно)",
        "order": "Жду звонка",
        "agree": "Нажимая кнопку, вы соглашаетесь на обработку персональных данных",
        "sending": "Отправляем…",
        "wrong": "Проверьте номер: цифр не хватает или слишком много.",
        "thanks": "Спасибо! Мы получили ваш номер и перезвоним.",
        "failed": "Не получилось отправить. Позвоните нам: ",
        "close": "Закрыть",
    },
    "en": {
        "button": "Call me back",
        "title": "We call you back",
        "text": "Leave your number, and we will call.",
        "hours": "",
        "phone": "Phone",
        "name": "Name (optional)",
        "order": "Call me",
        "agree": "By pressing the button you agree to the processing of your personal data",
        "sending": "Sending…",
        "wrong": "Please check the number: digits are missing or too many.",
        "thanks": "Thank you! We have your number and will call.",
        "failed": "It could not be sent. Please call us: ",
        "close": "Close",
    },
}

# What a first message in a messenger says before the code of the visit, "(№ 000hhy05yp)".
HELLO: Mapping[str, str] = {
    "ru": "Здравствуйте! Пишу с вашего сайта.",
    "en": "Hello! I am writing from your site.",
}
