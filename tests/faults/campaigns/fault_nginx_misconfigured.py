"""A directive with a slip of the pen, in a file that nginx has not read yet."""

from __future__ import annotations

from .fault import Fault

NAME = "limits.conf"
TEXT = "# Logins, five a second.\nlimit_req_zones $binary_remote_addr zone=logins:1m rate=5r/s;\n"


class NginxMisconfigured(Fault):
    cause = "nginx_misconfigured"

    def inject(self) -> None:
        self._path = self.scene.stack.upstream_path.with_name(NAME)
        self._path.write_text(TEXT)
        self._path.chmod(0o644)
        # As whoever wrote it would do.
        self.scene.nginx("-s", "reload")

    def shows(self) -> str:
        said = self.scene.nginx("-t")
        return said.stderr.strip().splitlines()[0] if said.returncode != 0 else ""

    def undo(self) -> None:
        self._path.unlink()
        self.scene.reload_nginx()
