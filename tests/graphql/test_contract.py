"""The schema against the contract that clients count on, and against the file that is checked in."""

from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLSchema,
    build_ast_schema,
    build_schema,
    introspection_from_schema,
    parse,
)

from services.graphql.schema import create_schema

ROOT = Path(__file__).parents[2]
# The contract names connections and leaves their form to Relay.
RELAY = "".join(
    f"type {name}Connection {{ edges: [{name}Edge!]!  pageInfo: PageInfo! }}"
    f"type {name}Edge {{ cursor: String!  node: {name}! }}"
    for name in ("Team", "Act", "Signal", "Relationship", "AuditEntry")
)


@pytest.fixture(scope="module")
def contract() -> GraphQLSchema:
    """The contract with Relay's types written out."""
    return build_ast_schema(parse((Path(__file__).parent / "contract.graphql").read_text(encoding="utf-8") + RELAY))


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    """Our schema, as its own text has it."""
    return build_schema(create_schema().as_str())


def test_everything_in_the_contract_is_in_the_schema(contract: GraphQLSchema, schema: GraphQLSchema) -> None:
    """Each type, field, argument, nullability, interface and enum value is exactly the contract's; more may be said."""
    ours = _said(schema)
    for name, promised in _said(contract).items():
        found = ours[name] | {"fields": {field: ours[name]["fields"].get(field) for field in promised["fields"]}}
        assert found == promised, name


def test_the_checked_in_schema_is_the_one_that_is_served() -> None:
    """`schema.graphql` is what clients generate code from: write it anew after a change."""
    checked_in = (ROOT / "schema.graphql").read_text(encoding="utf-8")
    assert checked_in == create_schema().as_str() + "\n"


def _said(schema: GraphQLSchema) -> dict[str, Any]:
    """What each type of a schema says, without descriptions."""
    introspected = introspection_from_schema(schema, descriptions=False)["__schema"]["types"]
    return {type_["name"]: _type_said(type_) for type_ in introspected if not type_["name"].startswith("__")}


def _type_said(type_: Any) -> dict[str, Any]:
    fields = (type_.get("fields") or []) + (type_.get("inputFields") or [])
    return {
        "kind": type_["kind"],
        "values": {value["name"] for value in type_.get("enumValues") or []},
        "interfaces": {interface["name"] for interface in type_.get("interfaces") or []},
        "fields": {
            field["name"]: (field["type"], {a["name"]: (a["type"], a["defaultValue"]) for a in field.get("args", [])})
            for field in fields
        },
    }
