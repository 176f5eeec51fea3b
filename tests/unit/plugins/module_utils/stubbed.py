"""The demo's stub of outside services on a port of its own, without its web framework: what it answers is what its vendors answer."""

import contextlib
import http.server
import json
import threading
import urllib.parse

from demo.stub.service import Service
from demo.stub.vendors.base import Call


class Stub:
    """``service`` is the stub itself, ``url`` where it listens."""

    def __init__(self, port):
        self.service, self.url, self.port = Service({}), f"http://127.0.0.1:{port}", port

    def settings(self, vendor, **settings):
        self.service._vendors[vendor].configure(settings)

    def fault(self, vendor, **fault):
        reply, _delay = self.service.answer(Call("POST", "/__control", body=json.dumps({"vendor": vendor} | fault).encode()))
        assert reply.status == 200, reply.body

    def calls(self, vendor, method=None):
        return [call for call in self.service.recorder.find(vendor, limit=1000) if not method or call["method"] == method]


@contextlib.contextmanager
def serving():
    """A Stub that answers over HTTP."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def handle_one(self):
            parts = urllib.parse.urlsplit(self.path)
            pairs = tuple(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply, delay = stub.service.answer(Call(self.command, urllib.parse.unquote(parts.path), dict(pairs), headers, body, pairs))
            threading.Event().wait(delay)
            content, kind = reply.content()
            self.send_response(reply.status)
            for name, value in ({"content-type": kind, "content-length": str(len(content))} | dict(reply.headers)).items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(content)

        def log_message(self, *_arguments):
            pass

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.handle_one)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stub = Stub(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(2)
