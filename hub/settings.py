"""Environment -> one frozen object."""

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from hub.errors import SettingsInvalid

_HOST = re.compile(r"(?=.{1,253}(?::|$))[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[1-9]\d{0,4})?")


class AppSettings(BaseModel):
    """Our registration at one vendor; ``base_url`` points the connector at a sandbox.

    ``hosts`` are those of accounts on servers of their own: nobody but the operator may name one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: str
    client_secret: SecretStr
    base_url: str | None = None
    hosts: tuple[str, ...] = ()

    @field_validator("hosts")
    @classmethod
    def _are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_HOST.fullmatch(host) for host in hosts):
            raise ValueError("each is a host, as in crm.example.com or crm.example.com:8443, in lower case")
        return hosts


class Settings(BaseSettings):
    """Every setting of the hub; the table in docs/settings.md explains each."""

    model_config = SettingsConfigDict(env_prefix="HUB_", frozen=True, extra="ignore")

    data_dir: Path = Path("var")
    database_url: str = ""  # empty: one SQLite file in data_dir
    public_url: str = "http://127.0.0.1:8800"
    keys: SecretStr = SecretStr("")  # "id:base64,id:base64", the first one seals; empty: a key file in data_dir
    apps: dict[str, AppSettings] = Field(default_factory=dict)  # connector name -> registration
    clock_file: Path | None = None
    readback_s: float = 60.0
    trusted_proxies: tuple[str, ...] = ()
    geo_database: Path | None = None  # MMDB: the region of a visit by its address
    numbering_plan: Path | None = None  # CSV, a file or a folder: the region of a mobile phone
    visits_per_minute: int = 600  # of one address, before it gets the overflow number
    recording_link_days: int = Field(default=90, ge=0, le=3_650)  # of those written into a CRM; 0: none are
    # How long requests to CRMs stand in their log; a marketplace asks for three days.
    request_log_days: int = Field(default=7, ge=3, le=365)
    erase_after_days: int = Field(default=30, ge=0, le=3_650)  # after an account left and asked for it
    operator: str = ""  # who runs this hub, as its pages for everybody say
    support_email: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    def model_post_init(self, _context: Any) -> None:
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{self.data_dir / 'hub.sqlite3'}")


def read_settings() -> Settings:
    """Read the environment; ``SettingsInvalid`` names the variable and what is wrong, never its value."""
    try:
        return Settings()
    except SettingsError as error:  # says which field, in its own words, and quotes nothing of it
        raise SettingsInvalid(f"The environment cannot be read: {error}; it is JSON, like HUB_APPS={{}}.") from None
    except ValidationError as error:
        told = error.errors(include_url=False, include_input=False, include_context=False)
        problems = (f"HUB_{'__'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in told)
        raise SettingsInvalid(f"The environment cannot be used. {'; '.join(problems)}.") from None
