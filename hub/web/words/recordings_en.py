"""The words about recordings in English."""

from collections.abc import Mapping

RECORDINGS_EN: Mapping[str, str] = {
    "recording.title": "Recording",
    "recording.say": "Fetched from telephony while you listen; the hub keeps no copy.",
    "recording.open": "It does not play? Open it to see why.",
    "recording.no_way": "The talk was recorded, but telephony told only {name}, which leads nowhere. Let it tell an address, or give its account what the recording needs: both stand in the documentation of telephony.",
    "recording.a_name": "its name, {name}",
    "recording.an_address": "an address",
    "recording.why.no_way": "Telephony told of a recording in a way the hub cannot ask for it. The documentation of telephony says what its account needs.",
    "recording.why.refused": "The recording is at an address this telephony account may not be asked at. If it is the right one, name its host in the set-up file: recordings_from of the account.",
    "recording.why.gone": "Telephony does not give this recording out any more: its link has expired, or the keys of the account are refused. Look for it in the cabinet of telephony, and check the secrets of the account.",
    "recording.why.not_there": "Telephony has no such recording: it may be deleted, or not ready yet. Right after the call, try again in a minute.",
    "recording.why.silent": "Telephony did not answer. Nothing is lost: try again in a minute.",
    "recording.why.no_audio": "Telephony answered with something that is no sound. Right after the call the recording may not be ready: try again in a minute.",
    "recording.why.too_long": "The recording is larger than the hub passes on. Listen to it in the cabinet of telephony.",
    "error.title.410": "The recording is not given out any more",
    "error.title.502": "Telephony did not give the recording",
    "error.say.410": "What was asked for is not there any more.",
    "error.say.502": "Another system did not answer as it should. Try again in a minute.",
}
