"""How a call goes between two telephones, as scenarios that SIPp plays (telephony sheet, appendix A)."""

from dataclasses import dataclass, field

_RING_S, _TALK_S = 0.3, 2.0
_DIALLED = "sip:[service]@[remote_ip]:[remote_port]"
_CALLER = "sip:[caller]@[local_ip]:[local_port]"
_FIRST_BRANCH = "z9hG4bK-[pid]-[call_number]"  # what cancels or refuses an INVITE is of the INVITE's own transaction
_SOUND = """v=0
o=telephone 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
"""


@dataclass(frozen=True)
class Course:
    """What the caller's telephone and the office's each say and hear in turn."""

    name: str
    caller: str = field(repr=False)
    office: str = field(repr=False)


def _scenario(name: str, *steps: str) -> str:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">'
    return "\n".join((head, f'<scenario name="{name}">', *steps, "</scenario>\n"))


def _message(first: str, *headers: str, sound: bool = False, repeated: bool = False) -> str:
    """Return the step that sends a message, again and again until it is answered if asked."""
    about = ("Content-Type: application/sdp", "Content-Length: [len]") if sound else ("Content-Length: 0",)
    text = "\n".join((first, *headers, *about, "", _SOUND if sound else ""))
    again = ' retrans="500"' if repeated else ""
    return f"<send{again}><![CDATA[\n{text}]]></send>"


def _asks(method: str, number: int = 1, *, of_talk: bool = False, sound: bool = False) -> str:
    """Return the step that sends a request: to the number dialled, or within the talk to who answered."""
    return _message(
        f"{method} {'[next_url]' if of_talk else _DIALLED} SIP/2.0",
        f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={'[branch]' if of_talk else _FIRST_BRANCH}",
        *(("[routes]",) if of_talk else ()),
        f"From: <{_CALLER}>;tag=[pid]caller",
        f"To: <{_DIALLED}>{'[peer_tag_param]' if method in ('ACK', 'BYE') else ''}",
        "Call-ID: [call_id]",
        f"CSeq: {number} {method}",
        f"Contact: <{_CALLER}>",
        "Max-Forwards: 70",
        sound=sound,
        repeated=method != "ACK",
    )


def _says(status: str, to: str = ";tag=[pid]office", cseq: str = "[last_CSeq:]", *, sound: bool = False) -> str:
    """Return the step that answers the request heard last."""
    return _message(
        f"SIP/2.0 {status}",
        "[last_Via:]",
        "[last_Record-Route:]",
        "[last_From:]",
        f"[last_To:]{to}",
        "[last_Call-ID:]",
        cseq,
        "Contact: <sip:main@[local_ip]:[local_port]>",
        sound=sound,
        repeated=sound or status[0] == "4",
    )


def _hears(what: str, *, perhaps: bool = False) -> str:
    """Return the step that waits for a request or for the status of an answer."""
    kind = "response" if what.isdecimal() else "request"
    optional = ' optional="true"' if perhaps else ""
    routes = ' rrs="true"' if what == "180" else ""  # who rings says which way the rest of the call goes
    return f'<recv {kind}="{what}"{optional}{routes}/>'


def _waits(seconds: float) -> str:
    return f'<pause milliseconds="{seconds * 1000:.0f}"/>'


_RINGS = (_hears("INVITE"), _says("180 Ringing"))
_DIALS = (_asks("INVITE", sound=True), _hears("100", perhaps=True))
_CALLS = (*_DIALS, _hears("180"))

ANSWERED = Course(
    "answered",
    _scenario(
        "caller talks and hangs up",
        *_CALLS,
        _hears("200"),
        _asks("ACK", of_talk=True),
        _waits(_TALK_S),
        _asks("BYE", 2, of_talk=True),
        _hears("200"),
    ),
    _scenario(
        "office answers",
        *_RINGS,
        _waits(_RING_S),
        _says("200 OK", sound=True),
        _hears("ACK"),
        _hears("BYE"),
        _says("200 OK", to=""),
    ),
)
BUSY = Course(
    "busy",
    # Two processes of the proxy answer: one that is late with the ringing keeps it to itself.
    _scenario("caller hears that it is busy", *_DIALS, _hears("180", perhaps=True), _hears("486"), _asks("ACK")),
    _scenario("office is busy", *_RINGS, _says("486 Busy Here"), _hears("ACK")),
)
GIVEN_UP = Course(
    "given up",
    _scenario(
        "caller gives up",
        *_CALLS,
        _waits(_RING_S),
        _asks("CANCEL"),
        _hears("200", perhaps=True),  # two processes of the proxy answer: either may be first
        _hears("487"),
        _asks("ACK"),
    ),
    _scenario(
        "office does not answer",
        *_RINGS,
        _hears("CANCEL"),
        _says("200 OK"),
        _says("487 Request Terminated", cseq="CSeq: 1 INVITE"),
        _hears("ACK"),
    ),
)
