"""Links to messengers, and the parameter of each by which a conversation can say which visit it came from.

The one place where these forms stand. They are written down from the messengers' public descriptions as they are
commonly known; none was tried against the messenger itself. The patterns are read by Python and by JavaScript.
"""

from dataclasses import dataclass

_WEB = r"^(?:https?:)?//(?:www\.)?"
_END = r"/?(?:[?#]|$)"


@dataclass(frozen=True, slots=True)
class LinkForm:
    """One form of link: ``parameter`` carries the code, or with ``prefills`` the text that ends with it.

    A link that has the parameter already keeps it: it is the site's own, and only a text is added to.
    """

    messenger: str
    pattern: str  # of the address, in any case of letters
    parameter: str
    prefills: bool = False


LINK_FORMS = (
    # Only a bot is told its start parameter, and the name of a bot ends so; channels, people, invitations and posts
    # are left as they are.
    LinkForm("Telegram", rf"{_WEB}(?:t|telegram)\.me/[a-z]\w*bot{_END}", "start"),
    LinkForm("Telegram", r"^tg://resolve/?\?(?:.*&)?domain=[a-z]\w*bot(?:[&#]|$)", "start"),
    LinkForm("WhatsApp", rf"{_WEB}wa\.me/\+?\d+{_END}", "text", prefills=True),
    LinkForm("WhatsApp", r"^(?:https?:)?//(?:api|web)\.whatsapp\.com/send/?\?", "text", prefills=True),
    LinkForm("WhatsApp", r"^whatsapp://send/?\?", "text", prefills=True),
    LinkForm("VK", rf"{_WEB}vk\.me/[\w.]+{_END}", "ref"),
    LinkForm("VK", rf"{_WEB}vk\.(?:com|ru)/im/?\?(?:.*&)?sel=-\d", "ref"),
    LinkForm("Viber", r"^viber://pa/?\?(?:.*&)?chaturi=", "context"),
    LinkForm("Max", rf"{_WEB}max\.ru/[a-z]\w+{_END}", "start"),
)
