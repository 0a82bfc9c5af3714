"""The write side: the catalogue of acts, the log, the vault of personal keys, and the ways in."""
