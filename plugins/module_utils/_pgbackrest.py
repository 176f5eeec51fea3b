# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pgBackRest is told, and what it says. Private: other collections must not import it.

Its options stand in one file, ``config_path``, for the modules and for the server's ``archive_command`` alike: a passphrase stands there
and nowhere else. Nothing here runs anything.
"""

from __future__ import annotations

import configparser
import json
import re

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place import last_words
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

PGBACKREST_SPEC = {
    "stanza": {"type": "str", "default": "main"},
    "config_path": {"type": "str", "default": "/etc/pgbackrest.conf"},
}
FULL, DIFFERENTIAL, INCREMENTAL = "full", "diff", "incr"
TYPES = (FULL, DIFFERENTIAL, INCREMENTAL)
DEFAULT_REPOSITORY = "/var/lib/pgbackrest"
OK, NO_STANZA, NO_BACKUPS, NO_DATA = 0, 1, 2, 3
#: Of the exit code of pgBackRest: the file with its options is not there.
NO_FILE = 55
MOST_FINDINGS = 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", re.ASCII)
_SEGMENT = re.compile(r"([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})-[0-9a-f]{40}", re.ASCII)
_COUNTS = re.compile(r"(missing|checksum invalid|size invalid|other): (\d+)")
# The error that follows says only that there is none.
_UNREACHED = "unable to check pg"
_COMPLAINT = re.compile(r"\s*(?:\S+ \S+ P\d+\s+)?(ERROR|WARN): (.*)", re.DOTALL)


def command(params, name, *options):
    """The argument list of one command of pgBackRest for the options PGBACKREST_SPEC (dict)."""
    stanza = params["stanza"]
    if not _NAME.fullmatch(stanza):
        raise OpsError("{0!r} is no name of a stanza. Use letters, digits, underscores and hyphens.".format(stanza))
    given = ["--config=" + params["config_path"], "--stanza=" + stanza, "--log-level-file=off", *options]
    return ["pgbackrest", *given, name]


def shell_words(params, name, *options):
    """The same for a setting of the server, which hands it to a shell."""
    words = command(params, name, *options)
    odd = [word for word in words if re.search(r"[^A-Za-z0-9_./=:-]", word)]
    if odd:
        raise OpsError("{0!r} would have to be quoted for a shell. Name another path.".format(odd[0]))
    return " ".join(words)


def archive_command(params):
    """What the server does with each segment of its log that is full."""
    return shell_words(params, "archive-push") + ' "%p"'


def config_text(stanza, pg_path, further):
    """The file with the options. ``further``: those of [global] (dict, None is left out)."""
    lines = ["# Written by astraldraft.ops.pgbackrest_stanza: what is changed here, it changes back.", "[global]"]
    for name, value in sorted(further.items()):
        if value is not None:
            lines.append("{0}={1}".format(name, _value(name, value)))
    return "\n".join([*lines, "", "[{0}]".format(stanza), "pg1-path={0}".format(_value("pg1-path", pg_path)), ""])


def _value(name, value):
    text = str(value)
    if not text or text != text.strip() or "\n" in text:
        raise OpsError("The value of {0} is empty, or has a line break or space at an end, which pgBackRest would not keep.".format(name))
    return text


def repositories(text):
    """The folders of the repositories that the file (str, or None) names, those on this machine."""
    found = _options(text)
    numbers = {match.group(1) for match in (re.fullmatch(r"repo(\d+)-.*", name) for name in found) if match} | {"1"}
    return [
        found.get("repo{0}-path".format(number), DEFAULT_REPOSITORY)
        for number in sorted(numbers, key=int)
        if found.get("repo{0}-type".format(number), "posix") in ("posix", "cifs") and "repo{0}-host".format(number) not in found
    ]


def _options(text):
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",), inline_comment_prefixes=None)
    try:
        parser.read_string(text or "")
    except configparser.Error:
        return {}
    return {name: value for section in parser.sections() for name, value in parser.items(section)}


def explain(what, place_name, done):
    """The OpsError of a command (Finished) that failed, in pgBackRest's own last words."""
    said = complaints(done.output.decode("utf-8", "replace") + "\n" + done.complaint)
    if done.code == 127:
        return OpsError("There is no pgbackrest on {0}. Install Debian's package pgbackrest where the server is.".format(place_name))
    return OpsError("{0} failed on {1} (exit code {2}): {3}".format(what, place_name, done.code, said))


def complaints(text):
    """What was said of errors, and of servers that could not be reached, in one line; the last words where that is not said."""
    found, lines = [], text.split("\n")
    for number, line in enumerate(lines):
        match = _COMPLAINT.fullmatch(line)
        if match and (match.group(1) == "ERROR" or match.group(2).startswith(_UNREACHED)):
            # Further lines of one message are indented.
            tail = []
            for more in lines[number + 1 :]:
                if not more.startswith("      ") or _COMPLAINT.fullmatch(more):
                    break
                tail.append(more)
            found.append(" ".join(" ".join([match.group(2), *tail]).split()))
    return " ".join(found)[:900] or last_words(text)


# Its answer to `info`


def parse_info(text, stanza):
    """What ``info --output=json`` says of one stanza: ``status`` (OK and so on), ``message``, ``encrypted``, ``server_version``,
    ``system_id``, ``archive_min``, ``archive_max``, ``archive_id`` and ``backups``, the oldest first."""
    try:
        found = next((entry for entry in json.loads(text) if entry["name"] == stanza), None)
        if found is None:
            return {
                "status": NO_STANZA, "message": "missing stanza path", "encrypted": False, "server_version": None, "system_id": None,
                "archive_min": None, "archive_max": None, "archive_id": None, "backups": [],
            }  # fmt: skip
        database = found["db"][-1] if found["db"] else {}
        archives = [entry for entry in found["archive"] if entry["database"]["id"] == database.get("id")] or [{}]
        return {
            "status": found["status"]["code"], "message": found["status"]["message"], "encrypted": found["cipher"] != "none",
            "server_version": database.get("version"), "system_id": database.get("system-id"),
            "archive_min": archives[-1].get("min"), "archive_max": archives[-1].get("max"), "archive_id": archives[-1].get("id"),
            "backups": [_backup(entry) for entry in found["backup"]],
        }  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OpsError("pgBackRest's answer to info is not what was expected ({0!r}): {1}".format(error, text[:300]))


def _backup(entry):
    times, size = entry["timestamp"], entry["info"]
    return {
        "label": entry["label"], "type": entry["type"], "prior": entry["prior"], "error": bool(entry.get("error")),
        "database_id": entry["database"]["id"],
        "started_at": to_iso(times["start"]), "ended_at": to_iso(times["stop"]), "ended": times["stop"],
        "seconds": times["stop"] - times["start"], "database_bytes": size["size"],
        "bytes": size["repository"].get("delta", 0), "wal_start": entry["archive"]["start"], "wal_stop": entry["archive"]["stop"],
        "lsn_start": entry["lsn"]["start"], "lsn_stop": entry["lsn"]["stop"],
    }  # fmt: skip


def sets_before(backups, moment, stanza):
    """The backups from which a moment (seconds since 1970; None: any) can be reached, the newest first. Raises OpsError with the first one
    that can."""
    sound = [backup for backup in backups if not backup["error"]]
    found = [backup for backup in sound if moment is None or backup["ended"] <= moment]
    if found:
        return sorted(found, key=lambda backup: backup["ended"], reverse=True)
    if not sound:
        raise OpsError(
            "The stanza {0} has no sound backup: nothing can be recovered from it. Take one: backup -e backup_engine=pgbackrest "
            "-e backup_type=full".format(stanza)
        )
    earliest = min(sound, key=lambda backup: backup["ended"])
    raise OpsError(
        "{0} is before the end of the first backup of the stanza {1} ({2}, {3}): nothing earlier can be recovered. Name a later time, or "
        "restore a dump from before it (backup_list).".format(to_iso(moment), stanza, earliest["label"], earliest["ended_at"])
    )


def predicted_type(wanted, backups):
    """What pgBackRest makes of a wanted type: what leans on another backup becomes a full one where there is none."""
    sound = [backup for backup in backups if not backup["error"]]
    return wanted if any(backup["type"] == FULL for backup in sound) else FULL


# Its answer to `verify`


def parse_verify(text):
    """-> (findings, what was counted) of ``verify --output=text --verbose``"""
    findings, subject, unsound = [], "The repository", None
    counts = {"backups": 0, "files": 0, "segments": 0}
    status = None
    for line in (part.strip() for part in text.split("\n")):
        if _COUNTS.match(line):
            wrong = ["{0} {1}".format(number, what) for what, number in _COUNTS.findall(line) if int(number)]
            findings += ["{0} is not sound: {1}.".format(subject, ", ".join(wrong))] if wrong else []
            unsound = None if wrong else unsound
            continue
        findings += [unsound] if unsound else []
        unsound = None
        name, _comma, rest = line.partition(": ")[2].partition(", ")
        if line.startswith("status: "):
            status = name
        elif line.startswith("archiveId: "):
            subject, counts["segments"] = "The archive " + name, counts["segments"] + _number(rest, "total WAL checked")
        elif line.startswith("backup: "):
            subject = "The backup " + name
            if "status: in-progress" not in rest:
                counts["backups"] += 1
            counts["files"] += _number(rest, "total files checked")
            if "status: valid" not in rest and "status: in-progress" not in rest:
                unsound = "{0} is not sound ({1}).".format(subject, rest)
        elif line and not line.startswith("stanza: "):
            findings.append(line[:300])
    findings += [unsound] if unsound else []
    if status is None:
        raise OpsError("pgBackRest's answer to verify is not what was expected: {0}".format(text[:300] or "it said nothing"))
    if status != "ok" and not findings:
        findings.append("pgBackRest calls the stanza's status {0}.".format(status))
    return findings[:MOST_FINDINGS], counts


def _number(text, what):
    match = re.search(re.escape(what) + r": (\d+)", text)
    return int(match.group(1)) if match else 0


def segments_of(listing):
    """The segments in the answer (str) to ``repo-ls --recurse --output=json``, as sorted (timeline, log, segment)."""
    try:
        names = json.loads(listing or "{}")
    except ValueError:
        raise OpsError("pgBackRest's list of the archive is not what was expected: {0}".format(listing[:300]))
    found = (_SEGMENT.match(name.rpartition("/")[2]) for name in names)
    return sorted({tuple(int(part, 16) for part in match.groups()) for match in found if match})


def gaps(segments, backups):
    """Sentences about what is missing in the archive, ``segments`` as segments_of gives them: recovery goes no further than a gap. Before
    the oldest backup nothing is needed."""
    if not backups:
        return []
    sound = sorted((backup for backup in backups if not backup["error"]), key=lambda backup: backup["ended"])
    have, found = set(segments), []
    # 256 where a segment is 16 MB; with larger ones there are fewer to one number of the log.
    each = 1 << max((segment[2] for segment in segments), default=0).bit_length()
    several = len({segment[1] for segment in segments}) > 1
    for backup in sound:
        for wanted in (backup["wal_start"], backup["wal_stop"]):
            if wanted and _parts(wanted) not in have:
                found.append("The archive lacks {0}, without which the backup {1} cannot be restored.".format(wanted, backup["label"]))
    first = min((_parts(backup["wal_start"]) for backup in sound if backup["wal_start"]), default=(0, 0, 0))
    for before, after in zip(segments, segments[1:]):
        if before[0] != after[0] or after[1:] <= first[1:]:
            continue
        following = (before[0], before[1] + 1, 0) if several and before[2] == each - 1 else (before[0], before[1], before[2] + 1)
        if after != following:
            found.append("The archive lacks what is between {0} and {1}: nothing later can be reached from an earlier backup.".format(
                _name_of(before), _name_of(after)
            ))  # fmt: skip
    return found


def _parts(name):
    return tuple(int(name[start : start + 8], 16) for start in (0, 8, 16))


def _name_of(parts):
    return "{0:08X}{1:08X}{2:08X}".format(*parts)
