"""What the leader models: each question of domain.md §5, on hand-made teams and against naive readings."""
