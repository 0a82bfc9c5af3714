"""The settings: `EXEMPLAR_*` environment variables, or files of those names in a secrets directory.

The only reader of the environment; everything else is given its settings as arguments.
"""

import os
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.kit.errors import Misconfigured

PREFIX = "EXEMPLAR_"
MOST_EVENT_BYTES = 700 * 1024  # sealed, an event takes a third more, and a record of Kafka has 1 MiB at most


class Settings(BaseSettings):
    """Every setting, with its default. Field `data_dir` is the variable `EXEMPLAR_DATA_DIR`, and so on."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    data_dir: Path = Field(Path("exemplar-data"), description="folder of the embedded log, model, vault and its key")
    log_url: str = Field(
        "", description="the log: sqlite:///FILE or kafka://HOST:PORT,…/TOPIC; default log.sqlite in the data folder"
    )
    database_url: str = Field(
        "", description="the read model: sqlite:///FILE or postgresql://…; default exemplar.sqlite in the data folder"
    )
    vault_url: str = Field(
        "",
        description="keys of personal fields; default vault.sqlite in the data folder, or PostgreSQL",
    )
    vault_key_file: Path | None = Field(
        None,
        description="wraps the keys of the vault (32 bytes in hex); default vault.key in the data folder",
    )
    erasures_dir: Path | None = Field(
        None, description="folder of the erasure ledger, best elsewhere; default: the data folder"
    )
    audit_key_file: Path | None = Field(
        None,
        description="signs the checkpoints of the audit tree (32 bytes in hex); default audit.key in the data folder",
    )
    audit_next_key_file: Path | None = Field(
        None, description="signs them too, while it takes over from the other (32 bytes in hex)"
    )
    audit_origin: str = Field(
        "", description="name of the audit tree, such as example.com/exemplar; default: named after the log"
    )
    audit_copies_dir: Path | None = Field(
        None,
        description="folder of copies of its checkpoints, best elsewhere; default: the data folder",
    )
    audit_copies_command: str = Field("", description="command that keeps these copies instead (docs/operating.md)")
    policy_file: Path | None = Field(None, description="the policy (TOML); default: the built-in figures")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes any free one")
    partitions: int = Field(12, ge=1, le=1024, description="partitions of a new log; an existing one keeps its own")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error")
    max_event_bytes: int = Field(
        256 * 1024, ge=1024, le=MOST_EVENT_BYTES, description="largest event accepted; 700 KiB at most"
    )
    max_request_bytes: int = Field(4 * 1024 * 1024, ge=1024, description="largest request accepted")
    max_batch_events: int = Field(1000, ge=1, description="most events in one request")
    max_requests: int = Field(256, ge=1, description="most requests posting events at the same time; more get 429")
    request_seconds: float = Field(10.0, gt=0, description="time for a request's headers and body to arrive")
    append_seconds: float = Field(10.0, gt=0, le=11.0, description="time for the log to take events in, then 503")
    wait_for_seconds: float = Field(5.0, gt=0, description="longest wait for Exemplar-Wait-For")
    batch_acts: int = Field(2000, ge=1, description="acts the fold takes at once near the log's end")
    catch_up_acts: int = Field(100_000, ge=1, description="acts the fold takes at once far behind the log's end")
    halt_after_unreadable: int = Field(
        50, ge=1, description="a partition halts at more unreadable records in a row than this"
    )
    rebuild_processes: int = Field(0, ge=0, description="processes of a rebuild; 0: one a core")
    query_cost: int = Field(20_000, ge=1, description="ceiling of a GraphQL document's cost")
    live_connections: int = Field(1000, ge=1, description="most open live connections (SSE and WebSocket)")
    live_connections_each: int = Field(100, ge=1, description="most of them by one credential")
    live_subscriptions: int = Field(20, ge=1, description="most operations at the same time on one WebSocket")
    live_init_seconds: float = Field(10.0, gt=0, description="time for a WebSocket's `connection_init`")
    live_keep_alive_seconds: float = Field(15.0, gt=0, description="a live connection is quiet for this long at most")
    live_message_bytes: int = Field(64 * 1024, ge=1024, description="largest message taken on a WebSocket")
    answer_seconds: float = Field(30.0, gt=0, description="time for a client to take in what it is sent, then cut off")
    query_seconds: float = Field(5.0, gt=0, description="time for answering a GraphQL request, then it is ended")
    queries_per_second: float = Field(200.0, gt=0, description="GraphQL requests a second by one credential; else 429")
    queries_burst: int = Field(2000, ge=1, description="GraphQL requests that one credential may save up for a burst")
    introspection: bool = Field(True, description="whether GraphQL introspection is answered")
    suggestions: bool = Field(True, description="whether errors name the parts of the schema that may have been meant")
    trusted_documents_dir: Path | None = Field(None, description="folder of further trusted documents (*.graphql)")
    only_trusted_documents: bool = Field(False, description="whether no other documents than trusted ones are answered")
    jwt_issuer: str = Field("", description="issuer (`iss`) of the tokens by which people sign in; default: none")
    jwt_audience: str = Field("", description="audience (`aud`) that these tokens must name")
    jwt_jwks_url: str = Field("", description="address of the issuer's keys: https, or http on this machine")
    proxy_token_header: str = Field(
        "",
        pattern="^[A-Za-z0-9-]*$",
        description="header in which a proxy before the dashboard hands on the token of who signed in; default: none",
    )
    events_url: str = Field(
        "", description="address of the events service, for the gateway to post disputes to; default: it takes none"
    )
    kafka_group: str = Field(
        "", description="consumer group of the processes that fold a topic into one database; default TOPIC-projections"
    )
    kafka_security_protocol: str = Field(
        "PLAINTEXT",
        pattern="^(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)$",
        description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
    )
    kafka_sasl_mechanism: str = Field(
        "", pattern="^(PLAIN|SCRAM-SHA-256|SCRAM-SHA-512)?$", description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"
    )
    kafka_sasl_username: str = Field("", description="user name at the brokers")
    kafka_sasl_password: SecretStr | None = Field(None, description="password at the brokers")
    kafka_ssl_cafile: Path | None = Field(None, description="certificates that sign those of the brokers (PEM)")
    kafka_ssl_certfile: Path | None = Field(None, description="own certificate, where the brokers ask for one (PEM)")
    kafka_ssl_keyfile: Path | None = Field(None, description="key of the own certificate (PEM)")

    @property
    def log(self) -> str:
        """The log's URL, the default filled in."""
        return self.log_url or f"sqlite:///{self.data_dir / 'log.sqlite'}"

    @property
    def database(self) -> str:
        """The read model's URL, the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir / 'exemplar.sqlite'}"

    @property
    def vault(self) -> str:
        """The vault's URL, the default filled in."""
        if self.vault_url:
            return self.vault_url
        return (
            self.database_url
            if self.database_url.startswith("postgres")
            else f"sqlite:///{self.data_dir / 'vault.sqlite'}"
        )

    @property
    def vault_key(self) -> Path:
        """The file of the wrapping key, the default filled in."""
        return self.vault_key_file or self.data_dir / "vault.key"

    @property
    def erasures(self) -> Path:
        """The folder of the erasure ledger, the default filled in."""
        return self.erasures_dir or self.data_dir

    @property
    def audit_key(self) -> Path:
        """The file of the key that signs the audit tree, the default filled in."""
        return self.audit_key_file or self.data_dir / "audit.key"

    @property
    def audit_copies(self) -> Path:
        """The folder of copies of checkpoints, the default filled in."""
        return self.audit_copies_dir or self.data_dir


def load_settings(**overrides: object) -> Settings:
    """The settings of this process. Raises Misconfigured naming the variable; never quotes a value."""
    secrets = os.environ.get(f"{PREFIX}SECRETS_DIR") or None
    if secrets is not None and not Path(secrets).is_dir():
        raise Misconfigured(f"{PREFIX}SECRETS_DIR is not a folder")
    try:
        return Settings(_secrets_dir=secrets, **overrides)  # type: ignore[arg-type]  # checked by pydantic
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        variable = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        raise Misconfigured(f"{variable}: {first['msg']}") from error
