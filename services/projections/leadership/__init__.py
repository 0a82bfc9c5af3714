"""The leadership model of domain.md as pure functions: no I/O, no clock, no framework. A file a principle."""
