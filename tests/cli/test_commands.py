"""The commands as an operator runs them: processes of their own, with exit codes, stdout and stderr."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.cli import exemplar
from services.kit.settings import PREFIX, Settings
from tests.serving import environment, run, serving
from tests.waiting import wait_until

TAKES_EFFECT = 5.0  # seconds, for what another process did
EXAMPLES = Path(__file__).parents[2] / "examples"

CONTACT = {
    "specversion": "1.0",
    "id": "1",
    "source": "/crm",
    "type": "exemplar.contact.made.v1",
    "subject": "c-1",
    "time": "2026-01-05T09:00:00Z",
    "data": {"rep": "r-1", "channel": "call", "purpose": "introduce", "text": "good morning"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty place for a data folder."""
    return tmp_path / "data"


def test_help_lists_every_command_and_setting(folder: Path) -> None:
    """`exemplar --help` names every setting with its meaning, and every command has help of its own."""
    shown = run(folder, ["--help"])
    assert shown.returncode == 0
    for name in Settings.model_fields:
        assert f"{PREFIX}{name.upper()}" in shown.stdout
    commands = re.findall(r"^  ([a-z-]+)  ", shown.stdout.split("Commands:")[1], re.MULTILINE)
    assert {"demo", "serve", "migrate", "import", "keys", "erase"} <= set(commands)
    of_one = run(folder, ["serve", "--help"])
    assert (of_one.returncode, "Usage: " in of_one.stdout) == (0, True)
    for command in commands:  # in this process: each would import the same again in one of its own
        helped = CliRunner().invoke(exemplar, [command, "--help"])
        assert helped.exit_code == 0, command
        assert f"Usage: exemplar {command}" in helped.stdout


def test_wrong_setting_names_the_variable(folder: Path) -> None:
    """A setting that is wrong ends the command with 2, naming the variable and not its value."""
    ended = run(folder, ["migrate"], port="over nine thousand")
    assert ended.returncode == 2
    assert "EXEMPLAR_PORT" in ended.stderr
    assert "over nine thousand" not in ended.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("log_url", "mysql://x/y"),
        ("database_url", "mysql://x/y"),
        ("vault_url", "nonsense"),
        ("policy_file", "/nowhere/policy.toml"),
        ("secrets_dir", "/nowhere"),
    ],
)
def test_unusable_settings_end_with_2(folder: Path, variable: str, value: str) -> None:
    """What a setting names and cannot be used ends the command with 2, naming the variable."""
    ended = run(folder, ["migrate"], **{variable: value})
    assert ended.returncode == 2
    assert f"EXEMPLAR_{variable.upper()}" in ended.stderr


def test_secrets_folder_gives_settings(folder: Path, tmp_path: Path) -> None:
    """A file named like a variable in the secrets folder gives a setting that the environment does not."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "exemplar_log_url").write_text(f"sqlite:///{tmp_path / 'elsewhere.sqlite'}")
    assert run(folder, ["migrate"], secrets_dir=str(secrets)).returncode == 0
    assert (tmp_path / "elsewhere.sqlite").exists()


def test_migrate_twice_changes_nothing(folder: Path) -> None:
    """`migrate` makes everything, and doing it again changes nothing."""
    assert run(folder, ["migrate"]).returncode == 0
    assert (folder / "vault.key").stat().st_mode & 0o777 == 0o600
    assert run(folder, ["migrate"]).returncode == 0


def test_key_is_printed_once_and_alone(folder: Path) -> None:
    """`keys create` prints the key alone on stdout; neither the list nor any file shows it again."""
    made = run(folder, ["keys", "create", "--name", "crm", "--scope", "acts:write", "--source", "/crm"])
    assert made.returncode == 0
    key = made.stdout.strip()
    assert made.stdout == key + "\n"
    assert len(key) > 40
    listed = json.loads(run(folder, ["keys", "list", "--json"]).stdout)
    assert [(row["name"], row["scopes"], row["sources"], row["revoked"]) for row in listed] == [
        ("crm", ["acts:write"], ["/crm"], None)
    ]
    assert all(key.encode() not in path.read_bytes() for path in folder.iterdir())


def test_names_of_keys_are_unique_for_ever(folder: Path) -> None:
    """A name is taken once and for ever, revoked or not; an unknown name cannot be revoked."""
    create = ["keys", "create", "--name", "ops", "--scope", "admin"]
    assert run(folder, create).returncode == 0
    assert run(folder, ["keys", "revoke", "ops"]).returncode == 0
    assert run(folder, create).returncode == 1
    assert run(folder, ["keys", "revoke", "nobody"]).returncode == 1


def test_serve_refuses_a_folder_in_use(folder: Path) -> None:
    """A second process on the same folder ends with 2 and names the pid of the holder."""
    with serving(folder) as server:
        for arguments in (["serve", "--port", "0"], ["import", __file__, "--mapping", "examples/crm_sales_teams.toml"]):
            ended = run(folder, arguments)
            assert ended.returncode == 2, ended.stderr
            assert f"process {server.process.pid}" in ended.stderr


def test_serve_refuses_a_taken_port(folder: Path, tmp_path: Path) -> None:
    """A port that is taken ends `serve` with 2 and the name of the setting."""
    with serving(folder) as server:
        port = server.url.rsplit(":", 1)[1]
        ended = run(tmp_path / "other", ["serve", "--port", port])
        assert ended.returncode == 2
        assert "EXEMPLAR_PORT" in ended.stderr
        assert port in ended.stderr


def test_sigterm_ends_with_0(folder: Path) -> None:
    """SIGTERM stops a server with exit code 0, and what it acknowledged is there when it starts again."""
    with serving(folder) as server:
        assert server.post(CONTACT).status == 202
        assert server.stop() == 0
    with serving(folder) as server:
        position = server.post({**CONTACT, "id": "2"}).json()["position"]
        assert position.endswith(":1")


def test_revoked_key_is_refused_by_a_running_server(folder: Path) -> None:
    """Keys made and revoked beside a running server take effect in it; the first key ends open mode."""
    with serving(folder) as server:
        assert server.post(CONTACT).status == 202
        key = run(
            folder, ["keys", "create", "--name", "crm", "--scope", "acts:write", "--source", "/crm"]
        ).stdout.strip()
        wait_until(lambda: server.post({**CONTACT, "id": "2"}).status == 401, TAKES_EFFECT)
        assert server.post({**CONTACT, "id": "3"}, authorization=f"Bearer {key}").status == 202
        assert server.post({**CONTACT, "source": "/other"}, authorization=f"Bearer {key}").status == 403
        assert run(folder, ["keys", "revoke", "crm"]).returncode == 0
        wait_until(
            lambda: server.post({**CONTACT, "id": "4"}, authorization=f"Bearer {key}").status == 401, TAKES_EFFECT
        )


def test_erase_beside_a_running_server(folder: Path) -> None:
    """`erase` beside a running server logs the erasure, which nobody can be spared but `public` and `unattributed`."""
    with serving(folder) as server:
        assert server.post(CONTACT).status == 202
        assert run(folder, ["erase", "c-1", "--by", "dpo", "--reason", "asked for"]).returncode == 0
        assert run(folder, ["erase", "public", "--by", "dpo", "--reason", "asked for"]).returncode == 1
        assert server.post({**CONTACT, "id": "2"}).status == 202
    raw = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"good morning" not in raw


def test_a_lost_vault_key_is_not_replaced(folder: Path) -> None:
    """Without the key file of a vault that holds keys, nothing starts, and no new one is put in its place."""
    with serving(folder) as server:
        server.post(CONTACT)
    (folder / "vault.key").unlink()
    ended = run(folder, ["status"])
    assert ended.returncode == 2
    assert "EXEMPLAR_VAULT_KEY_FILE" in ended.stderr
    assert not (folder / "vault.key").exists()


def test_a_lost_log_is_not_begun_anew(folder: Path) -> None:
    """With another log than the model's, nothing is served, rebuilt or erased, and the model stays as it was."""
    with serving(folder) as server:
        server.query("{ teams { totalCount } }", wait_for=server.post(CONTACT).json()["position"])
    (folder / "log.sqlite").unlink()
    for command in (["serve", "--port", "0"], ["rebuild", "--yes"], ["erase", "c-1", "--by", "a", "--reason", "b"]):
        ended = run(folder, command)
        assert ended.returncode == 1
        assert "put that log back" in ended.stderr
    told = run(folder, ["status", "--json"])
    found = json.loads(told.stdout)
    assert (told.returncode, found["acts"], "put that log back" in found["problem"]) == (1, 1, True)
    shown = run(folder, ["status"])
    assert (shown.returncode, "\nproblem        the log is not the one" in shown.stdout) == (1, True)


def test_status_ends_with_1_while_a_partition_is_halted(folder: Path) -> None:
    """`status` ends with 0 while all is well, and with 1 where acts wait for an operator."""
    assert run(folder, ["migrate"]).returncode == 0
    assert run(folder, ["status"]).returncode == 0
    with closing(sqlite3.connect(folder / "exemplar.model_1.sqlite")) as model, model:
        model.execute("UPDATE partitions SET halted_because = 'too many' WHERE partition = 0")
    halted = run(folder, ["status"])
    assert (halted.returncode, "halted         0 too many" in halted.stdout) == (1, True)


def test_demo_leaves_other_data_alone(folder: Path) -> None:
    """`demo` refuses a folder that holds data of its own, and tells its year anew in a folder it made."""
    assert run(folder, ["migrate"]).returncode == 0
    refused = run(folder, ["demo", "--load-only"])
    assert refused.returncode == 2
    assert "EXEMPLAR_DATA_DIR" in refused.stderr
    fresh = folder.with_name("fresh")
    for _ in range(2):
        own_key = folder.with_name("own.key")
        told = run(fresh, ["demo", "--load-only", "--until", "2026-01-01"], vault_key_file=str(own_key))
        assert told.returncode == 0, told.stderr
        assert not own_key.exists()
        assert "acts of a year that ends on 2026-01-01" in told.stderr


def test_environment_of_tests_is_their_own(folder: Path) -> None:
    """No setting of whoever runs the tests reaches the commands under test."""
    names = {name for name in environment(folder) if name.startswith("EXEMPLAR_")}
    assert names == {"EXEMPLAR_DATA_DIR"}


def test_import_to_a_server(folder: Path, tmp_path: Path) -> None:
    """`import --to` posts to a server with a key; a bad row is told with its line and ends the command with 1."""
    rows = tmp_path / "deals.csv"
    rows.write_text(
        "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\n"
        "A1,Ann Lee,P,Acme,Won,2017-01-02,2017-02-01,12\n"
        "A2,Ann Lee,P,Acme,Won,2017-13-02,2017-02-01,12\n"
    )
    import_to = ["import", str(rows), "--mapping", str(EXAMPLES / "crm_sales_pipeline.toml"), "--json", "--to"]
    with serving(folder) as server:
        key = run(folder, ["keys", "create", "--name", "crm", "--scope", "acts:write", "--source", "crm_sales"]).stdout
        (tmp_path / "key").write_text(key)
        done = run(folder, [*import_to, server.url, "--key-file", str(tmp_path / "key")])
        assert done.returncode == 1
        assert json.loads(done.stdout) == {"read": 2, "sent": 5, "duplicates": 0, "skipped": 0, "refused": 1}
        assert f"{rows}:3:" in done.stderr
        again = run(folder, [*import_to, server.url, "--key-file", str(tmp_path / "key")])
        assert json.loads(again.stdout)["duplicates"] == 5
    nowhere = run(folder, [*import_to, server.url])
    assert nowhere.returncode == 1
    assert "nothing answers" in nowhere.stderr


def test_erase_says_what_it_does(folder: Path) -> None:
    """`erase` says what is lost and what stays, before; `--json` what it did; who is nobody is refused at once."""
    with serving(folder) as server:
        server.query("{ principles { id } }", server.post(CONTACT).json()["position"])
        done = run(folder, ["erase", "c-1", "--reason", "asked for", "--yes", "--json"])
        again = run(folder, ["erase", "c-1", "--reason", "asked for", "--by", "dpo"])
        for nobody in ("public", "unattributed"):
            refused = run(folder, ["erase", nobody, "--reason", "asked for", "--yes"])
            assert refused.returncode == 1
            assert "cannot be erased" in refused.stderr
    assert done.returncode == again.returncode == 0
    result = json.loads(done.stdout)
    assert (result["person"], result["acts"], result["again"]) == ("c-1", 1, False)
    assert "c-1: 1 acts are about this key" in done.stderr
    assert "erased before" in again.stderr
    assert run(folder, ["erase", "c-1"]).returncode == 2


def test_the_vault_beside_a_running_server(folder: Path) -> None:
    """The wrapping key changes beside a server, which goes on; the ledger has who was erased."""
    with serving(folder) as server:
        posted = [server.post({**CONTACT, "id": f"b-{n}", "subject": f"c-{n}"}) for n in range(5)]
        assert {answer.status for answer in posted} == {202}
        before = json.loads(run(folder, ["vault", "status", "--json"]).stdout)
        run(folder, ["erase", "c-1", "--reason", "asked for"])
        done = run(folder, ["vault", "rotate", "--json"])
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["rewrapped"] == 4
        assert server.post({**CONTACT, "id": "6", "subject": "c-6"}).status == 202
    after = json.loads(run(folder, ["vault", "status", "--json"]).stdout)
    assert after["keys"] == {after["wrappingKey"]: 5}
    assert after["wrappingKey"] != before["wrappingKey"]
    assert (after["erased"], after["inLedger"]) == (1, 1)
    again = json.loads(run(folder, ["vault", "reapply", "--json"]).stdout)
    assert again == {"erased": 1, "destroyedAgain": 0}


def test_a_ledger_that_cannot_be_written_stops_erasures(folder: Path) -> None:
    """Nobody is erased whom the ledger cannot take: the post gets 503, and the server is not ready, saying why."""
    erased = {
        "specversion": "1.0",
        "id": "erased-1",
        "source": "/dpo",
        "type": "exemplar.person.erased.v1",
        "subject": "c-1",
        "time": "2026-01-02T00:00:00Z",
        "data": {"by": "dpo", "reason": "asked for"},
    }
    elsewhere = folder.with_name("elsewhere")
    with serving(folder, erasures_dir=str(elsewhere)) as server:
        elsewhere.write_text("a file where the folder should be")
        assert server.post(CONTACT).status == 202
        assert server.post(erased).status == 503
        wait_until(lambda: b"EXEMPLAR_ERASURES_DIR" in server.ask("GET", "/readyz").body, TAKES_EFFECT)
        elsewhere.unlink()
        wait_until(lambda: server.post(erased).status == 202, TAKES_EFFECT)
        wait_until(lambda: server.ask("GET", "/readyz").status == 200, TAKES_EFFECT)
    assert "c-1" in next(elsewhere.glob("erasures-*.jsonl")).read_text()


def test_copy_a_log(folder: Path) -> None:
    """`copy` copies a log that is in use into a new file, and goes on from there; the result is on stdout."""
    copied = f"sqlite:///{folder.parent / 'backups' / 'log.sqlite'}"
    with serving(folder) as server:
        assert {server.post({**CONTACT, "id": f"{n}", "subject": f"c-{n}"}).status for n in range(3)} == {202}
        first = run(folder, ["copy", f"sqlite:///{folder / 'log.sqlite'}", copied, "--json"])
        assert server.post({**CONTACT, "id": "4"}).status == 202
        again = run(folder, ["copy", f"sqlite:///{folder / 'log.sqlite'}", copied])
    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert json.loads(first.stdout) == {"copied": 3, "there": 0, "moved": 0, "lost": 0, "equal": True}
    assert again.stdout == "1 records copied, 3 were there: all of them compared, and equal\n"
    assert [path.name for path in (folder.parent / "backups").iterdir()] == ["log.sqlite"]
    refused = run(folder, ["copy", copied, f"sqlite:///{folder / 'other.sqlite'}", "--partitions", "3"])
    assert refused.stdout == (
        "4 records copied, 0 were there: all of them compared, and equal\n"
        "3 have another place than in FROM, which has other partitions or has lost some offsets\n"
    )


def test_copy_names_what_is_wrong(folder: Path, tmp_path: Path) -> None:
    """What `copy` cannot use is told by its argument, with 2, and a FROM that is not there leaves nothing behind."""
    assert run(folder, ["migrate"]).returncode == 0
    log, nothing = f"sqlite:///{folder / 'log.sqlite'}", tmp_path / "none" / "log.sqlite"
    for arguments, told in (
        ([f"sqlite:///{nothing}", log], f"FROM: there is no log {nothing}"),
        (["postgresql://x/y", log], "FROM must be"),
        ([f"sqlite:///{folder / 'exemplar.control.sqlite'}", log], "FROM: "),
        ([log, "log.sqlite"], "TO must be"),
        ([log, log, "--partitions", "3"], "--partitions: TO is there already, with 12 partitions"),
    ):
        ended = run(folder, ["copy", *arguments])
        assert (ended.returncode, told in ended.stderr) == (2, True), ended.stderr
    assert not nothing.parent.exists()
    same = run(folder, ["copy", log, log])
    assert (same.returncode, "the same log" in same.stderr) == (1, True)
