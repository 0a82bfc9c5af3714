"""The fold: tables, projector, rebuild, verify, dead letters."""
