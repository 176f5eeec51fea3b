"""A folder of backups: as text files, for cases that need no server, or of a database of the stack."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.astraldraft.ops.plugins.module_utils._stack_files import row as row_of
from ansible_collections.astraldraft.ops.plugins.module_utils._stack_files import unpack
from ansible_collections.astraldraft.ops.tests.contract.lib.documented import ROOT
from ansible_collections.astraldraft.ops.tests.contract.lib.world import Stack, command

DATA = "not a dump\n"
FOLDER = "{work}/backups"
PROPERTIES = {
    "owner": "shop", "encoding": "UTF8", "collate": "C", "ctype": "C", "locale_provider": "c", "locale": None, "connection_limit": -1,
    "grants": None, "comment": None, "settings": [],
}  # fmt: skip


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def backup(day: int, **more: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """The catalogue's entry of a backup of that day of January 2026, and its files."""
    facts = {
        "name": f"backup_test_202601{day:02d}_000000", "kind": "database", "purpose": "ordinary", "environment": "test", "database": "shop",
        "snapshot_at": f"2026-01-{day:02d}T00:00:00.000Z", "seconds": 4.0, "bytes": len(DATA), "database_bytes": 1000,
        "server_version": "17.5", "encrypted": False,
    } | {key: value for key, value in more.items() if key not in ("bad", "checks")}  # fmt: skip
    line = {"path": "dump/toc.dat", "bytes": len(DATA), "plain_bytes": len(DATA), "sha256": sha256(DATA)}
    manifest = facts | {
        "version": 1, "objects": {"tables": 0}, "extensions": [], "properties": PROPERTIES, "tables": [], "files": [line],
        "server_preload": "", "parts": {}, "compression": "zstd:3", "role_passwords": False,
    }  # fmt: skip
    text = json.dumps(manifest)
    entry = facts | {
        "tables": 0, "rows": 0, "catalogued_at": facts["snapshot_at"], "manifest_sha256": sha256(text), "offsite": None,
        "bad": more.get("bad"), "checks": {"checksum": None, "restore": None} | more.get("checks", {}),
    }  # fmt: skip
    return entry, {f"backups/{facts['name']}/manifest.json": text, f"backups/{facts['name']}/dump/toc.dat": DATA}


def cache_backup(day: int, **more: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """The same of a cache."""
    entry, _files = backup(day, **{"kind": "cache", "database": "cache", "server_version": "8.0.2"} | more)
    row = {"address": "10.0.0.1:6379", "slots": [], "file": "1.rdb", "at": entry["snapshot_at"], "keys": 1, "expires": 0, "memory_bytes": 1}
    line = {"path": "rdb/1.rdb", "bytes": len(DATA), "plain_bytes": len(DATA), "sha256": sha256(DATA)}
    facts = {key: entry[key] for key in ("name", "kind", "purpose", "environment", "database", "snapshot_at", "seconds", "bytes")}
    facts |= {key: entry[key] for key in ("database_bytes", "server_version", "encrypted")}
    text = json.dumps(facts | {"version": 1, "primaries": [row], "files": [line], "topology": "single", "parts": {}})
    entry |= {"tables": None, "rows": None, "key_count": 1, "primaries": 1, "manifest_sha256": sha256(text)}
    return entry, {f"backups/{entry['name']}/manifest.json": text, f"backups/{entry['name']}/rdb/1.rdb": DATA}


def packed(files: dict[str, str]) -> bytes:
    """An archive of files of a host, below /site."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            header = tarfile.TarInfo(f"site/{name}")
            header.size, header.mode, header.uid, header.gid = len(text), 0o644, os.geteuid(), os.getegid()
            archive.addfile(header, io.BytesIO(text.encode()))
    return gzip.compress(buffer.getvalue(), mtime=0)


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def stack_backup(day: int, *members: tuple[dict[str, Any], Any], **more: Any) -> tuple[dict[str, Any], dict[str, str | bytes]]:
    """The same of a stack, with one archive of one file."""
    entry, _files = backup(day, **{"kind": "stack", "database": "stack", "server_version": ""} | more)
    data = packed({"secret": "a secret\n"})
    name = "files/environment/web-1.tar.gz"
    rows = [row_of(one, not entry["encrypted"]) for one in unpack(data)]
    stored, data = (f"{name}.age", b"not encrypted") if entry["encrypted"] else (name, data)
    line = {"path": stored, "bytes": len(data), "plain_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    facts = {key: entry[key] for key in ("name", "kind", "purpose", "environment", "database", "snapshot_at", "seconds", "bytes")}
    facts |= {key: entry[key] for key in ("database_bytes", "server_version", "encrypted")}
    known = [{key: one[key] for key in ("kind", "name", "database", "manifest_sha256", "snapshot_at")} for one, _files in members]
    archives = [{"host": "web-1", "part": "environment", "file": name, "files": rows}]
    text = json.dumps(facts | {"version": 1, "members": known, "archives": archives, "files": [line], "parts": {}})
    entry |= {"tables": None, "rows": None, "members": [one["name"] for one in known], "manifest_sha256": sha256(text)}
    return entry, {f"backups/{entry['name']}/manifest.json": text, f"backups/{entry['name']}/{stored}": data}


def folder(*backups: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    """The files of all of them, and the catalogue."""
    files = {name: text for _entry, found in backups for name, text in found.items()}
    return files | {"backups/catalog.json": json.dumps({"version": 1, "backups": [entry for entry, _files in backups]})}


def taken(stack: Stack, database: str) -> dict[str, str | bytes]:
    """The files of a real backup of a database of the stack."""
    login = {
        "login_host": "127.0.0.1", "login_port": stack.port("POSTGRES"), "login_password": stack.secret("postgres-superuser-password"),
        "login_db": database, "project": stack.project, "service": "postgres-master",
    }  # fmt: skip
    return taken_by("postgres_backup", login)


def taken_by(module: str, args: dict[str, Any]) -> dict[str, str | bytes]:
    """The files of a real backup by that module."""
    with tempfile.TemporaryDirectory() as work:
        task = {f"astraldraft.ops.{module}": args | {"path": f"{work}/backups", "environment": "test"}}
        book = Path(work, "play.yml")
        book.write_text(
            json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}]), encoding="utf-8"
        )
        program, interpreter = ROOT / ".venv" / "bin" / "ansible-playbook", f"ansible_python_interpreter={sys.executable}"
        command(str(program), "-i", "localhost,", "-e", interpreter, str(book))
        return {str(path.relative_to(work)): path.read_bytes() for path in Path(work, "backups").rglob("*") if path.is_file()}
