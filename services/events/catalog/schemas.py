"""The catalogue for machines: a JSON Schema of each act's event, OpenAPI and AsyncAPI, all made from the models.

`python -m services.events.catalog.schemas` writes the checked-in copies in `schemas/` anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from services.events.catalog.acts import PUBLIC, UNATTRIBUTED, ActData, PersonErased
from services.events.catalog.envelope import ID_LENGTH, RECORDED_BY, SOURCE_LENGTH, Catalogue

SCHEMA_MEDIA_TYPE = "application/schema+json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).parents[3] / "schemas"

_END = r"(?![\s\S])"
_TEXT = r"^[^\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]*" + _END
_URI = r"(?!.*%(?![0-9A-Fa-f]{2}))[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}" + _END
_INSTANT = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-5][0-9](?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})" + _END
)
_JSON_TYPE = r"^[A-Za-z0-9!#$&^_.+\-]+/(?:[Jj][Ss][Oo][Nn]|[A-Za-z0-9!#$&^_.\-]+\+[Jj][Ss][Oo][Nn])\s*(?:;.*)?" + _END

_NAMED = (
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
    "data",
    RECORDED_BY,
)
_EXTENSION_NAME = f"^(?!(?:{'|'.join(_NAMED)}){_END})[a-z0-9]+{_END}"
_EXTENSION = {
    "anyOf": [
        {"type": "string", "pattern": _TEXT},
        {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
        {"type": ["boolean", "null"]},
    ]
}
_PROBLEMS = {
    "400": "Malformed JSON, HTTP or CloudEvents.",
    "401": "No credential, or one that is unknown or revoked.",
    "403": "The credential does not allow one of the events.",
    "408": "The request did not arrive within 10 seconds.",
    "409": "Another act with the same subject, source and id, or the same source and id for another subject, is known.",
    "413": "More than 256 KiB an event, 4 MiB or 1,000 events a request.",
    "415": "Another media type, another charset than utf-8, or a content encoding.",
    "422": "An unknown type, a time more than 5 minutes ahead, or data against the catalogue.",
    "429": "Too many requests at the same time: wait as Retry-After says.",
    "503": "The log cannot take the events now; what happened to them is unknown. Send them again.",
}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Documents:
    """Everything that is served: JSON Schemas by CloudEvents type, their index, OpenAPI 3.1 and AsyncAPI 3.0."""

    schemas: Mapping[str, Json]
    index: Json
    openapi: Json
    asyncapi: Json


def documents(catalogue: Catalogue) -> Documents:
    """The documents of a catalogue."""
    schemas = {catalogue.type_of(name): _event(catalogue, name) for name in catalogue.models}
    entries = [
        {
            "type": type_,
            "title": schema["title"],
            "description": schema["description"],
            "href": f"/v1/schemas/{type_}",
        }
        for type_, schema in schemas.items()
    ]
    return Documents(schemas, {"schemas": entries}, _openapi(schemas), _asyncapi(schemas))


def data_schema(model: type[ActData]) -> Json:
    """The JSON Schema of an act's `data`, without references. Personal fields bear `x-exemplar-personal`."""
    (top,), definitions = msgspec.json.schema_components([model])
    schema: Json = _plain(top, definitions)
    schema.pop("title", None)
    schema.pop("description", None)
    return {**schema, **model.conditions}


def files(made: Documents) -> dict[str, str]:
    """The checked-in copies: their names and their text."""
    named = {f"{type_}.json": schema for type_, schema in made.schemas.items()}
    named |= {"openapi.json": made.openapi, "asyncapi.json": made.asyncapi}
    return {
        name: msgspec.json.format(msgspec.json.encode(document)).decode() + "\n" for name, document in named.items()
    }


def _plain(node: Any, definitions: Mapping[str, Any]) -> Any:
    """A schema of msgspec's with references put in place, dates with a pattern, and without defaults."""
    if isinstance(node, list):
        return [_plain(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _plain(definitions[node["$ref"].rsplit("/", 1)[1]], definitions)
    plain = {key: _plain(value, definitions) for key, value in node.items() if key != "default"}
    if plain.get("format") == "date":
        plain["pattern"] = _DATE
    return plain


def _event(catalogue: Catalogue, name: str) -> Json:
    model = catalogue.models[name]
    optional_text = {"type": ["string", "null"], "minLength": 1}
    return {
        "$schema": DIALECT,
        "$id": f"urn:exemplar:schema:{catalogue.type_of(name)}",
        "title": name,
        "description": _sentence(model),
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "minLength": 1, "maxLength": ID_LENGTH, "pattern": _TEXT},
            "source": {"type": "string", "maxLength": SOURCE_LENGTH, "pattern": f"^{_URI}{_END}"},
            "type": {"const": catalogue.type_of(name)},
            "subject": _subject(model),
            "time": {"type": "string", "format": "date-time", "pattern": _INSTANT},
            "datacontenttype": optional_text | {"pattern": _JSON_TYPE},
            "dataschema": optional_text | {"pattern": f"^(?=[A-Za-z][A-Za-z0-9+.\\-]*:){_URI}{_END}"},
            "data": data_schema(model),
            "data_base64": {"type": "null"},
            RECORDED_BY: False,
        },
        "patternProperties": {_EXTENSION_NAME: _EXTENSION},
        "additionalProperties": False,
        "required": ["specversion", "id", "source", "type", "subject", "time", "data"],
    }


def _subject(model: type[ActData]) -> Json:
    subject: Json = {"type": "string", "minLength": 1, "maxLength": ID_LENGTH, "pattern": _TEXT}
    if model is PersonErased:
        subject["not"] = {"enum": [PUBLIC, UNATTRIBUTED]}
    return subject


def _sentence(model: type[ActData]) -> str:
    return " ".join((model.__doc__ or "").split())


def _openapi(schemas: Mapping[str, Json]) -> Json:
    one: Json = {"$ref": "#/components/schemas/Event"}
    answers: Json = {
        "202": {"description": "Every act is durably in the log.", "content": _content("Accepted", "application/json")}
    }
    for status, description in _PROBLEMS.items():
        answers[status] = {"description": description, "content": _content("Problem", "application/problem+json")}
    for status in ("429", "503"):
        answers[status]["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
    components = {_component(type_): schema for type_, schema in schemas.items()}
    references = [{"$ref": f"#/components/schemas/{name}"} for name in components]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Exemplar: the ingress of acts", "version": "1", "license": {"name": "Apache-2.0"}},
        "jsonSchemaDialect": DIALECT,
        "security": [{"key": []}, {}],
        "paths": {
            "/v1/events": {
                "post": {
                    "operationId": "postEvents",
                    "summary": "Record acts: CloudEvents 1.0 in structured, binary or batch mode, by Content-Type.",
                    "description": "A batch is checked whole before anything is appended. In binary mode the "
                    "attributes are `ce-` headers and the body is the act's `data`.",
                    "parameters": [
                        {
                            "name": f"ce-{name}",
                            "in": "header",
                            "schema": {"type": "string"},
                            "description": "The attribute in binary mode, percent-encoded",
                        }
                        for name in ("specversion", "id", "source", "type", "subject", "time")
                    ],
                    "requestBody": {
                        "required": True,
                        "content": {
                            "application/cloudevents+json": {"schema": one},
                            "application/cloudevents-batch+json": {"schema": {"type": "array", "items": one}},
                            "application/json": {"schema": {"type": "object"}},
                        },
                    },
                    "responses": answers,
                }
            },
            "/v1/schemas": {"get": _get("listSchemas", "The acts and where their schemas are.")},
            "/v1/schemas/{type}": {
                "get": _get("getSchema", "The JSON Schema of an act's event.")
                | {"parameters": [{"name": "type", "in": "path", "required": True, "schema": {"enum": list(schemas)}}]}
            },
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Event": {"oneOf": references}, "Accepted": _ACCEPTED, "Problem": _PROBLEM, **components},
        },
    }


def _asyncapi(schemas: Mapping[str, Json]) -> Json:
    messages = {
        _component(type_): {
            "name": type_,
            "title": schema["title"],
            "summary": schema["description"],
            "contentType": "application/cloudevents+json",
            "payload": {"schemaFormat": f"application/schema+json;version={DIALECT}", "schema": schema},
        }
        for type_, schema in schemas.items()
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Exemplar: the log of acts", "version": "1", "license": {"name": "Apache-2.0"}},
        "defaultContentType": "application/cloudevents+json",
        "channels": {
            "log": {
                "address": "{topic}",
                "description": "The log: structured JSON CloudEvents, keyed by their subject. The fields that bear "
                "x-exemplar-personal are encrypted there: base64url text, or null after an erasure.",
                "parameters": {"topic": {"description": "The topic that EXEMPLAR_LOG_URL names."}},
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {
            "fold": {
                "action": "receive",
                "channel": {"$ref": "#/channels/log"},
                "summary": "Fold acts into scorecards.",
            },
            "record": {"action": "send", "channel": {"$ref": "#/channels/log"}, "summary": "Record acts."},
        },
        "components": {"messages": messages},
    }


def _component(type_: str) -> str:
    return type_.replace(".", "_")


def _content(schema: str, media_type: str) -> Json:
    return {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _get(operation: str, summary: str) -> Json:
    answer = {"200": {"description": summary, "content": {"application/json": {"schema": {"type": "object"}}}}}
    return {"operationId": operation, "summary": summary, "responses": answer}


_ACCEPTED: Json = {
    "type": "object",
    "required": ["receipts", "position"],
    "properties": {
        "receipts": {
            "type": "array",
            "description": "One for each event, in their order.",
            "items": {
                "type": "object",
                "required": ["source", "id", "partition", "offset", "duplicate"],
                "properties": {
                    "source": {"type": "string"},
                    "id": {"type": "string"},
                    "partition": {"type": "integer", "minimum": 0},
                    "offset": {"type": "integer", "minimum": 0},
                    "duplicate": {"type": "boolean"},
                },
            },
        },
        "position": {"type": "string", "description": "For Exemplar-Wait-For, such as 3:1042,7:9."},
    },
}
_PROBLEM: Json = {
    "type": "object",
    "description": "RFC 9457.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["index", "pointer", "reason"],
                "properties": {
                    "index": {"type": "integer", "minimum": 0},
                    "pointer": {"type": "string", "format": "json-pointer"},
                    "reason": {"type": "string"},
                },
            },
        },
    },
}


def _write(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in files(documents(Catalogue())).items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _write(FOLDER)
