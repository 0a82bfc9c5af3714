"""The tests of Exemplar, in a tree that mirrors `services/`.

A package, and so is every folder below: without this file pytest would put `tests/` on `sys.path`, and `tests/graphql`
would hide graphql-core.
"""
