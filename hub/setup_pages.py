"""What a site's second script does, as the set-up file says it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Line = Annotated[str, Field(min_length=1, max_length=200)]


class CallbackPart(BaseModel):
    """The button by which a visitor orders a call; a text left out is the usual one, in the page's language."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    button: Line | None = None
    title: Line | None = None
    text: Line | None = None
    hours: Line | None = None
    thanks: Line | None = None
    agree: Line | None = None
    privacy_url: Annotated[str, Field(max_length=500, pattern=r"^(https?://|/)\S*$")] | None = None
    color: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] | None = None
