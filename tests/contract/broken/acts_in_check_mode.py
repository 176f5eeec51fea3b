"""A module that does something whether it is in check mode or not: what, its option says."""

import http.client
import os
import signal
import subprocess

from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

DOCUMENTATION = r"""
module: acts_in_check_mode
short_description: Does what it must not do
description:
  - Deliberately wrong.
options:
  deed:
    description: What it does.
    type: str
    required: true
  where:
    description: On what.
    type: raw
    required: true
"""

RETURN = r"""
duration:
  description: Seconds.
  returned: always
  type: float
"""


def write(where):
    with open(where, "w", encoding="utf-8") as stream:
        stream.write("written")


def program(where):
    subprocess.run(["touch", where], check=True)


def compose(where):
    subprocess.run(["docker", "compose", "--project-directory", where, "up"], check=False)


def post(where):
    connection = http.client.HTTPConnection("127.0.0.1", where, timeout=1)
    connection.request("POST", "/silences")
    connection.close()


def redis_write(where):
    import redis

    redis.Redis(port=where).unlink("contract:nothing of this name")


def sql(arguments, readonly, statement):
    import psycopg2

    connection = psycopg2.connect(**arguments)
    connection.set_session(readonly=readonly)
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def engine(act):
    import docker

    client = docker.from_env()
    try:
        act(client.api)
    except docker.errors.APIError:
        pass
    finally:
        client.close()


DEEDS = {
    "write a file": write,
    "remove a file": lambda where: os.path.exists(where) and os.unlink(where),
    "start a program": program,
    "start services": compose,
    "post": post,
    "delete a key": redis_write,
    "write a table": lambda where: sql(where, False, "SELECT 1"),
    "cancel a query": lambda where: sql(where, True, "SELECT pg_cancel_backend(0)"),
    "stop a container": lambda where: engine(lambda api: api.stop(where)),
    "reload nginx": lambda where: engine(lambda api: api.exec_create(where, ["nginx", "-s", "reload"])),
    "signal": lambda where: os.kill(where, signal.SIGCONT),
}


def work(module, result):
    deed, where = module.params["deed"], module.params["where"]
    if deed == "tell a lie":
        result["changed"] = not module.check_mode
    else:
        DEEDS[deed](where)
        result["changed"] = True


if __name__ == "__main__":
    run(work, {"deed": {"type": "str", "required": True}, "where": {"type": "raw", "required": True}}, {}, supports_check_mode=True)
