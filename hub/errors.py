"""What can stop a command or refuse a request.

HubError                 one sentence for a person; a command prints it and exits with 1
├── DatabaseUnreachable  the database URL does not answer or is not one we know
├── DatabaseBusy         another hub process holds the SQLite file
├── DatabaseAway         an opened database is not there for a while, or cannot write: again later
├── PortTaken            somebody listens there already
├── SetupInvalid         a set-up file says something that is not allowed: file, line, what is
├── SettingsInvalid      an environment variable cannot be used
└── KeyRingInvalid       the encryption keys are missing, short or the sample ones
"""


class HubError(Exception):
    """Something a person can mend; its text is one sentence that says what and where."""


class DatabaseUnreachable(HubError):
    """The database URL does not answer or is not one we know."""


class DatabaseBusy(HubError):
    """Another hub process holds this SQLite file."""


class DatabaseAway(HubError):
    """An opened database is not there for a while, or cannot write; the same may be asked again later."""


class PortTaken(HubError):
    """Somebody listens on this port already."""


class SetupInvalid(HubError):
    """A set-up file says something that is not allowed."""


class SettingsInvalid(HubError):
    """An environment variable cannot be used."""


class KeyRingInvalid(HubError):
    """The encryption keys are missing or cannot be used."""
