"""docker-compose.yml as it is written; `tests/compose` starts it."""

from pathlib import Path

import pytest
import yaml

from services.kit.running import GIVE_UP_SECONDS

SERVICES = yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text())["services"]
OURS = ("migrate", "events", "projections", "graphql")
STORES = ("kafka", "postgres")


@pytest.mark.parametrize("name", [*OURS, *STORES])
def test_nothing_is_killed_while_it_stops(name: str) -> None:
    """Docker waits for longer than a server takes at most, and for stores long enough to write down what they have."""
    seconds = int(SERVICES[name]["stop_grace_period"].removesuffix("s"))
    assert seconds >= (60 if name in STORES else 2 * GIVE_UP_SECONDS)


@pytest.mark.parametrize("name", OURS)
def test_services_have_few_rights(name: str) -> None:
    """No service writes to its image, has a capability or gains privileges."""
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_only_what_is_asked_from_outside_has_a_port() -> None:
    """The gateway and the events service alone can be reached, from this machine alone."""
    shown = {
        name: service["ports"] for name, service in SERVICES.items() if "ports" in service and name in OURS + STORES
    }
    assert shown.keys() == {"events", "graphql"}
    assert all(port.startswith("127.0.0.1:") for ports in shown.values() for port in ports)
