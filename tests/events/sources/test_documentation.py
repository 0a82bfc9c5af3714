"""What `docs/importing.md` shows is true."""

import re
from pathlib import Path

from services.events.catalog.acts import DecisionMade, OrderPlaced
from services.events.sources.importing import import_file
from services.events.sources.mapping import load_mapping
from tests.events.sources.memory_recorder import MemoryRecorder

PAGE = Path(__file__).parents[3] / "docs" / "importing.md"


def test_first_mapping(tmp_path: Path) -> None:
    """The first file and mapping of the page give the acts that it says they give."""
    page = PAGE.read_text(encoding="utf-8")
    for language in ("csv", "toml"):
        block = re.search(rf"```{language}\n(.*?)```", page, re.DOTALL)
        assert block is not None
        (tmp_path / f"first.{language}").write_text(block[1], encoding="utf-8")
    recorder = MemoryRecorder()

    import_file(
        tmp_path / "first.csv",
        load_mapping(tmp_path / "first.toml"),
        recorder,
        on_refused=print,
        on_progress=lambda _: None,
    )

    assert {key: act.data for key, act in recorder.acts.items()} == {
        ("acme-sons", "crm", "D1-decision"): DecisionMade(rep="ann-lee", deal="D1", outcome="accepted"),
        ("acme-sons", "crm", "D1-order"): OrderPlaced(
            rep="ann-lee", deal="D1", amount="1200.50", currency="EUR", items=()
        ),
        ("D2", "crm", "D2-decision"): DecisionMade(rep="bo-cruz", deal="D2", outcome="declined"),
    }
