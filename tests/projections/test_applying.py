"""How much of the model is in memory at once."""

from services.projections.applying import ACTS_AT_ONCE, BYTES_AT_ONCE, together


def test_subjects_are_folded_as_many_at_a_time_as_memory_allows() -> None:
    """Neither too many acts nor too many bytes are held at once; a subject that is too large by itself stands alone."""
    half, much = ACTS_AT_ONCE // 2, BYTES_AT_ONCE // 2
    sizes = [("a", half, 1), ("b", half, 1), ("c", 1, 1), ("d", 1, much), ("e", 1, much), ("f", 2 * ACTS_AT_ONCE, 1)]
    assert [[subject for subject, _ in some] for some in together(sizes)] == [["a", "b"], ["c", "d"], ["e"], ["f"]]
    assert list(together([])) == []
