"""broken.py FOLDER WAY plain|covered: copies the folder of the backups to FOLDER-broken, and breaks the backup of the cluster in it.

``covered`` makes manifest and catalogue agree with what was done: as somebody would who wrote wrong data from the start.
"""

import hashlib
import json
import pathlib
import shutil
import sys


def main(source, way, covered):
    target = pathlib.Path(f"{source}-broken")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    catalogue = target / "catalog.json"
    held = json.loads(catalogue.read_text())
    entry = next(entry for entry in held["backups"] if entry["database"] == "cluster")
    entry["bad"], entry["checks"] = None, {"checksum": None, "restore": None}
    folder = target / entry["name"]
    manifest = json.loads((folder / "manifest.json").read_text())
    WAYS[way](sorted((folder / "rdb").iterdir()))
    if covered == "covered":
        for line in manifest["files"]:
            data = (folder / line["path"]).read_bytes()
            line.update(bytes=len(data), plain_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        text = json.dumps(manifest)
        (folder / "manifest.json").write_text(text)
        entry["manifest_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    catalogue.write_text(json.dumps(held))


def truncated(snapshots):
    data = snapshots[0].read_bytes()
    snapshots[0].write_bytes(data[: len(data) // 2])


def flipped(snapshots):
    data = snapshots[0].read_bytes()
    middle = len(data) // 2
    snapshots[0].write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])


def missing(snapshots):
    snapshots[0].unlink()


def swapped(snapshots):
    """One snapshot twice, and another one not at all: each of them can be read."""
    snapshots[0].write_bytes(snapshots[1].read_bytes())


WAYS = {way.__name__: way for way in (truncated, flipped, missing, swapped)}

if __name__ == "__main__":
    main(*sys.argv[1:])
