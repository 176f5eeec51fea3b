"""broken.py FOLDER WAY plain|covered: copies the folder of the backups to FOLDER-broken, and breaks the backup in it.

``covered`` makes manifest and catalogue agree with what was done: as somebody would who wrote wrong data from the start.
"""

import gzip
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys


def main(source, way, covered):
    target = pathlib.Path(f"{source}-broken")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    catalogue = target / "catalog.json"
    held = json.loads(catalogue.read_text())
    entry = held["backups"][0]
    entry["bad"], entry["checks"] = None, {"checksum": None, "restore": None}
    folder = target / entry["name"]
    manifest = json.loads((folder / "manifest.json").read_text())
    WAYS[way](folder, manifest)
    if covered == "covered":
        for line in manifest["files"]:
            data = (folder / line["path"]).read_bytes()
            line.update(bytes=len(data), plain_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        text = json.dumps(manifest)
        (folder / "manifest.json").write_text(text)
        entry["manifest_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    catalogue.write_text(json.dumps(held))


def largest(folder):
    """The file with the orders."""
    return max((folder / "dump").iterdir(), key=lambda path: path.stat().st_size)


def change(path, function):
    path.write_bytes(function(path.read_bytes()))


def flip(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def edit_rows(folder, function):
    """Rewrite the orders, compressed as they were."""
    path = largest(folder)
    rows = subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout
    path.write_bytes(subprocess.run(["zstd", "-cq"], input=function(rows), capture_output=True, check=True).stdout)


def without_table(_folder, manifest):
    """The manifest knows a table that the dump never had."""
    manifest["tables"].append({"schema": "public", "name": "forgotten", "rows": 1, "checksum": None})


WAYS = {
    "truncated": lambda folder, _manifest: change(largest(folder), lambda data: data[: len(data) // 2]),
    "flipped": lambda folder, _manifest: change(largest(folder), flip),
    "missing_file": lambda folder, _manifest: largest(folder).unlink(),
    "added_file": lambda folder, _manifest: (folder / "dump" / "9999.dat.zst").write_bytes(b"x"),
    "no_manifest": lambda folder, _manifest: (folder / "manifest.json").unlink(),
    "other_manifest": lambda folder, _manifest: change(folder / "manifest.json", lambda data: data.replace(b"30000", b"30001")),
    "broken_contents": lambda folder, _manifest: change(folder / "dump" / "toc.dat", lambda data: data[:20]),
    "wrong_version": lambda _folder, manifest: manifest.update(server_version="17.0"),
    "missing_table": without_table,
    # What `pg_dump | gzip` leaves of a dump that failed: 20 bytes that `gzip -t` is content with.
    "empty": lambda folder, _manifest: largest(folder).write_bytes(gzip.compress(b"")),
    "other_data": lambda folder, _manifest: edit_rows(folder, lambda rows: rows.partition(b"\n")[2]),
    "same_rows": lambda folder, _manifest: edit_rows(folder, lambda rows: rows.replace(b"\t77\t", b"\t78\t", 1)),
}

if __name__ == "__main__":
    main(*sys.argv[1:])
