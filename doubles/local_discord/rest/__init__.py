"""The REST API, one module for each family of routes."""

from __future__ import annotations

from . import (
    channels,
    commands,
    guilds,
    interactions,
    members,
    messages,
    pins,
    reactions,
    search,
    threads,
    users,
)
from .routing import Route

# Fixed paths stand before those with an id in the same place.
ROUTES: list[Route] = [
    route
    for family in (
        users,
        pins,
        reactions,
        threads,
        search,
        messages,
        channels,
        members,
        guilds,
        commands,
        interactions,
    )
    for route in family.routes.table
]
