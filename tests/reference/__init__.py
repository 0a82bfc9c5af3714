"""A second, naive reading of the leadership model (domain.md §§2–4), kept to check the real one against."""
