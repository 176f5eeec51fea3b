"""What a client says to Redis, read back from the bytes it sent."""

from __future__ import annotations

import re

# Commands that change nothing in a data set, a configuration or a cluster; with a bar the first argument belongs to the name.
# In a script by EVAL_RO the server itself refuses every command that writes.
READING = """
    ACL|CAT ACL|WHOAMI ASKING AUTH CLIENT|GETNAME CLIENT|ID CLIENT|INFO CLIENT|LIST CLIENT|MAINT_NOTIFICATIONS CLIENT|NO-TOUCH
    CLIENT|SETINFO CLIENT|SETNAME CLUSTER|COUNTKEYSINSLOT CLUSTER|GETKEYSINSLOT CLUSTER|INFO CLUSTER|KEYSLOT CLUSTER|MYID CLUSTER|NODES
    CLUSTER|SHARDS CLUSTER|SLOTS COMMAND CONFIG|GET DBSIZE ECHO EVAL_RO EXISTS GET GETRANGE HELLO HGET HGETALL HLEN HMGET HSCAN INFO
    LASTSAVE LATENCY|HISTORY LATENCY|LATEST LLEN LRANGE MEMORY|DOCTOR MEMORY|STATS MEMORY|USAGE MGET OBJECT|ENCODING OBJECT|FREQ
    OBJECT|IDLETIME PING PTTL QUIT RANDOMKEY READONLY READWRITE ROLE SCAN SCARD SELECT SENTINEL|CKQUORUM
    SENTINEL|GET-MASTER-ADDR-BY-NAME SENTINEL|MASTER SENTINEL|MASTERS SENTINEL|REPLICAS SENTINEL|SENTINELS SLOWLOG|GET SLOWLOG|LEN
    SMEMBERS SSCAN STRLEN TIME TTL TYPE XLEN ZCARD ZRANGE ZSCAN
"""
READING_NAMES = frozenset(READING.split())


def is_reading(command: list[str]) -> bool:
    words = [word.upper() for word in command[:2]]
    return words[0] in READING_NAMES or "|".join(words) in READING_NAMES


def commands(data: str) -> list[list[str]] | None:
    """The commands in ``data`` (one or several, each a list of words), or None when it is not Redis's protocol. The last may be cut off."""
    found = []
    while data:
        head = re.match(r"\*(\d+)\r\n", data)
        if not head:
            return None
        words, data = [], data[head.end() :]
        for _ in range(int(head.group(1))):
            size = re.match(r"\$(\d+)\r\n", data)
            if not size:
                return found + [words] if data == "" else None
            begin, length = size.end(), int(size.group(1))
            words.append(data[begin : begin + length])
            data = data[begin + length + 2 :]
        found.append(words)
    return found or None
