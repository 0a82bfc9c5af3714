"""Every act that Exemplar knows (domain.md §1): the only place where a field of an act is named."""
