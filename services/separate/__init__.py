"""The production size: the events service, the projections and the gateway, each a process of its own."""
