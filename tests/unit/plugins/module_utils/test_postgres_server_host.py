# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import getpass
import os
import shutil
import subprocess

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_server_host as host
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError


def params(folder, **further):
    return {"data_path": str(folder), "bin_dir": None, "tools_user": None, "start_command": None, "stop_command": None, **further}


def server(folder, **further):
    return host.HostServer(params(folder, **further), lambda: None)


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.mark.parametrize(
    "line, expected",
    [
        ('/usr/lib/postgresql/17/bin/postgres "-D" "/data/17" "-p" "5433"', ["-p", "5433"]),
        ('/usr/bin/postgres "-D/data/17" "-c" "config_file=/etc/postgresql/17/main/postgresql.conf"',
         ["-c", "config_file=/etc/postgresql/17/main/postgresql.conf"]),
        ('/usr/bin/postgres "-c" "cluster_name=it is -D" "-D" "/data/17"', ["-c", "cluster_name=it is -D"]),
        ("/usr/bin/postgres", []),
    ],
)  # fmt: skip
def test_the_options_of_the_last_start_without_the_folder(line, expected):
    assert host.options(line, "/data/17") == expected


def test_without_a_container_the_folder_has_to_be_named():
    with pytest.raises(OpsError, match="or, on a bare host, its data folder"):
        host.HostServer(dict(params(""), data_path=None), lambda: None)


def test_a_file_that_is_not_there_is_none(data):
    assert server(data).read("standby.signal") is None
    assert server(data / "nowhere").read("PG_VERSION") is None
    with pytest.raises(OpsError, match=r"has no data in .*data_path right"):
        server(data).demand_major()


@pytest.mark.parametrize("pid", ["", "no number", "999999999\n/data", "{0}\n/data"])
def test_a_number_that_is_nobodys_or_somebody_elses_is_no_server(data, pid):
    (data / host.PID).write_text(pid.format(os.getpid()))
    assert server(data).state == "stopped"


def test_a_process_that_is_a_server_runs(data, tmp_path):
    # Its name is that of its file.
    program = shutil.copy(shutil.which("sleep"), tmp_path / "postgres")
    with subprocess.Popen([program, "60"]) as running:
        (data / host.PID).write_text("{0}\n{1}\n".format(running.pid, data))
        assert server(data).state == "running"
        running.kill()
    assert server(data).state == "stopped"


def test_the_owner_of_the_data_or_of_the_folder_around_it(data):
    assert server(data)._owner == server(data / "nowhere")._owner == getpass.getuser()
    assert server(data, tools_user="pg")._owner == "pg"


def test_what_was_there_before_says_how_it_is_started(data):
    previous = data.parent / (data.name + host.PREVIOUS)
    previous.mkdir()
    (previous / host.OPTIONS).write_text('/usr/bin/postgres "-D" "/data" "-p" "5433"\n')
    assert host.options(server(data)._options, "/data") == ["-p", "5433"]
    (data / host.OPTIONS).write_text('/usr/bin/postgres "-D" "/data" "-p" "5434"\n')
    assert host.options(server(data)._options, "/data") == ["-p", "5434"]


def test_commands_that_do_not_start_it_say_why(data):
    with pytest.raises(OpsError, match="could not be started: no such unit"):
        server(data, start_command=["sh", "-c", "echo no such unit; exit 4"], stop_command=["true"]).start()


def test_a_command_that_leaves_something_running_is_not_waited_for(data):
    server(data, start_command=["sh", "-c", "sleep 3 &"], stop_command=["true"]).start()


def test_what_is_started_is_no_process_of_the_operation(data, monkeypatch):
    monkeypatch.setenv(host.VARIABLE, "stack/1")
    (data / "note").write_text("")
    server(data, start_command=["sh", "-c", f"env >'{data}/note'"], stop_command=["true"]).start()
    assert host.VARIABLE not in (data / "note").read_text()
