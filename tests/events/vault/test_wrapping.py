"""The wrapping key, in memory and in its file."""

import subprocess
import sys
from pathlib import Path

import pytest

from services.events.vault.wrapping import WrappingKey, load_wrapping_key
from services.kit.errors import Corrupt, Misconfigured


def test_a_wrapped_key_unwraps_for_its_person_only() -> None:
    """The key comes back for the person it was wrapped for; another person, another key, a changed byte are Corrupt."""
    wrapping = WrappingKey(b"w" * 32)
    wrapped = wrapping.wrap("Zoë", b"k" * 32)
    assert wrapping.unwrap("Zoë", wrapped) == b"k" * 32
    assert wrapping.wrap("Zoë", b"k" * 32) != wrapped
    changed = wrapped[:-1] + bytes([wrapped[-1] ^ 1])
    for key, person, stored in (
        (wrapping, "Zoe", wrapped),
        (WrappingKey(b"x" * 32), "Zoë", wrapped),
        (wrapping, "Zoë", changed),
        (wrapping, "Zoë", b""),
    ):
        with pytest.raises(Corrupt):
            key.unwrap(person, stored)


def test_a_new_key_file_is_private_and_stays(tmp_path: Path) -> None:
    """A key is made where there is none, 64 hexadecimal digits only its owner may read, and never made again."""
    path = tmp_path / "data" / "vault.key"
    wrapped = load_wrapping_key(path, create=True).wrap("a", b"k" * 32)
    content = path.read_text()
    assert len(bytes.fromhex(content)) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_wrapping_key(path, create=True).unwrap("a", wrapped) == b"k" * 32
    assert load_wrapping_key(path, create=False).unwrap("a", wrapped) == b"k" * 32
    assert path.read_text() == content
    assert list(path.parent.iterdir()) == [path]


def test_processes_that_create_at_once_share_one_key(tmp_path: Path) -> None:
    """Of several processes that want a key file that is not there, one makes it, whole, for all."""
    path = tmp_path / "vault.key"
    program = (
        "from pathlib import Path; from services.events.vault.wrapping import load_wrapping_key as load; "
        f"path = Path({str(path)!r}); print(load(path, create=True).wrap('a', b'k' * 32).hex())"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) for _ in range(4)]
    key = None
    for process in processes:
        wrapped = bytes.fromhex(process.communicate(timeout=60)[0].decode())
        key = key or load_wrapping_key(path, create=False)
        assert key.unwrap("a", wrapped) == b"k" * 32
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [None, "", "00" * 31, "00" * 33, "zz" * 32, "ü" * 64])
def test_a_missing_or_wrong_file_is_misconfigured(tmp_path: Path, content: str | None) -> None:
    """The message names the variable and never quotes the file."""
    path = tmp_path / "vault.key"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(Misconfigured, match="EXEMPLAR_VAULT_KEY_FILE") as caught:
        load_wrapping_key(path, create=content is not None)
    assert not content or content not in str(caught.value)


def test_a_folder_in_its_place_is_misconfigured(tmp_path: Path) -> None:
    """A path that cannot be read as a file is a wrong setting too."""
    with pytest.raises(Misconfigured, match="EXEMPLAR_VAULT_KEY_FILE"):
        load_wrapping_key(tmp_path, create=True)
