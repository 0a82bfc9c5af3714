"""The team dashboard: pages for people, made of the same trusted documents that any client can ask for."""
