"""The pages of the dashboard, a file each: to add one is to add its file, template and document, and a line here."""

from collections.abc import Sequence

from services.graphql.dashboard.pages import (
    act,
    audit,
    audit_entry,
    equity,
    example,
    heatmap,
    person,
    principle,
    relationship,
    signals,
    team,
    teams,
)
from services.graphql.dashboard.visiting import Page

PAGES: Sequence[Page] = (
    teams.PAGE,
    team.PAGE,
    example.PAGE,
    heatmap.PAGE,
    equity.PAGE,
    person.PAGE,
    principle.PAGE,
    signals.PAGE,
    relationship.PAGE,
    act.PAGE,
    audit.PAGE,
    audit_entry.PAGE,
)
