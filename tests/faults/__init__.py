"""Faults: processes killed, things away, and nothing lost."""
