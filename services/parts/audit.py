"""The audit tree of a service: by which keys it is signed, where copies of checkpoints go, and the sequencer."""

import threading

import structlog

from services.kit import instants
from services.kit.database import one_writer
from services.kit.errors import Misconfigured, Unavailable
from services.kit.running import STOP_SECONDS
from services.parts import Parts
from services.projections.audit.copies import CommandCopies, Copies, FolderCopies
from services.projections.audit.reading import begun_as
from services.projections.audit.sequencer import Sequencer, Signing, Things, TreeStatus
from services.projections.audit.signing_keys import check_origin, load_next_signer, load_signer

_log = structlog.get_logger(__name__)


def origin(parts: Parts) -> str:
    """The origin of the tree: as it was begun, or as it will be. Raises Misconfigured if the settings say another."""
    wanted, begun = parts.settings.audit_origin, begun_as(parts.audit)
    if begun is not None and wanted not in ("", begun):
        raise Misconfigured(f"EXEMPLAR_AUDIT_ORIGIN: the audit tree was begun as {begun}, which stays its origin")
    found = begun or wanted or f"exemplar/log/{parts.log.identity.id}"
    check_origin(found)
    return found


def signing(parts: Parts, may_make: bool = False) -> Signing:
    """The keys that sign. With `may_make`, and in SQLite, a new one where there is no file and nothing was signed yet.

    Raises Misconfigured.
    """
    settings, name = parts.settings, origin(parts)
    may_make = (may_make or one_writer(parts.audit)) and begun_as(parts.audit) is None
    signers = [load_signer(settings.audit_key, name, create=may_make)]
    if settings.audit_next_key_file is not None:
        signers.append(load_next_signer(settings.audit_next_key_file, name))
    return Signing(name, signers)


def copies(parts: Parts) -> Copies:
    """Where copies of checkpoints are kept. Raises Misconfigured."""
    settings = parts.settings
    if settings.audit_copies_command:
        return CommandCopies(settings.audit_copies_command)
    return FolderCopies(settings.audit_copies)


class Sequencing:
    """A sequencer in a thread of its own, from `start` to `close`. `may_make_key` as in `signing`."""

    def __init__(self, parts: Parts, may_make_key: bool = False) -> None:
        self._reader = parts.log.reader()
        things = Things(self._reader, parts.stores.control, parts.vault.erased)
        self._sequencer = Sequencer(parts.audit, things, signing(parts, may_make_key), copies(parts), instants.now)
        self._stop = threading.Event()
        self._numbering = threading.Thread(target=self._number, name="audit")

    @property
    def status(self) -> TreeStatus:
        """How the tree stands."""
        return self._sequencer.status

    def start(self) -> None:
        """Begin to number, if nobody else does. Raises Corrupt or Misconfigured where the tree cannot be continued."""
        self._sequencer.check()
        self._numbering.start()

    def stop(self) -> None:
        """Number what is there, and stop; does not wait for it."""
        self._stop.set()

    def close(self) -> None:
        """Stop, and wait for it."""
        self.stop()
        if self._numbering.is_alive():
            self._numbering.join(STOP_SECONDS)
        self._reader.close()

    def check_going(self) -> None:
        """Raises Unavailable where the tree is not continued before an operator has seen to it."""
        if failure := self.status.failure:
            raise Unavailable(f"the audit tree is not continued: {failure}")

    def _number(self) -> None:
        try:
            self._sequencer.run(self._stop)
        except Exception:  # noqa: BLE001  # the status has it, `/readyz` and the log tell it; the servers go on
            _log.exception("the audit tree is not continued")
