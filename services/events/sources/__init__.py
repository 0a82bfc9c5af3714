"""Importers: files of other systems, mapped to acts by a declarative file and recorded like any others."""
