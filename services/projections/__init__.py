"""The fold: what the log means (`leadership`), kept in tables that can be rebuilt at any time."""
