"""Exemplar: an immutable log of what sales people do, and the scorecards of leading by example that follow from it.

Everything is imported from this root package (`from services.kit.errors import Invalid`). The folder itself never goes
on `sys.path`: `services/graphql` would then hide graphql-core.
"""
