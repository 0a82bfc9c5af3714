"""The checked-in schemas are those of the catalogue, and accept and refuse the same as the models."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.protocols import Validator

from services.events.catalog import schemas
from services.events.catalog.acts import CURRENCIES
from services.events.catalog.envelope import Catalogue
from services.kit.errors import Invalid
from services.kit.instants import parse_rfc3339

CATALOGUE = Catalogue()
DOCUMENTS = schemas.documents(CATALOGUE)
NOW = parse_rfc3339("2026-03-02T09:00:00Z")

formats = FormatChecker(())


@formats.checks("date", ValueError)
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


@formats.checks("date-time", ValueError)
def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or isinstance(parse_rfc3339(value), int)


VALIDATORS: dict[str, Validator] = {
    type_: Draft202012Validator(schema, format_checker=formats) for type_, schema in DOCUMENTS.schemas.items()
}

ids = st.sampled_from(["a", "ana", "x" * 128, "x" * 129, "", "é💡", "a\nb", "a\x7f"])
texts = st.sampled_from(["", "said so", "line\nfeed"])
SAMPLES: dict[str, st.SearchStrategy[Any]] = {
    "string": ids | texts,
    "integer": st.sampled_from([1, 30, 30.0, 0, -1, 2**53 - 1, 2**53, 1.5]),
    "boolean": st.booleans(),
    "null": st.none(),
}
odd = st.sampled_from([None, 1, 1.5, True, "odd", [], {}, [1], {"a": 1}, "2026-03-05", "1.0"])


def samples(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that mostly satisfy a schema and sometimes nearly do."""
    if "anyOf" in schema:
        return st.one_of([samples(option) for option in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from([*schema["enum"][:3], schema["enum"][-1], "odd"])
    if schema.get("format") == "date":
        return st.sampled_from(["2026-03-03", "2027-01-01", "2026-02-30", "20260303", "2026-3-3", "today"])
    if "[0-9]{1,30}" in schema.get("pattern", ""):
        return st.sampled_from(["0", "1250.00", "1.2345", "1.23456", "-1", "1.", ".5", "1e3", "9" * 31, "٣"])
    if schema["type"] == "array":
        return st.lists(samples(schema["items"]), max_size=2)
    if schema["type"] == "object":
        return objects(schema)
    return SAMPLES[schema["type"]]


@st.composite
def objects(draw: st.DrawFn, schema: dict[str, Any]) -> dict[str, Any]:
    """Objects with most of their members, at times an odd or an unknown one."""
    members = schema["properties"]
    made = {
        name: draw(samples(member))
        for name, member in members.items()
        if name in schema["required"] or draw(st.integers(0, 3)) == 0
    }
    match draw(st.integers(0, 9)):
        case 0:
            made[draw(st.sampled_from(sorted(members)))] = draw(odd)
        case 1:
            made["unknown"] = draw(odd)
        case 2:
            made.pop(draw(st.sampled_from(sorted(members))), None)
        case _:
            pass
    return made


def accepted(event: dict[str, Any]) -> bool:
    """Whether the models take the event."""
    try:
        CATALOGUE.decode_event(event, NOW)
    except Invalid:
        return False
    return True


def posted(type_: str, data: Any) -> dict[str, Any]:
    """An event that is good but for its data, maybe."""
    return {
        "specversion": "1.0",
        "id": "1",
        "source": "urn:crm",
        "type": type_,
        "subject": "customer-1",
        "time": "2026-03-01T09:30:00Z",
        "data": data,
    }


@pytest.mark.parametrize("type_", sorted(VALIDATORS))
def test_schema_and_model_agree_on_data(type_: str) -> None:
    """What the JSON Schema of an act accepts or refuses of its data, the model accepts or refuses."""
    data = samples(DOCUMENTS.schemas[type_]["properties"]["data"])

    @settings(max_examples=60, deadline=None)
    @given(data)
    def agree(made: Any) -> None:
        event = posted(type_, made)
        assert VALIDATORS[type_].is_valid(event) == accepted(event), event

    agree()


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "specversion",
                "id",
                "source",
                "type",
                "subject",
                "time",
                "datacontenttype",
                "dataschema",
                "data_base64",
                "traceparent",
                "Bad",
                "recordedby",
            ]
        ),
        odd
        | ids
        | st.sampled_from(
            [
                "urn:größe",
                "urn:a b",
                "%41",
                "%4",
                "application/json",
                "text/plain",
                "a/x+json; b=c",
                "2026-02-30T00:00:00Z",
                "2026-03-01t09:30:00.1234567+01:00",
                2**31,
                30.0,
            ]
        ),
        max_size=2,
    )
)
def test_schema_and_model_agree_on_attributes(changes: dict[str, Any]) -> None:
    """What the JSON Schema of an act accepts or refuses of an event's attributes, the model accepts or refuses."""
    event = posted("exemplar.customer.known.v1", {}) | changes
    assert VALIDATORS["exemplar.customer.known.v1"].is_valid(event) == accepted(event), event


def test_the_checked_in_schemas_are_those_of_the_catalogue() -> None:
    """`make schemas` would change nothing."""
    made = schemas.files(DOCUMENTS)
    there = {path.name: path.read_text(encoding="utf-8") for path in schemas.FOLDER.iterdir()}
    assert there == made, "run `make schemas` and commit what it changes"


def test_the_schemas_are_json_schema() -> None:
    """Each is a valid schema of the dialect that it names, personal fields marked, every currency in it."""
    for schema in DOCUMENTS.schemas.values():
        Draft202012Validator.check_schema(schema)
    told = DOCUMENTS.schemas["exemplar.contact.made.v1"]["properties"]["data"]["properties"]
    assert told["text"]["x-exemplar-personal"] is True
    assert "x-exemplar-personal" not in told["rep"]
    order = DOCUMENTS.schemas["exemplar.order.placed.v1"]["properties"]["data"]["properties"]
    assert set(order["currency"]["enum"]) == CURRENCIES


def test_every_reference_of_the_documents_leads_somewhere() -> None:
    """OpenAPI and AsyncAPI hold what they refer to."""
    for document in (DOCUMENTS.openapi, DOCUMENTS.asyncapi):
        for reference in _references(json.loads(json.dumps(document))):
            found: Any = document
            for token in reference.removeprefix("#/").split("/"):
                found = found[token]
            assert found


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [reference for inner in node for reference in _references(inner)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [reference for inner in node.values() for reference in _references(inner)]
