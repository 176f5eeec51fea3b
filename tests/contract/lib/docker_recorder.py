"""A Docker Engine's socket with a clerk in front of it: every request is written down and passed on as it is.

Unlike a hook in Python it also sees what `docker` and `docker compose` ask of the engine.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from pathlib import Path
from typing import BinaryIO

MOST_BYTES = 65536


class DockerRecorder:
    """Listens on the Unix socket ``path``; ``trace`` is the file to append to, None while nobody wants to know."""

    def __init__(self, path: Path, engine: str = "/var/run/docker.sock") -> None:
        self.path, self._engine = path, engine
        self.trace: Path | None = None
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def host(self) -> str:
        """As DOCKER_HOST wants it."""
        return f"unix://{self.path}"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(self._engine)
            threading.Thread(target=self._serve, args=(client, engine), daemon=True).start()

    def _serve(self, client: socket.socket, engine: socket.socket) -> None:
        """Request after request of one connection; when one asks to speak another protocol, all the rest as it comes."""
        answers = threading.Thread(target=pump, args=(engine, client), daemon=True)
        answers.start()
        with client, engine, client.makefile("rb") as stream:
            with contextlib.suppress(OSError, ValueError):
                while not self._request(stream, engine):
                    pass
                while chunk := stream.read1(MOST_BYTES):
                    engine.sendall(chunk)
            with contextlib.suppress(OSError):
                engine.shutdown(socket.SHUT_WR)
            answers.join()

    def _request(self, stream: BinaryIO, engine: socket.socket) -> bool:
        """Pass one request on. -> whether the connection speaks something else, or nothing more, from here on."""
        head = []
        while True:
            line = stream.readline(MOST_BYTES)
            head.append(line)
            if line in (b"\r\n", b"\n", b""):
                break
        if head == [b""]:
            return True
        words = head[0].decode("latin-1").split()
        pairs = [line.decode("latin-1").partition(":") for line in head[1:]]
        headers = {name.strip().lower(): value.strip() for name, _colon, value in pairs}
        body = stream.read(int(headers.get("content-length", 0)))
        # Before it is passed on: whoever asks may be gone as soon as the engine has answered.
        self._write_down(method=words[0], path=words[1], body=body[:MOST_BYTES].decode("latin-1"))
        engine.sendall(b"".join(head) + body)
        if headers.get("transfer-encoding", "").lower() == "chunked":
            pass_chunks(stream, engine)
        return "upgrade" in headers

    def _write_down(self, **fact: str) -> None:
        if self.trace:
            with self.trace.open("a", encoding="utf-8") as trace:
                trace.write(json.dumps({"do": "docker", **fact}) + "\n")


def pass_chunks(stream: BinaryIO, engine: socket.socket) -> None:
    """Pass a body on whose length nobody knows beforehand."""
    while True:
        size = stream.readline()
        length = int(size.split(b";")[0], 16)
        engine.sendall(size + stream.read(length) + stream.readline())
        if not length:
            return


def pump(source: socket.socket, goal: socket.socket) -> None:
    """Everything that ``source`` says goes to ``goal``."""
    with contextlib.suppress(OSError):
        while data := source.recv(MOST_BYTES):
            goal.sendall(data)
    with contextlib.suppress(OSError):
        goal.shutdown(socket.SHUT_RDWR)
