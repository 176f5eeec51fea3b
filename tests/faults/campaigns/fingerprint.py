"""What a playbook that promises to change nothing must leave as it was, asked without the collection."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .fault import REDIS_NODES, Scene
from .stack import ROOT, docker

#: Of each container; its health comes and goes by itself.
CONTAINER = ("Id", "Image", "Created", "Path", "Args", "Config", "HostConfig", "RestartCount")
STATE = ("Status", "Pid", "StartedAt", "FinishedAt", "ExitCode", "OOMKilled")
DATABASE = {
    "rows": "SELECT json_object_agg(relid::regclass::text, ARRAY[n_tup_ins, n_tup_upd, n_tup_del]) FROM pg_stat_user_tables",
    "catalogue": """SELECT json_build_array(
        (SELECT md5(string_agg(concat_ws(' ', oid, relname, relfilenode, relkind, reloptions::text, relacl::text), ',' ORDER BY oid))
           FROM pg_class WHERE relpersistence <> 't'),
        (SELECT md5(string_agg(concat_ws(' ', attrelid, attname, atttypid, attisdropped), ',' ORDER BY attrelid, attnum)) FROM pg_attribute
          WHERE attrelid IN (SELECT oid FROM pg_class WHERE relpersistence <> 't')),
        (SELECT md5(string_agg(p.oid::text || p.proname, ',' ORDER BY p.oid)) FROM pg_proc p),
        (SELECT md5(string_agg(concat_ws(' ', oid, datname, datallowconn, datconnlimit), ',' ORDER BY oid)) FROM pg_database),
        (SELECT md5(string_agg(concat_ws(' ', oid, rolname, rolcanlogin, rolsuper, rolconnlimit, rolconfig::text), ',' ORDER BY oid))
           FROM pg_roles))""",
    "settings": """SELECT md5(string_agg(name || '=' || setting, ',' ORDER BY name)) FROM pg_settings
        WHERE source NOT IN ('client', 'session')""",
    "statistics": "SELECT json_object_agg(coalesce(datname, '-'), stats_reset) FROM pg_stat_database",
}
#: Whoever reads drafts writes these, and so do those who visit us all the time.
OF_VISITORS = b"cache:"


def taken(scene: Scene) -> dict[str, Any]:
    """By what it is: a flat mapping of whatever can be compared."""
    found: dict[str, Any] = dict(_containers(scene))
    found |= dict(_database(scene))
    found |= dict(_redis(scene))
    found |= {f"file {path}": stamp for path, stamp in _files(scene.stack.state)}
    found |= {f"file {path}": stamp for path, stamp in _files(ROOT / "demo")}
    found["nginx: configuration"] = docker("exec", scene.container("nginx"), "sh", "-c", "find /etc/nginx -type f | sort | xargs sha256sum")
    found["nginx: workers"] = sorted(scene.stack.nginx_workers())
    return found


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What is other now, in words."""
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return [f"{name}: {'new' if name not in before else 'gone' if name not in after else 'other'}" for name in changed]


def _containers(scene: Scene) -> Iterator[tuple[str, Any]]:
    names = [container["name"] for container in scene.stack.containers()]
    for shown in json.loads(docker("inspect", *names)):
        networks = {name: network["IPAddress"] for name, network in shown["NetworkSettings"]["Networks"].items()}
        state = {name: shown["State"].get(name) for name in STATE}
        # The engine tells them in another order each time.
        mounts = sorted(shown["Mounts"], key=lambda mount: mount["Destination"])
        kept = {name: shown[name] for name in CONTAINER}
        yield f"container {shown['Name']}", kept | {"State": state, "Addresses": networks, "Mounts": mounts}
    for kind in ("volume", "network"):
        label = f"label=com.docker.compose.project={scene.stack.project}"
        yield f"{kind}s", sorted(docker(kind, "ls", "--quiet", "--filter", label).split())


def _database(scene: Scene) -> Iterator[tuple[str, Any]]:
    for service in ("postgres-master", "postgres-replica"):
        for what, sql in DATABASE.items():
            yield f"{service}: {what}", scene.psql(sql, service)


def _redis(scene: Scene) -> Iterator[tuple[str, Any]]:
    for number in range(1, REDIS_NODES + 1):
        node = scene.redis(number)
        settings = node.config_get("*")
        yield f"redis-{number}: settings", settings
        yield f"redis-{number}: role", node.info("replication")["role"]
        for key in node.scan_iter(count=1000):
            if not key.startswith(OF_VISITORS):
                yield f"redis-{number}: key {key!r}", node.dump(key)
        node.close()


def _files(folder: Path) -> Iterator[tuple[str, Any]]:
    for path in sorted(folder.rglob("*")):
        if "__pycache__" in path.parts:
            continue
        status = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else ""
        # A folder's time changes with what is put into it and taken away again; what is in it is compared by itself.
        yield str(path), (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns if content else 0, content)
