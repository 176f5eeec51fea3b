"""How everything is that a playbook could change, asked without the collection's own code."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import docker

CONTAINER = ("Id", "Image", "Name")
LABEL = "com.docker.compose.project"


def snapshot(project: str, folder: Path) -> set[str]:
    """A line for every container with its start and its limits, every process of nginx, network, volume, and file of the state folder."""
    client = docker.from_env()
    try:
        containers = client.containers.list(all=True, filters={"label": f"{LABEL}={project}"})
        lines = {_container(container.attrs) for container in containers}
        for container in containers:
            if container.labels.get("com.docker.compose.service") == "nginx" and container.status == "running":
                processes = (" ".join(row) for row in container.top(ps_args="-eo pid,args")["Processes"])
                lines |= {line for line in processes if " nginx: " in line}  # Not those of its health check.
        lines |= {f"network {network.id}" for network in client.networks.list(filters={"label": f"{LABEL}={project}"})}
        lines |= {f"volume {volume.id}" for volume in client.volumes.list(filters={"label": f"{LABEL}={project}"})}
    finally:
        client.close()
    return lines | {_file(path, folder) for path in folder.rglob("*")}


def differences(before: set[str], after: set[str]) -> list[str]:
    return sorted(before ^ after)


def _container(found: dict[str, Any]) -> str:
    state, limits = found["State"], found["HostConfig"]
    known = [found[name] for name in CONTAINER] + [state["StartedAt"], state["Status"], limits["Memory"], limits["NanoCpus"]]
    return "container " + " ".join(map(str, known))


def _file(path: Path, folder: Path) -> str:
    mode = path.lstat().st_mode
    content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    return f"file {path.relative_to(folder)} {mode:o} {content}"
