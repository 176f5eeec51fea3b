"""fill.py HOST PORT NUMBER [USER PASSWORD]: so many keys cache:<n> and other:<n>, and some whose names are no plain text."""

import sys

import redis

host, port, number, *login = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:]
client = redis.Redis(host=host, port=port, **dict(zip(("username", "password"), login, strict=False)))
if client.info("cluster")["cluster_enabled"]:
    client = redis.RedisCluster(host=host, port=port)
for begin in range(0, number, 2000):
    pipeline = client.pipeline(transaction=False) if not isinstance(client, redis.RedisCluster) else client.pipeline()
    for n in range(begin, min(begin + 2000, number)):
        pipeline.set(f"cache:{n}", "x" * 200)
        pipeline.set(f"other:{n}", "y")
    pipeline.execute()
for name in (b"cache:a b", b"cache:'q\"\\", b"cache:\xff\x00\n\r", "cache:{tag}:é".encode(), b"cache:{tag}1", b"cache:"):
    client.set(name, "odd")
client.hset("cache:large", mapping={f"field {n}": "value" for n in range(20000)})
