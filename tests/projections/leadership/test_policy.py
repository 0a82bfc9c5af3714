"""The policy file: what it may say, what it must not, and that its documents tell the truth about it."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from services.events.catalog.acts import ACTS, CustomerAct, act_name
from services.kit.errors import Misconfigured
from services.projections.leadership.policy import DEFAULT_POLICY, Policy, load_policy

ROOT = Path(__file__).parents[3]
CUSTOMER_FACING = {act_name(model) for model in ACTS if issubclass(model, CustomerAct)}


def written(tmp_path: Path, text: str) -> Path:
    """A policy file with this text."""
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return path


def figures() -> Iterator[tuple[str, int, int | None, int | None]]:
    """Every figure of the policy: its name in the file, its default, and its bounds."""
    for table in msgspec.structs.fields(Policy):
        if isinstance(table.type, type) and issubclass(table.type, msgspec.Struct):
            for figure in msgspec.structs.fields(table.type):
                kind = msgspec.inspect.type_info(figure.type)
                assert isinstance(kind, msgspec.inspect.IntType)
                yield f"{table.encode_name}.{figure.encode_name}", figure.default, kind.ge, kind.le


FIGURES = list(figures())


def test_without_a_file_the_defaults_hold() -> None:
    """Without a file the policy is the default one, and an empty file says no more than that."""
    assert load_policy(None) is DEFAULT_POLICY
    assert Policy().identity == DEFAULT_POLICY.identity


def test_what_a_file_leaves_out_keeps_its_default(tmp_path: Path) -> None:
    """A file with one figure changes that one only."""
    policy = load_policy(written(tmp_path, "[follow_through]\nsilence_days = 45\n"))
    changed = {"follow_through": msgspec.structs.replace(DEFAULT_POLICY.follow_through, silence_days=45)}
    assert policy == msgspec.structs.replace(DEFAULT_POLICY, **changed)


@pytest.mark.parametrize(("figure", "default", "least", "most"), FIGURES, ids=[name for name, *_ in FIGURES])
def test_a_figure_has_bounds_and_makes_another_policy(
    tmp_path: Path, figure: str, default: int, least: int, most: int
) -> None:
    """Each figure may be set up to its bounds and no further, and setting it changes the policy's identity."""
    table, name = figure.split(".")
    other = default + 1 if default < most and figure != "follow_through.touches_at_least" else default - 1
    policy = load_policy(written(tmp_path, f"[{table}]\n{name} = {other}\n"))
    assert getattr(getattr(policy, table), name) == other
    assert policy.identity != DEFAULT_POLICY.identity
    for wrong in (least - 1, most + 1, '"7"', "true", "7.5"):
        with pytest.raises(Misconfigured, match=rf"EXEMPLAR_POLICY_FILE .*\$\.{table}\.{name}"):
            load_policy(written(tmp_path, f"[{table}]\n{name} = {wrong}\n"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("surprise = 1", "unknown field `surprise`"),
        ("[touches]\nsurprise = 1", r"unknown field `surprise` - at `\$.touches`"),
        ("version = 2", r"at `\$.version`"),
        ('name = "No Blanks"', r"at `\$.name`"),
        ('[not_recorded]\ncrm = ["tea.served"]', r"not_recorded of 'crm' names no act: \['tea.served'\]"),
        ('[not_recorded]\ncrm = "contact.made"', r"at `\$.not_recorded"),
        ("[follow_through]\ntouches_at_least = 8", r"`touches_at_least` is more .* at `\$.follow_through`"),
        ("[evidence]\nfair_customers = 21", r"`fair_customers` is more .* at `\$.evidence`"),
        ("this is not TOML", "line 1"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    """What a policy cannot say is refused by the name of the setting, with the place and the reason."""
    with pytest.raises(Misconfigured, match=f"(?s)EXEMPLAR_POLICY_FILE .*{reason}"):
        load_policy(written(tmp_path, text))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A file that is missing, no file, or not UTF-8 is refused by the name of the setting."""
    (tmp_path / "latin.toml").write_bytes(b'name = "caf\xe9"')
    for path in (tmp_path / "missing.toml", tmp_path, tmp_path / "latin.toml"):
        with pytest.raises(Misconfigured, match="EXEMPLAR_POLICY_FILE cannot be read"):
            load_policy(path)


def test_identity_says_what_the_policy_says(tmp_path: Path) -> None:
    """The order of keys, sources and acts does not change the identity; name and acts not recorded do."""
    one = load_policy(
        written(
            tmp_path, '[not_recorded]\na = ["contact.made", "meeting.held"]\nb = []\n[evidence]\nfair_customers = 4'
        )
    )
    other = load_policy(
        written(
            tmp_path, '[evidence]\nfair_customers = 4\n[not_recorded]\nb = []\na = ["meeting.held", "contact.made"]'
        )
    )
    assert one.identity == other.identity
    assert re.fullmatch(r"default-[0-9a-f]{12}", one.identity)
    fewer = load_policy(
        written(tmp_path, '[not_recorded]\na = ["contact.made"]\nb = []\n[evidence]\nfair_customers = 4')
    )
    named = load_policy(written(tmp_path, 'name = "other"'))
    assert len({one.identity, fewer.identity, named.identity, DEFAULT_POLICY.identity}) == 4
    assert named.identity.startswith("other-")


def test_the_example_says_what_the_public_data_does_not_record() -> None:
    """The example lists, for `bpi2012`, what its mapping does not map to and, for `crm_sales`, all but two acts."""
    policy = load_policy(ROOT / "examples" / "policy.toml")
    mapping = tomllib.loads((ROOT / "examples" / "bpi2012.toml").read_text(encoding="utf-8"))
    assert policy.not_recorded == {
        "bpi2012": CUSTOMER_FACING - {rule["act"] for rule in mapping["rule"]},
        "crm_sales": CUSTOMER_FACING - {"decision.made", "order.placed"},
    }
    assert msgspec.structs.replace(policy, name="default", not_recorded={}) == DEFAULT_POLICY
    assert not policy.records("crm_sales", "contact.made")
    assert policy.records("crm_sales", "order.placed")
    assert policy.records("elsewhere", "contact.made")


def test_the_document_lists_every_figure() -> None:
    """docs/policy.md has each figure with its default and bounds, in the order of the policy, and a meaning."""
    text = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_.]+)` \| (\d+) \| (\d+) – (\d+) \| \S.* \|$", text, re.MULTILINE)
    assert [(name, int(default), int(least), int(most)) for name, default, least, most in rows] == FIGURES


def test_the_document_shows_a_policy_that_loads(tmp_path: Path) -> None:
    """The file shown in docs/policy.md is a valid policy."""
    text = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    shown = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert [load_policy(written(tmp_path, file)).name for file in shown] == ["patient"]
