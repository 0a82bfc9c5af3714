"""Trusted documents: queries that are known beforehand, asked for by the hash of their text.

The gateway's own are in the folder `documents` beside this file, and whoever runs it may add a folder of theirs. Each
is a file `NAME.graphql` with one operation; its id is `sha256:` and the digest of the file's bytes, as the draft of
GraphQL over HTTP for persisted documents has it.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

import strawberry
from graphql import GraphQLError, GraphQLSchema, parse, validate

from services.graphql.errors import UnknownDocument
from services.kit.errors import Misconfigured

OWN = Path(__file__).parent / "documents"
DASHBOARD = OWN / "dashboard"


class Documents:
    """The trusted documents, by id and by name. `only`: nothing else is answered."""

    def __init__(self, texts: Mapping[str, str], *, only: bool = False) -> None:
        self.only = only
        self.ids = {name: document_id(text) for name, text in texts.items()}
        self._texts = {self.ids[name]: text for name, text in texts.items()}

    def text(self, id_: str) -> str:
        """The document of this id. Raises UnknownDocument."""
        found = self._texts.get(id_)
        if found is None:
            raise UnknownDocument("there is no trusted document of this id: `documentId` is sha256: and 64 hex digits")
        return found

    def check(self, query: str) -> None:
        """Raises UnknownDocument if the text may not be asked for as it is."""
        if self.only and document_id(query) not in self._texts:
            raise UnknownDocument("only trusted documents are answered here: ask by `documentId`")


def document_id(text: str) -> str:
    """The id of a document with this text."""
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def load_documents(schema: strawberry.Schema, folders: Iterable[Path], *, only: bool = False) -> Documents:
    """The documents of these folders. Raises Misconfigured naming a file that is no valid document of the schema.

    The gateway's own are not looked at again at each start: that they are valid is tested.
    """
    texts: dict[str, str] = {}
    for folder in folders:
        if not folder.is_dir():
            raise Misconfigured(f"EXEMPLAR_TRUSTED_DOCUMENTS_DIR: {folder} is not a folder")
        for file in sorted(folder.glob("*.graphql")):
            name = f"dashboard/{file.stem}" if folder == DASHBOARD else file.stem
            texts[name] = _read(file)
            if folder not in (OWN, DASHBOARD):
                _check(schema._schema, file, texts[name])  # noqa: SLF001  # strawberry shows it nowhere else
    return Documents(texts, only=only)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"the trusted document {file} cannot be used: {error}") from error


def _check(schema: GraphQLSchema, file: Path, text: str) -> None:
    try:
        wrong = validate(schema, parse(text))
    except GraphQLError as error:
        raise Misconfigured(f"the trusted document {file} cannot be used: {error}") from error
    if wrong:
        raise Misconfigured(f"the trusted document {file} does not fit the schema: {wrong[0].message}")
