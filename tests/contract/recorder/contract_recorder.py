"""What a Python process does to the world outside of it, as JSON lines: files, processes, signals, bytes sent, SQL, pauses.

An audit hook sees what the interpreter does whoever asks for it; what it does not show (the bytes that go over a socket, what libpq
sends) is recorded where it passes through Python. Reading is not recorded, except from servers: there a request is needed for it.
An event is written before the deed, so a deed that fails is there as well.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import os
import socket
import sys
import threading
import time

MOST_BYTES = 65536
WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Audit event to the position of its paths, each with the position of the folder's descriptor it may be relative to.
FILE_EVENTS = {
    "os.chflags": [(0, None)],
    "os.chmod": [(0, 2)],
    "os.chown": [(0, 3)],
    "os.link": [(1, 3)],
    "os.mkdir": [(0, 2)],
    "os.remove": [(0, 1)],
    "os.removexattr": [(0, None)],
    "os.rename": [(0, 2), (1, 3)],
    "os.rmdir": [(0, 1)],
    "os.setxattr": [(0, None)],
    "os.symlink": [(1, 2)],
    "os.truncate": [(0, None)],
    "os.utime": [(0, 3)],
}
PROCESS_EVENTS = {"subprocess.Popen": 1, "os.posix_spawn": 1, "os.exec": 1, "os.system": 0}

_sink = {"file": None}
_busy = threading.local()


def target(path):
    """Record to the file ``path`` from now on; nowhere when it is empty."""
    _sink["file"] = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if path else None


def note(do, **facts):
    """Append one event. Lines of several processes do not mix: each is one write to a file opened for appending."""
    if _sink["file"] is None:
        return
    line = json.dumps(dict(facts, do=do, pid=os.getpid()), default=repr) + "\n"
    os.write(_sink["file"], line.encode())


def text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def absolute(path, folder=None):
    """Where ``path`` is, or None when it is a descriptor: whatever opened that was seen."""
    if isinstance(path, int):
        return None
    path = text(os.fspath(path))
    if not os.path.isabs(path) and isinstance(folder, int) and folder >= 0:
        path = os.path.join(os.readlink("/proc/self/fd/{0}".format(folder)), path)
    return os.path.abspath(path)


def heard(event, arguments):
    """Note one audit event where it is more than reading."""
    if event == "open":
        path, mode, flags = arguments
        if (flags or 0) & WRITING_FLAGS or (mode and set(mode) & set("wax+")):
            where = absolute(path)
            if where:
                note("file", what="open", path=where)
    elif event in FILE_EVENTS:
        for position, folder in FILE_EVENTS[event]:
            where = absolute(arguments[position], arguments[folder] if folder is not None and folder < len(arguments) else None)
            if where:
                note("file", what=event[3:], path=where)
    elif event in PROCESS_EVENTS:
        argv = arguments[PROCESS_EVENTS[event]]
        note("process", argv=[text(argv)] if isinstance(argv, (str, bytes, os.PathLike)) else [text(part) for part in argv])
    elif event in ("os.kill", "os.killpg"):
        if arguments[1] and not is_descendant(arguments[0]):  # zero only asks whether the process is there
            note("signal", to=arguments[0], signal=int(arguments[1]))
    elif event == "socket.connect":
        note("connect", to=spell(arguments[1]))


def is_descendant(pid):
    """Whether a process is one of our own, or is gone: what one does with those stays inside."""
    while pid > 1:
        if pid == os.getpid():
            return True
        try:
            with open("/proc/{0}/stat".format(pid), encoding="utf-8", errors="replace") as stream:
                pid = int(stream.read().rpartition(")")[2].split()[1])
        except OSError:
            return True
    return False


def hook(event, arguments):
    if _sink["file"] is None or getattr(_busy, "now", False):
        return
    _busy.now = True
    try:
        heard(event, arguments)
    finally:
        _busy.now = False


def spell(address):
    if isinstance(address, tuple):
        return "{0}:{1}".format(address[0], address[1])
    return "unix:" + text(address)


def record_sending(kind, names):
    """Have the methods ``names`` of a socket class note what they send, and to whom."""

    def wrap(name):
        original = getattr(kind, name)

        def sending(self, data, *more, **named):
            if _sink["file"] is not None:
                note_bytes(self, data, more[-1] if name == "sendto" else None)
            return original(self, data, *more, **named)

        setattr(kind, name, sending)

    for name in names:
        wrap(name)


def note_bytes(connection, data, address):
    try:
        where = spell(address or connection.getpeername())
    except OSError:
        where = "nobody"
    if isinstance(data, (list, tuple)):  # sendmsg takes several buffers
        data = b"".join(bytes(part) for part in data)
    if where != "unix:":  # a pair of sockets within a process has no name
        note("send", to=where, data=bytes(data)[:MOST_BYTES].decode("latin-1"))


def record_sql(psycopg2):
    """Have every connection note its parameters, and every statement itself and whether the server lets it write."""
    extensions = psycopg2.extensions
    mixed = {}

    def recording(base):
        if base not in mixed:

            def noting(name):
                def run(self, statement, *more, **named):
                    spelt = statement if isinstance(statement, (str, bytes)) else statement.as_string(self)
                    # Before the statement, since it may end the transaction that it runs in.
                    note("sql", statement=text(spelt), parameters=repr(more), read_only=read_only(self.connection))
                    return getattr(super(mixed[base], self), name)(statement, *more, **named)

                return run

            names = ("execute", "executemany", "callproc", "copy_expert", "copy_from", "copy_to")
            mixed[base] = type("Recording", (base,), {name: noting(name) for name in names})
        return mixed[base]

    def read_only(connection):
        with extensions.connection.cursor(connection, cursor_factory=extensions.cursor) as cursor:
            try:
                cursor.execute("SHOW transaction_read_only")
                return cursor.fetchone()[0] == "on"
            except psycopg2.Error:
                return None

    class Connection(extensions.connection):
        def cursor(self, *more, **named):
            base = named.pop("cursor_factory", None) or self.cursor_factory or extensions.cursor
            return super().cursor(*more, cursor_factory=recording(base), **named)

    original = psycopg2.connect

    def connect(*more, **named):
        note("sql_connect", dsn=[text(part) for part in more], arguments={name: str(value) for name, value in named.items()})
        return original(*more, **dict(named, connection_factory=Connection))

    psycopg2.connect = connect


def record_sleeping():
    original = time.sleep

    def sleep(seconds):
        note("pause", length=round(seconds, 1))
        original(seconds)

    time.sleep = sleep


class Upon(importlib.abc.MetaPathFinder):
    """Calls a function with a module as soon as that has been imported."""

    def __init__(self, actions):
        self._actions = actions

    def find_spec(self, name, path, *_target):
        if name not in self._actions:
            return None
        found = importlib.machinery.PathFinder.find_spec(name, path)
        if found and found.loader:
            original, action = found.loader.exec_module, self._actions[name]

            def exec_module(module):
                original(module)
                action(module)

            found.loader.exec_module = exec_module
        return found


def install(path):
    target(path)
    sys.addaudithook(hook)
    record_sending(socket.socket, ("send", "sendall", "sendto", "sendmsg"))
    actions = {"psycopg2": record_sql, "ssl": lambda ssl: record_sending(ssl.SSLSocket, ("send", "write"))}
    for name in [name for name in actions if name in sys.modules]:
        actions.pop(name)(sys.modules[name])
    sys.meta_path.insert(0, Upon(actions))
    # The control machine's own loops sleep a thousand times a second.
    if not any(os.path.basename(word).startswith("ansible") for word in sys.orig_argv[:3]):
        record_sleeping()
