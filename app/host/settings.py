"""The settings: environment variables, and a `.env` file beside the process."""

import enum
import os
import re
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app import IDENTIFIER
from app.adapters import identity, mongo, postgres
from app.host.cores import parsed_workers


class Role(enum.StrEnum):
    """A role of a process; it connects only to what its roles need."""

    COMMANDS = "commands"
    QUERIES = "queries"
    PROJECTOR = "projector"


class InvalidSettings(ValueError):
    """Settings that cannot be used; the message has a line for each, naming the variable."""


def _roles(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    names = [each.strip() for each in value.split(",") if each.strip()]
    unknown = [each for each in names if each not in set(Role)]
    if unknown or not names:
        raise ValueError(
            f"{', '.join(unknown) or 'nothing'} is not a role; use some of {', '.join(Role)}"
        )
    return frozenset(names)


def _root_path(value: str) -> str:
    path = value.removesuffix("/")
    if path and not re.fullmatch(r"(/[A-Za-z0-9._~-]*[A-Za-z0-9_~-])+", path):
        raise ValueError("expected the form /prefix, of letters, digits, _, -, . and ~")
    return path


def _hosts(value: Any) -> Any:
    return _list(value, r"\*|[\w.-]+|\[[0-9a-f:.]+\]", "names or addresses without a port")


def _origins(value: Any) -> Any:
    form = r"\*|[a-z][a-z0-9+.-]*://([\w.-]+|\[[0-9a-f:.]+\])(:\d+)?"
    return _list(value, form, "the form https://app.example.com, without a path")


def _issuers(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    given = _some(value)
    if any("@" in each for each in given):  # not shown: it may be a password
        raise ValueError("an issuer has no user; expected https://login.example.com")
    wrong = [each for each in given if not _is_issuer(each)]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} cannot be used; expected https://login.example.com")
    return given


def _is_issuer(url: str) -> bool:
    try:
        return urlsplit(url).port != 0 and identity.is_safe(url) and not re.search(r"[\s?#;]", url)
    except ValueError:  # its port, or an address of IPv6
        return False


def _words(value: Any) -> Any:
    return _some(value) if isinstance(value, str) else value


def _some(value: str) -> frozenset[str]:
    given = frozenset(each.strip() for each in value.split(",") if each.strip())
    if not given:
        raise ValueError("names none; leave it out, or name some with commas between")
    return given


def _list(value: Any, form: str, said: str) -> Any:
    if not isinstance(value, str):
        return value
    given = [each.strip().lower() for each in value.split(",") if each.strip()]
    wrong = [each for each in given if not re.fullmatch(form, each, re.ASCII)]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} cannot be used; expected {said}")
    return frozenset(given)


_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def _networks(value: str) -> str:
    networks = [each.strip() for each in value.split(",") if each.strip()]
    for each in networks:
        try:
            if each != "*":
                ip_network(each)
        except ValueError:
            raise ValueError(
                f"{each} is not an address or a network, such as 10.1.2.3 or 10.0.0.0/8"
            ) from None
    return "*" if "*" in networks else ",".join(networks)


def _limit(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip().lower() == "none" else value


def _appendable(path: Path) -> Path:
    try:
        path.open("a").close()
    except OSError as error:
        raise ValueError(f"{path} cannot be written: {error.strerror}") from None
    return path


class Settings(BaseSettings):
    """All settings; the variable of a field is its name in capitals.

    A blank variable hides a line in `.env`, and counts as unset.
    """

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    root_path: Annotated[str, AfterValidator(_root_path)] = ""
    allowed_hosts: Annotated[frozenset[str], NoDecode, BeforeValidator(_hosts)] = frozenset()
    forwarded_allow_ips: Annotated[str, AfterValidator(_networks)] = "127.0.0.1,::1"
    auth: Literal["keys", "none", "none-anywhere"] | None = None
    auth_issuers: Annotated[frozenset[str], NoDecode, BeforeValidator(_issuers)] = frozenset()
    auth_audiences: Annotated[frozenset[str], NoDecode, BeforeValidator(_words)] = frozenset()
    auth_token_types: Annotated[frozenset[str], NoDecode, BeforeValidator(_words)] = frozenset(
        {"at+jwt"}
    )
    auth_scope_claims: Annotated[frozenset[str], NoDecode, BeforeValidator(_words)] = frozenset(
        {"scope", "scp"}
    )
    auth_user_id_claim: str = ""
    rate_limit: Annotated[int | None, Field(ge=1, le=1_000_000), BeforeValidator(_limit)] = 3000
    rate_limit_burst: Annotated[int, Field(ge=10, le=100_000)] = 100
    cors_origins: Annotated[frozenset[str], NoDecode, BeforeValidator(_origins)] = frozenset()
    workers: Annotated[int, Field(ge=1, le=1000), BeforeValidator(parsed_workers)] = 1
    roles: Annotated[frozenset[Role], NoDecode, BeforeValidator(_roles)] = frozenset(Role)
    database_url: Annotated[str, AfterValidator(postgres.checked_url)] | None = None
    mongodb_url: Annotated[str, AfterValidator(mongo.checked_url)] | None = None
    mongodb_database: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,38}$")] = IDENTIFIER
    mongodb_driver: Literal["motor", "pymongo"] = "motor"
    read_cache_mib: Annotated[int, Field(ge=0, le=65_536)] = 32
    consistency_timeout: Annotated[float, Field(gt=0, le=4)] = 2.0
    rebuild_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    stop_delay: Annotated[float, Field(ge=0, le=300)] = 0.0
    data_dir: Path = Path(".data")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"
    access_log: bool = False
    audit_log: Annotated[Path, AfterValidator(_appendable)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _about_access_are_spelled_right(cls, given: dict[str, Any]) -> dict[str, Any]:
        # A default in place of what was meant could let in others than meant.
        about_access = [each for each in cls.model_fields if each.startswith("auth_")]
        for name in sorted(
            {each.lower() for each in (*given, *os.environ)} - cls.model_fields.keys()
        ):
            for meant in get_close_matches(name, about_access, n=1, cutoff=0.85):
                raise ValueError(f"{name.upper()}: no such setting; {meant.upper()} is one.")
        return given

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value
            for name, value in given.items()
            if not isinstance(value, str) or value.strip()
        }

    @model_validator(mode="after")
    def _authentication_is_clear(self) -> Self:
        problem = self._authentication_problem()
        if problem is not None:
            raise ValueError(problem)
        return self

    def _authentication_problem(self) -> str | None:
        if self.auth == "keys" and self.auth_issuers:
            return (
                "AUTH: keys takes API keys alone, but AUTH_ISSUERS is set; unset AUTH, as API keys "
                "are taken beside tokens, too, or unset AUTH_ISSUERS."
            )
        if self.auth is not None and self.auth_issuers:
            return f"AUTH: {self.auth} does without tokens, but AUTH_ISSUERS is set; unset one."
        if self.auth == "none" and not self.is_local:
            return (
                f"AUTH: with none the service listens on loopback only, and HOST is {self.host}. "
                "none-anywhere lets every client that reaches it do everything."
            )
        if self.auth_issuers:
            return self._problem_of_audiences()
        about_tokens = {"auth_audiences", "auth_scope_claims", "auth_token_types"}
        if self.auth is not None:  # the service's own issuer has it, too
            about_tokens.add("auth_user_id_claim")
        for name in sorted(about_tokens & self.model_fields_set):
            if getattr(self, name) != type(self).model_fields[name].default:
                return (
                    f"{name.upper()}: set, but no issuer is named whose tokens it is about; set "
                    "AUTH_ISSUERS, or unset it."
                )
        if self.auth is None and not self.is_local:
            return (
                f"AUTH_ISSUERS: not set, and HOST ({self.host}) is not loopback: name the issuers "
                "of tokens, as https://login.example.com, or set AUTH=keys for API keys alone."
            )
        return None

    def _problem_of_audiences(self) -> str | None:
        if not self.auth_audiences:
            return (
                "AUTH_AUDIENCES: not set, so tokens for any other service would be accepted; name "
                "the audience of this one."
            )
        return None

    @property
    def authenticates(self) -> bool:
        """Whether requests need a token or an API key."""
        return self.auth in (None, "keys")

    @property
    def has_own_issuer(self) -> bool:
        """Whether the service is an issuer of its own, for development on one machine."""
        return self.auth is None and not self.auth_issuers

    @property
    def hosts(self) -> frozenset[str] | None:
        """The hosts of the service, in lower case and without ports; None means any."""
        if self.allowed_hosts:
            return None if "*" in self.allowed_hosts else self.allowed_hosts
        host = self.host.lower()
        if not self.is_local:
            return None
        return _LOOPBACK | {f"[{host}]" if ":" in host else host}

    @property
    def is_local(self) -> bool:
        """Whether the service listens on loopback, for clients on its own machine only."""
        return _is_loopback(self.host.lower())

    @property
    def needs_postgres(self) -> bool:
        """Commands are recorded in PostgreSQL, and the projector reads them there."""
        return bool(self.roles & {Role.COMMANDS, Role.PROJECTOR})

    @property
    def needs_mongodb(self) -> bool:
        """Queries read from MongoDB, and the projector writes there."""
        return bool(self.roles & {Role.QUERIES, Role.PROJECTOR})

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """The settings of the environment; `overrides` come first.

        Raises:
            InvalidSettings: some cannot be used.

        """
        try:
            return cls(**overrides)
        except ValidationError as error:
            lines = [
                ": ".join(
                    [
                        *(str(place).upper() for place in each["loc"][:1]),
                        each["msg"].removeprefix("Value error, "),
                    ]
                )
                for each in error.errors()
            ]
            raise InvalidSettings("\n".join(lines)) from error
