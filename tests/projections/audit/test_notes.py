"""Signed notes and checkpoints, beside a verifier that was not written here."""

import pytest
from tlog_scales.signing import Vkey
from tlog_scales.tlog import Checkpoint as TheirCheckpoint

from services.kit.errors import Invalid
from services.projections.audit.notes import Checkpoint, Signer, open_checkpoint, parse_verifier, sign, signed_by

ORIGIN = "example.com/log"
OURS, NEXT, OTHER = (Signer(ORIGIN, seed * 32) for seed in (b"a", b"b", b"c"))
CHECKPOINT = Checkpoint(ORIGIN, 700, b"r" * 32)
NOTE = sign(CHECKPOINT, [OURS, NEXT])


@pytest.mark.parametrize("signer", [OURS, NEXT])
def test_each_key_that_signs_is_enough(signer: Signer) -> None:
    """While two keys sign, whoever knows either reads the checkpoint, here and by another's verifier."""
    assert open_checkpoint(NOTE, [parse_verifier(str(signer.verifier))]) == CHECKPOINT
    theirs = TheirCheckpoint.from_text(NOTE)
    theirs.verify(Vkey.from_string(str(signer.verifier)))
    assert (theirs.origin, theirs.size, theirs.root_hash) == CHECKPOINT
    assert signed_by(NOTE) == [(one.verifier.name, one.verifier.key_id) for one in (OURS, NEXT)]


def test_the_examples_of_the_specification_hold() -> None:
    """A verifier key from the specification reads as it is written."""
    text = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    assert str(parse_verifier(text)) == text


def test_what_the_known_key_did_not_sign_is_refused() -> None:
    """A wrong key, a changed size, root or origin, a flipped signature: none is a checkpoint."""
    with pytest.raises(Invalid, match="no key that is known"):
        open_checkpoint(NOTE, [OTHER.verifier])
    for changed in (
        NOTE.replace("\n700\n", "\n701\n"),
        NOTE.replace("cnJy", "cnJz", 1),
        NOTE.replace(ORIGIN, "example.com/lag", 1),
        _flipped(NOTE),
    ):
        with pytest.raises(Invalid):
            open_checkpoint(changed, [OURS.verifier])


def _flipped(note: str) -> str:
    """The note with another character in the middle of the first signature."""
    start = note.index("— ") + 60
    return note[:start] + ("A" if note[start] != "A" else "B") + note[start + 1 :]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "example.com/log\n700\n",
        f"{ORIGIN}\n0700\n{'A' * 43}=\n",
        f"{ORIGIN}\n-1\n{'A' * 43}=\n",
        f"{ORIGIN}\n٧\n{'A' * 43}=\n",
        f"{ORIGIN}\n7\nAAAA\n",
        f"{ORIGIN}\n7\n{'A' * 43}=\n\nmore\n",
        f"{ORIGIN}\t\n7\n{'A' * 43}=\n",
        f"\n7\n{'A' * 43}=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused_though_signed(text: str) -> None:
    """A good signature makes no checkpoint out of another text."""
    with pytest.raises(Invalid):
        open_checkpoint(f"{text}\n{OURS.line(text)}", [OURS.verifier])


@pytest.mark.parametrize("size", [0, 1, 2**40])
def test_checkpoints_of_any_size_are_read(size: int) -> None:
    """A checkpoint reads as it was signed, with lines behind it that some logs add."""
    one = CHECKPOINT._replace(size=size)
    assert open_checkpoint(sign(one, [OURS]), [OURS.verifier]) == one
    text = one.text() + "extension\n"
    assert open_checkpoint(f"{text}\n{OURS.line(text)}", [OURS.verifier]) == one


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a+b",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str) -> None:
    """An id that is not that of name and key, another kind of key, or a name with a space."""
    with pytest.raises(Invalid):
        parse_verifier(text)
