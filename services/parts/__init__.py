"""The parts of which every size of Exemplar is made, built from the settings and handed on as plain arguments.

What every command needs is here; what takes acts in, folds them and reads them is each in a module beside it, so that
a process imports what it serves and no more: the gateway alone takes 13 MB.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

import structlog
from sqlalchemy import Engine

from services.events.catalog.envelope import Catalogue
from services.events.credentials import Keyring
from services.events.log.access import KafkaAccess
from services.events.log.opening import create_log, open_log
from services.events.log.protocol import Log
from services.events.vault.ledger import Ledger
from services.events.vault.sql import SqlVault, holds_keys
from services.events.vault.wrapping import WrappingFile, load_wrapping_file
from services.kit import instants
from services.kit.database import create_area, open_engine, parse_url, reading
from services.kit.settings import Settings
from services.projections.applying import Rules
from services.projections.audit.tables import AREA as AUDIT
from services.projections.changes import Changes
from services.projections.leadership.policy import load_policy
from services.projections.migrations import migrate_area
from services.projections.stores import Built, Stores, built_on, check_built

VAULT = "vault"
_log = structlog.get_logger(__name__)


class VaultParts(NamedTuple):
    """What the vault is made of: the engine on its area, the file of its wrapping key, the erasure ledger."""

    engine: Engine
    wrapping: WrappingFile
    ledger: Ledger


@dataclass(frozen=True)
class Parts:
    """What the commands work with. `built` is what a model would be built on under these settings.

    `audit` is an engine on the area of the audit tree.
    """

    settings: Settings
    catalogue: Catalogue
    rules: Rules
    log: Log
    vault: SqlVault
    stores: Stores
    changes: Changes
    built: Built
    audit: Engine
    keys: VaultParts


def make_log(settings: Settings) -> None:
    """Make the log where it does not come to be by being opened: a topic. Raises Misconfigured or Unavailable."""
    create_log(settings.log, settings.partitions, access(settings))


@contextmanager
def opened(settings: Settings) -> Iterator[Parts]:
    """Open log, vault and stores, made where they are missing. Raises Misconfigured, Corrupt or Unavailable."""
    catalogue = Catalogue()
    policy = load_policy(settings.policy_file)
    with suppress(OSError):  # where it is needed and cannot be made, what is kept in it says so
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:
        log = open_log(settings.log, settings.partitions, access(settings))
        engine = open_engine(parse_url(settings.vault, "EXEMPLAR_VAULT_URL"), VAULT)
        stack.callback(engine.dispose)
        create_area(engine, VAULT)
        migrate_area(engine, "vault")
        wrapping = load_wrapping_file(settings.vault_key, create=not holds_keys(engine))
        ledger = Ledger(settings.erasures / f"erasures-{log.identity.id}.jsonl")
        vault = SqlVault(engine, wrapping, ledger=ledger)
        vault.check_wrapping_key()
        if back := vault.destroy_again(ledger):
            _log.warning("the vault was put back: keys of the erased are destroyed again", persons=len(back))
        stores = Stores(parse_url(settings.database, "EXEMPLAR_DATABASE_URL"))
        stack.callback(stores.close)
        built = built_on(log.identity, policy.identity, catalogue)
        stores.update_tables(built, instants.now())
        audit = open_engine(stores.url, AUDIT)
        stack.callback(audit.dispose)
        create_area(audit, AUDIT)
        migrate_area(audit, "audit")
        changes = Changes(stores.url, stores.look_again)
        stack.callback(changes.close)
        keys = VaultParts(engine, wrapping, ledger)
        yield Parts(settings, catalogue, Rules(catalogue, policy), log, vault, stores, changes, built, audit, keys)


def keyring(parts: Parts, may_be_open: bool) -> Keyring:
    """Who may ask: by API keys and, where the settings name an issuer, by its tokens. Raises Misconfigured."""
    settings = parts.settings
    issuer = settings.jwt_issuer, settings.jwt_audience, settings.jwt_jwks_url
    if not any(issuer):
        return Keyring(parts.stores.control, may_be_open)
    from services.events.tokens import open_tokens  # what reads tokens takes 2 MB, which few need

    tokens = open_tokens(*issuer, instants.now)
    return Keyring(parts.stores.control, may_be_open, read_token=tokens.read if tokens else None)


def access(settings: Settings) -> KafkaAccess:
    """How the settings say that the brokers of the log are reached."""
    password = settings.kafka_sasl_password
    return KafkaAccess(
        settings.kafka_security_protocol,
        settings.kafka_sasl_mechanism,
        settings.kafka_sasl_username,
        password.get_secret_value() if password else "",
        settings.kafka_ssl_cafile,
        settings.kafka_ssl_certfile,
        settings.kafka_ssl_keyfile,
        settings.kafka_group,
    )


def check_stores(parts: Parts) -> None:
    """Raises Unavailable while the read model does not answer, Corrupt or Misconfigured where it is another log's."""
    with reading(parts.stores.model()) as connection:
        check_built(connection, parts.built)
