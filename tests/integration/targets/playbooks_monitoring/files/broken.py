"""Servers that misbehave, each in its way, until this is killed: their ports by name, as JSON, in the file that is named."""

import contextlib
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[4] / "unit" / "plugins" / "module_utils"))
import misbehaving as bad

KINDS = {
    "hangs": bad.hanging,
    "trickles": bad.trickling_body,
    "endless": bad.endless,
    "500": bad.answering("500 Internal Server Error", b"oops"),
    "401": bad.answering("401 Unauthorized", b"{}"),
    "page": bad.answering(body=b"<!doctype html><title>Log in</title>", Content_Type="text/html"),
    "malformed": bad.answering(body=b'{"status": "success", '),
    "another": bad.answering(body=b'{"ok": true}'),
}

with contextlib.ExitStack() as stack:
    ports = {name: stack.enter_context(bad.serving(behave)) for name, behave in KINDS.items()}
    ports["stopped"] = bad.free_port()
    pathlib.Path(sys.argv[1]).write_text(json.dumps(ports))
    time.sleep(3600)
