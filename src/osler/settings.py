"""Settings: `osler.toml`, then environment `OSLER_*`, then flags, each stronger than the one before.

Files read, weaker first: `OSLER_HOME/osler.toml`, then `osler.toml` of the working directory if it belongs to
the current user (a stranger's folder must not open the egress gate), or only the file that `OSLER_CONFIG` or
`--config` names. `OSLER_MODELS_LANGUAGE=...` sets `[models] language`. It does not know what a setting does.
"""

import functools
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from osler.errors import InputError


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Models(Section):
    """Which models work: a spec is `smollm2`, `adapter:NAME`, `gguf:PATH` or `openai:URL#NAME`."""

    language: str = Field(
        default="", description="default: the adapter that serves (`osler adapt serve`), else smollm2"
    )
    vision: str = Field(default="", description="model that is shown pictures, openai:URL#NAME; default: none")
    embedder: str = "e5-small"
    threads: int = Field(default=0, ge=0, description="0: as many as the machine has cores")
    context: int = Field(default=8192, ge=512, description="tokens")
    reading: int = Field(default=900, ge=100, description="tokens of passages that a model is shown at most")
    sure: float = Field(default=0.5, ge=0, le=1, description="chance below which the method `gate` gives no answer")
    mitigation: Literal["", "blind", "ensemble", "abstain"] = Field(
        default="", description="so that `osler ask` answers alike whoever the patient is"
    )
    adapter: str | None = None
    api_key_variable: str = Field(default="OSLER_API_KEY", description="environment variable with the endpoint's key")
    timeout: float = Field(default=120.0, gt=0, description="seconds")


class Egress(Section):
    """What may leave the machine. Empty `allow`: nothing."""

    allow: tuple[str, ...] = Field(default=(), description="URL prefixes of endpoints that may be sent text")
    deidentify: bool = True


class Library(Section):
    default: str = "starter"
    passages: int = Field(default=6, ge=1, le=50, description="passages behind an answer")
    oldest: int | None = Field(default=None, description="year before which evidence is marked as old")


class Consult(Section):
    differential: int = Field(default=10, ge=1, le=100)
    questions: int = Field(default=5, ge=0, le=20)
    language: Literal["auto", "en", "zh"] = "auto"
    seed: int = 0


class Database(Section):
    url: str | None = Field(default=None, description="SQLAlchemy URL; default: SQLite in the home")


class Safety(Section):
    crosswalk: str | None = Field(default=None, description="CSV of code, target for codes without an open map")


class Bench(Section):
    data: str | None = Field(default=None, description="folder of the bench's data sets; default: data in the home")


class Ledger(Section):
    """Signed heads of the chain that are kept elsewhere, and how long what patients' entries hold is kept."""

    anchor: str | None = Field(default=None, description="file elsewhere that is given a signed head now and then")
    every: int = Field(default=1000, ge=1, description="entries from one such head to the next")


class Retention(Section):
    days: int | None = Field(default=None, ge=1, description="days after which content is destroyed; default: never")


class Server(Section):
    """`osler serve`. `off`: capabilities that are switched off (the kill switches); `silent`: those whose answers are
    kept in the ledger and shown to nobody."""

    host: str = "127.0.0.1"
    port: int = Field(default=8350, ge=0, le=65535)
    hosts: tuple[str, ...] = Field(default=(), description="further names this server answers to")
    certificate: str | None = Field(default=None, description="PEM file of the TLS certificate chain")
    certificate_key: str | None = None
    off: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    upload: int = Field(default=50, ge=1, description="megabytes of a request at most")
    waiting: int = Field(default=64, ge=0, description="requests that may wait for a worker; further ones get 503")
    rate: int = Field(default=6000, ge=1, description="requests a minute from one client")
    hours: int = Field(default=12, ge=1, description="hours until a sign-in ends")


class CdsClient(Section):
    """An EHR that may call decision support. `keys`: file of its JWK set, else it is read from `jku`."""

    issuer: str = Field(min_length=1)
    jku: str | None = None
    keys: str | None = None


class Cds(Section):
    """CDS Hooks. Without `clients` the server's own token opens it; with them, the tokens they sign."""

    clients: tuple[CdsClient, ...] = ()
    fhir: tuple[str, ...] = Field(default=(), description="URL prefixes of FHIR servers that may be read for a client")
    origins: tuple[str, ...] = Field(default=(), description="origins whose pages may call it (browser-based clients)")
    url: str | None = Field(default=None, description="address that clients know this server by; default: as called")
    timeout: float = Field(default=2.0, gt=0, description="seconds for reading a FHIR server or key set")


class Oidc(Section):
    """Sign-in through a hospital's OpenID Connect server; null `issuer`: local accounts only."""

    issuer: str | None = None
    client: str = "osler"
    secret_variable: str = Field(default="OSLER_OIDC_SECRET", description="environment variable; unset: public client")
    scopes: str = "openid profile"
    account_claim: str = "preferred_username"
    roles_claim: str = "roles"
    roles: tuple[str, ...] = Field(default=(), description="`theirs=ours`: the server's roles that count, and as what")
    url: str | None = Field(default=None, description="address that browsers know this server by")


class Smart(Section):
    """SMART App Launch, as a client: EHRs whose patients may be opened here, with what they are told this client is."""

    fhir: tuple[str, ...] = Field(default=(), description="FHIR servers (`iss`) that may launch and be read")
    client: str = "osler"
    secret_variable: str = Field(default="OSLER_SMART_SECRET", description="environment variable of a client secret")
    key: str | None = Field(default=None, description="PEM file of the private key that signs in its stead")
    scopes: str = "openid fhirUser patient/*.rs"
    system_scopes: str = Field(default="system/*.rs", description="of the back-end service, which needs `key`")
    timeout: float = Field(default=10.0, gt=0, description="seconds for reading a patient's record")


class Settings(Section):
    """All settings in force. `sources` names the files they came from; `origins`: by `section.key` the file,
    variable or flag of each setting that somebody made."""

    home: Path
    models: Models = Models()
    egress: Egress = Egress()
    library: Library = Library()
    consult: Consult = Consult()
    database: Database = Database()
    safety: Safety = Safety()
    bench: Bench = Bench()
    ledger: Ledger = Ledger()
    retention: Retention = Retention()
    server: Server = Server()
    oidc: Oidc = Oidc()
    cds: Cds = Cds()
    smart: Smart = Smart()
    sources: tuple[str, ...] = ()
    origins: tuple[tuple[str, str], ...] = ()

    @property
    def database_url(self) -> str:
        return self.database.url or f"sqlite:///{self.home / 'osler.db'}"


SECTIONS: dict[str, type[Section]] = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
}


class Entry(NamedTuple):
    """One setting that somebody made, and the file, variable or flag it stands in."""

    section: str
    key: str
    value: Any
    where: str


@functools.cache
def default_home() -> Path:
    """The platform's user data folder for Osler."""
    import platformdirs

    return Path(platformdirs.user_data_dir("osler", appauthor=False))


def load_settings(
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    config: Path | None = None,
) -> Settings:
    """The settings in force. `flags` maps dotted names (`models.language`) or `home` to values; None is "not given".

    Raises InputError naming the file or variable whose value can't be used.
    """
    env = os.environ if environment is None else environment
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    home = Path(given.pop("home", None) or env.get("OSLER_HOME") or default_home()).expanduser().absolute()
    named = config or (Path(env["OSLER_CONFIG"]) if env.get("OSLER_CONFIG") else None)
    files = [named] if named else [home / "osler.toml", Path.cwd() / "osler.toml"]
    from_files = [entry for file in files for entry in _file_entries(file, required=file is named)]
    flags_given = ((*name.partition("."), value) for name, value in given.items())
    from_flags = [Entry(section, key, value, f"flag for {section}.{key}") for section, _, key, value in flags_given]
    values: dict[str, Any] = {section: {} for section in SECTIONS}
    origin: dict[str, str] = {}
    for section, key, value, where in [*from_files, *_environment_entries(env), *from_flags]:
        values[section][key] = value
        origin[f"{section}.{key}"] = where
    try:
        files_read = tuple(dict.fromkeys(entry.where for entry in from_files))
        return Settings(home=home, sources=files_read, origins=tuple(origin.items()), **values)
    except ValidationError as error:
        first = error.errors()[0]
        dotted = ".".join(str(part) for part in first["loc"][:2])
        raise InputError(f"setting {dotted}: {first['msg']}", where=origin.get(dotted)) from None


def _file_entries(file: Path, required: bool) -> list[Entry]:
    try:
        if not required and (not file.is_file() or (hasattr(os, "getuid") and file.stat().st_uid != os.getuid())):
            return []
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the settings file can't be read: {error}", where=str(file)) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"the settings file is not valid TOML: {error}", where=str(file)) from None
    for section, entries in content.items():
        if section not in SECTIONS or not isinstance(entries, dict):
            raise InputError(f"unknown section [{section}]", where=str(file), hint=f"Known: {', '.join(SECTIONS)}.")
    return [Entry(section, key, value, str(file)) for section, held in content.items() for key, value in held.items()]


def _environment_entries(env: Mapping[str, str]) -> Iterator[Entry]:
    for section, model in SECTIONS.items():
        for key, field in model.model_fields.items():
            variable = f"OSLER_{section}_{key}".upper()
            if variable in env:
                value: Any = env[variable]
                if str(field.annotation).startswith("tuple"):
                    value = tuple(part.strip() for part in value.split(",") if part.strip())
                yield Entry(section, key, value, f"environment variable {variable}")
