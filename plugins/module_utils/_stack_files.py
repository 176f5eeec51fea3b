# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of a host in one archive, and from there onto a host again. Private: other collections must not import it."""

from __future__ import annotations

import collections
import contextlib
import glob
import grp
import gzip
import hashlib
import io
import os
import pwd
import shutil
import stat
import tarfile
import tempfile
import zlib

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import sync_folder, write_atomically

FILE, FOLDER, LINK = "file", "folder", "link"
#: An archive passes through the memory of the host and of the controller.
MOST_BYTES = 64 * 1024 * 1024
_TYPES = {tarfile.REGTYPE: FILE, tarfile.DIRTYPE: FOLDER, tarfile.SYMTYPE: LINK}

#: One file of an archive. ``content`` of a link is where it points to; ``mode`` is a number.
Entry = collections.namedtuple("Entry", "path type mode uid gid owner group content")
#: What is to be done for one: ``before`` is what is at ``destination`` now (Entry), or None.
Change = collections.namedtuple("Change", "entry destination before")
#: ``there``: the status (lstat) of each path; ``missing``: what was asked for and is not there; ``left_out``: no file, folder or link.
Found = collections.namedtuple("Found", "there missing left_out")


class Unreadable(ValueError):
    """An archive that is not what :func:`pack` writes."""


def look(paths):
    """Find all files of ``paths`` (files, folders, patterns), and the folders above them. Raises OpsError."""
    found = Found({}, [], [])
    for path in paths:
        if not os.path.isabs(path):
            raise OpsError("{0} is no absolute path, and nobody knows what it begins at. Write it from / on.".format(path))
        matches = sorted(glob.glob(path)) if glob.has_magic(path) else [path]
        matches = [match for match in matches if os.path.exists(match)]
        if not matches:
            found.missing.append(path)
        for match in matches:
            _add(os.path.abspath(match), found)
    return found


def _add(path, found):
    """Where a path leads through links it is kept where it really is, so that nothing of an archive is ever written through a link."""
    here = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    for folder in _above(here):
        found.there.setdefault(folder, os.stat(folder))
    if os.path.islink(here):
        found.there[here] = os.lstat(here)
        _add(os.path.realpath(here), found)
    else:
        _walk(here, found)


def _above(path):
    folder = os.path.dirname(path)
    while folder != "/":
        yield folder
        folder = os.path.dirname(folder)


def _walk(path, found):
    try:
        status = os.lstat(path)
        if stat.S_ISDIR(status.st_mode):
            found.there[path] = status
            for name in sorted(os.listdir(path)):
                _walk(os.path.join(path, name), found)
        elif stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
            found.there[path] = status
        else:
            found.left_out.append(path)
    except FileNotFoundError:
        # What came and went in the meantime is no part of it.
        pass
    except PermissionError:
        raise _denied(path)


def _denied(path):
    return OpsError("{0} cannot be read by the user {1}. Run it as root (become), or leave it out.".format(path, os.geteuid()))


def refuse_too_much(found, most):
    """Raises OpsError for more bytes than ``most``, with the largest files."""
    sizes = {path: status.st_size for path, status in found.there.items() if stat.S_ISREG(status.st_mode)}
    total = sum(sizes.values())
    if total > most:
        largest = sorted(sizes, key=lambda path: sizes[path], reverse=True)[:3]
        raise OpsError(
            "The files have {0} bytes, and no more than {1} are taken (max_bytes). Name fewer of them, or raise it. The largest are "
            "{2}.".format(total, most, ", ".join(largest))
        )


def pack(found, tick=lambda: None):
    """-> (the archive as tar.gz, its entries). The same files always give the same archive."""
    entries, buffer = [], io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, status in sorted(found.there.items()):
            tick()
            entry = _read(path, status)
            if entry:
                archive.addfile(_header(entry, status), io.BytesIO(entry.content) if entry.type == FILE else None)
                entries.append(entry)
    return gzip.compress(buffer.getvalue(), mtime=0), entries


def _read(path, status):
    """The entry of a path, None when it has gone. Raises OpsError."""
    try:
        path.encode("utf-8")
        kind, content = FOLDER, b""
        if stat.S_ISLNK(status.st_mode):
            kind, content = LINK, os.readlink(path).encode("utf-8")
        elif stat.S_ISREG(status.st_mode):
            with open(path, "rb") as stream:
                kind, content = FILE, stream.read()
    except FileNotFoundError:
        return None
    except UnicodeEncodeError:
        raise OpsError("{0!a} is no text in UTF-8. Rename it, or leave it out.".format(path))
    except PermissionError:
        raise _denied(path)
    owner, group = _name(pwd.getpwuid, status.st_uid), _name(grp.getgrgid, status.st_gid)
    return Entry(path, kind, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, owner, group, content)


def _name(lookup, number):
    try:
        return lookup(number)[0]
    except KeyError:
        return ""


def _header(entry, status):
    header = tarfile.TarInfo(entry.path.lstrip("/"))
    header.type = next(code for code, kind in _TYPES.items() if kind == entry.type)
    header.mode, header.uid, header.gid, header.uname, header.gname = entry.mode, entry.uid, entry.gid, entry.owner, entry.group
    header.size = len(entry.content) if entry.type == FILE else 0
    header.linkname = entry.content.decode("utf-8") if entry.type == LINK else ""
    # A folder's time tells of files that are no part of it.
    header.mtime = 0 if entry.type == FOLDER else int(status.st_mtime)
    return header


def unpack(data):
    """The entries of an archive. Raises Unreadable."""
    try:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data)), mode="r:") as archive:
            return [_entry(archive, header) for header in archive]
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise Unreadable("it is cut off or altered ({0})".format(error))


def _entry(archive, header):
    parts = header.name.split("/")
    if header.type not in _TYPES or not header.name or {"", ".", ".."} & set(parts):
        raise Unreadable("it has {0!r}, which no file of a host can be".format(header.name))
    kind = _TYPES[header.type]
    content = archive.extractfile(header).read() if kind == FILE else header.linkname.encode("utf-8")
    if kind == FILE and len(content) != header.size:
        raise Unreadable("{0} is cut off in it".format(header.name))
    return Entry("/" + header.name, kind, header.mode, header.uid, header.gid, header.uname, header.gname, content)


def row(entry, hashed=True):
    """What is told of an entry. Who knows the hash of a short secret can guess the secret: ``hashed`` leaves it out."""
    sha256 = hashlib.sha256(entry.content).hexdigest() if hashed and entry.type != FOLDER else None
    return {
        "path": entry.path, "type": entry.type, "mode": "{0:04o}".format(entry.mode), "owner": entry.owner or str(entry.uid),
        "group": entry.group or str(entry.gid), "bytes": len(entry.content), "sha256": sha256,
    }  # fmt: skip


def changes(entries, root="/"):
    """What has to be done so that ``entries`` are below ``root``. Folders that are there stay as they are. Raises OpsError."""
    found, base = [], root.rstrip("/")
    for entry in entries:
        destination = base + entry.path
        _refuse_outside(destination, root)
        is_folder = os.path.isdir(destination) and not (entry.type != FOLDER and os.path.islink(destination))
        if is_folder != (entry.type == FOLDER) and os.path.lexists(destination):
            raise OpsError(
                "{0} is a {1} here and a {2} in the backup. Nothing was written. Move it away, and run it again.".format(
                    destination, *("folder", entry.type) if is_folder else ("file", FOLDER)
                )
            )
        if is_folder:
            continue
        before = _read(destination, os.lstat(destination)) if os.path.lexists(destination) else None
        if before is None or not _same(before, entry):
            found.append(Change(entry, destination, before))
    return found


def _refuse_outside(destination, root):
    parent, real = os.path.realpath(os.path.dirname(destination)), os.path.realpath(root)
    if os.path.commonpath([parent, real]) != real:
        raise OpsError(
            "{0} would be written to {1}, outside of {2}. Nothing was written. Remove the link.".format(destination, parent, root)
        )


def _same(before, entry):
    owner = _owner(entry)
    return (
        before.type == entry.type
        and before.content == entry.content
        and (entry.type == LINK or before.mode == entry.mode)
        and owner in (None, (before.uid, before.gid))
    )


def _owner(entry):
    """(user, group) by number, as they are called here; None for whoever is not root and cannot give a file away."""
    if os.geteuid() != 0:
        return None
    user, group = entry.uid, entry.gid
    with contextlib.suppress(KeyError):
        user = pwd.getpwnam(entry.owner).pw_uid
    with contextlib.suppress(KeyError):
        group = grp.getgrnam(entry.group).gr_gid
    return user, group


def write(change, suffix):
    """Do it, in one step that is seen. -> where what was there is kept, or None"""
    entry, destination = change.entry, change.destination
    kept, owner = keep(change, suffix) if change.before else None, _owner(entry)
    if entry.type == FOLDER:
        os.mkdir(destination, 0o700)
        if owner:
            os.chown(destination, *owner)
        os.chmod(destination, entry.mode)
    elif entry.type == FILE:
        write_atomically(destination, entry.content, entry.mode, owner)
    else:
        _link(destination, entry.content.decode("utf-8"), owner)
    return kept


def _link(destination, target, owner):
    folder = tempfile.mkdtemp(prefix=".{0}.".format(os.path.basename(destination)), dir=os.path.dirname(destination))
    try:
        fresh = os.path.join(folder, "link")
        os.symlink(target, fresh)
        if owner:
            os.lchown(fresh, *owner)
        os.replace(fresh, destination)
    finally:
        shutil.rmtree(folder)
    sync_folder(os.path.dirname(destination))


def keep(change, suffix):
    """Give what is there another name beside it, which nothing has yet. -> that name"""
    number, wanted = 0, "{0}.{1}".format(change.destination, suffix)
    name = wanted
    while os.path.lexists(name):
        if _same(_read(name, os.lstat(name)), change.before):
            return name
        number += 1
        name = "{0}.{1}".format(wanted, number)
    try:
        os.link(change.destination, name, follow_symlinks=False)
    except OSError:
        # Not every file system knows a second name.
        shutil.copy2(change.destination, name, follow_symlinks=False)
    return name


def diff(found):
    """Names, modes and sizes of what changes (list of Change), before and after; never what is in a file."""

    def told(rows):
        return "".join("{0} {1:04o} {2} bytes\n".format(path, entry.mode, len(entry.content)) for path, entry in rows if entry)

    return {
        "before": told((change.destination, change.before) for change in found),
        "after": told((change.destination, change.entry) for change in found),
    }
