"""What an installation can set; the console draws its form from this model's schema."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

_KEPT: JsonDict = {"from_facts": True}  # filled by the hub from Facts, not asked of a person


class Settings(BaseModel):
    """Settings of one installation; ids are the vendor's, as strings."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)

    pipeline: str | None = Field(None, title="Pipeline of new deals", description="Empty: the general pipeline.")
    stage: str | None = Field(None, title="Stage of new deals", description="Empty: the first stage.")
    responsible: str | None = Field(None, title="Responsible by default", description="Empty: who connected the hub.")
    fields: dict[str, str] = Field(
        default_factory=dict,
        title="Fields",
        description="Name -> name in requests, as facts() found them.",
        json_schema_extra=_KEPT,
    )
    traits: tuple[str, ...] = Field((), title="Traits", description="As facts() found them.", json_schema_extra=_KEPT)
    currency: str = Field("", title="Currency", description="ISO 4217, as facts() found it.", json_schema_extra=_KEPT)
