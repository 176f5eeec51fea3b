"""A mail server that writes what it takes into a folder: ``python mailbox.py FOLDER``, until that is gone."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from pathlib import Path

from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.mailbox import Mailbox


def main(folder: Path) -> None:
    certificate, key = misbehaving.make_certificate(folder)
    box = Mailbox(misbehaving.tls_context(certificate, key), login=True)
    with box.serving() as port:
        (folder / "port").write_text(str(port), encoding="utf-8")
        ends = time.monotonic() + 280
        while folder.is_dir() and time.monotonic() < ends:
            mails = [{"subject": mail["Subject"], "id": mail["Message-ID"], "text": mail.get_content()} for mail in list(box.mails)]
            temporary = folder / "mails.tmp"
            with contextlib.suppress(FileNotFoundError):
                temporary.write_text(json.dumps(mails), encoding="utf-8")
                temporary.rename(folder / "mails.json")
            time.sleep(0.1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
