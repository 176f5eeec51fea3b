"""Redis Cluster: a client that survives failovers, full outages and addresses that change."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any
from urllib.parse import unquote, urlsplit

from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import RedisClusterException, RedisError

from .logs import log

LOGGER = logging.getLogger("app.cache")
REBUILD_SECONDS = 0.5


class CacheUnavailable(RuntimeError):
    """Redis gave no usable answer in time; the message says why."""


class FirstArgument:
    """Stands in for the library's parser of commands, which asks one fixed node for a table of them before anything else,
    so that with this node down the others could not be used either. Every command sent here has its key as the first argument."""

    async def initialize(self, _node: Any) -> None:
        return None

    async def get_keys(self, *command: Any) -> tuple[Any, ...]:
        return command[1:2]


class Cache:
    """Commands by ``call``. The library forgets nodes that fail it, in the end all of them, so after a failure that
    it could not repair itself a new client starts again from the configured nodes and those last known."""

    def __init__(self, urls: tuple[str, ...]) -> None:
        """``urls``: ``redis://[user][:password@]host[:port]``, any nodes of the cluster; the credentials of the first count."""
        parts = [urlsplit(url) for url in urls]
        self._startup = [(part.hostname or "127.0.0.1", part.port or 6379) for part in parts]
        self._username = unquote(parts[0].username) if parts[0].username else None
        self._password = unquote(parts[0].password) if parts[0].password else None
        self._known: list[tuple[str, int]] = []
        self._rebuilt = 0.0
        self._skip_until = 0.0
        self._closing: set[asyncio.Task[None]] = set()
        self._client = self._build()

    def _build(self) -> RedisCluster:
        nodes = dict.fromkeys(self._startup + self._known)
        client = RedisCluster(
            startup_nodes=[ClusterNode(host, port) for host, port in nodes],
            username=self._username,
            password=self._password,
            decode_responses=True,
            socket_timeout=1,
            socket_connect_timeout=0.5,
            # One failed attempt costs at most what one request may wait: the caller, not the library, decides to go on.
            retry=Retry(ConstantBackoff(0.05), 2),
            # A slot without a master must not make the others unusable.
            require_full_coverage=False,
            max_connections=32,
        )
        client.commands_parser = FirstArgument()
        return client

    async def call(self, *command: Any, timeout: float = 2.0, **options: Any) -> Any:
        """The answer; raises CacheUnavailable after ``timeout`` seconds at the latest."""
        client = self._client
        try:
            async with asyncio.timeout(timeout):
                return await client.execute_command(*command, **options)
        except TimeoutError:
            reason = f"no answer in {timeout:g} s"
        except (RedisError, RedisClusterException, OSError, IndexError, KeyError) as error:
            reason = str(error) or type(error).__name__
        self._skip_until = time.monotonic() + REBUILD_SECONDS
        self._replace(client)
        raise CacheUnavailable(f"{command[0]}: {reason}")

    async def optional(self, *command: Any, timeout: float = 0.3) -> Any:
        """None when Redis cannot be used: for what can be had elsewhere. After a failure it is left alone for a moment."""
        if time.monotonic() < self._skip_until:
            return None
        try:
            return await self.call(*command, timeout=timeout)
        except CacheUnavailable as error:
            log(LOGGER, logging.WARNING, "cache skipped", reason=str(error))
            return None

    async def check(self, timeout: float = 0.9) -> None:
        """Raises CacheUnavailable unless a node answers and the cluster, as that node sees it, has all its slots."""
        answer = await self.call("CLUSTER INFO", timeout=timeout, target_nodes=RedisCluster.RANDOM)
        info = answer if isinstance(answer, dict) else dict(line.split(":", 1) for line in str(answer).splitlines() if ":" in line)
        if info.get("cluster_state") != "ok":
            raise CacheUnavailable(f"cluster_state is {info.get('cluster_state')}")
        self._known = [(node.host, int(node.port)) for node in self._client.get_nodes()] or self._known

    def _replace(self, broken: RedisCluster) -> None:
        now = time.monotonic()
        if broken is not self._client or now - self._rebuilt < REBUILD_SECONDS:
            return
        self._rebuilt = now
        self._client = self._build()
        task = asyncio.create_task(self._end(broken))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    @staticmethod
    async def _end(client: RedisCluster) -> None:
        try:
            async with asyncio.timeout(2):
                await client.aclose()
        except (RedisError, OSError, TimeoutError):
            pass  # It was broken already.

    async def close(self) -> None:
        await self._end(self._client)
