# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a Compose stack can take an operation, decided from facts. Private: other collections must not import it."""

from __future__ import annotations

COMPOSE_SINCE = (2, 0)


def check_compose_version(text):
    """A finding (str) when ``docker compose version --short`` is not that of Compose v2 or newer, else None."""
    parts = text.strip().lstrip("v").split(".")
    if parts[0].isdigit() and int(parts[0]) >= COMPOSE_SINCE[0]:
        return None
    return "Docker Compose {0} is too old: version 2 or newer is needed (the plugin `docker compose`, not docker-compose).".format(
        text.strip() or "?"
    )


def check_model(model, colours, balancer):
    """Findings (list of str) about a Compose model (``docker compose config --format json``, parsed).

    A colour can only be scaled when it has no fixed name and publishes no fixed port (Compose refuses the former, the engine
    the latter, and only when the second replica starts).
    """
    services, findings = model.get("services") or {}, []
    for name in list(colours) + [balancer]:
        if name not in services:
            findings.append("The Compose file has no service {0}. Its services: {1}.".format(name, ", ".join(sorted(services)) or "none"))
    for name in colours:
        service = services.get(name) or {}
        if service.get("container_name"):
            findings.append(
                "Service {0} has container_name {1}, so it can have only one replica. Remove it.".format(name, service["container_name"])
            )
        fixed = [str(port["published"]) for port in service.get("ports") or [] if port.get("published")]
        if fixed:
            findings.append(
                "Service {0} publishes port {1}, so a second replica cannot start. Remove it: nginx reaches replicas inside.".format(
                    name, ", ".join(fixed)
                )
            )
    return findings


def check_disk(path, free, minimum):
    """A finding (str) when fewer than ``minimum`` bytes are ``free`` at ``path``, else None."""
    if free >= minimum:
        return None
    return (
        "Only {0} MiB are free at {1}; {2} MiB are needed. Free space (docker image prune, old logs), "
        "or lower release_minimum_free_bytes.".format(free // 2**20, path, minimum // 2**20)
    )
