"""The commands, in modules by what they need: each is imported when it is called (`services.cli`)."""
