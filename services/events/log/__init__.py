"""The immutable log of acts: its port and its adapters, named by technology."""
