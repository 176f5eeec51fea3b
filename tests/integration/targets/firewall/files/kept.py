"""A client that keeps its connection: asks once, says so, asks again when it is told to, and writes down what came of that."""

import http.client
import pathlib
import sys
import time

source, target, port, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), pathlib.Path(sys.argv[4])
name = f"{source}-{port}"
client = http.client.HTTPConnection(target, port, timeout=3, source_address=(source, 0))
client.request("GET", "/")
client.getresponse().read()
client.auto_open = 0
(folder / f"{name}.open").touch()
ends = time.monotonic() + 120
while not (folder / "ask").exists() and time.monotonic() < ends:
    time.sleep(0.1)
try:
    client.request("GET", "/")
    said = str(client.getresponse().status)
except (OSError, http.client.HTTPException) as error:
    said = type(error).__name__
(folder / f"{name}.said").write_text(said)
