"""A process that takes a lock in Redis, reads a counter, and writes what it has read plus one: a step for each line of its input.

    python -m examples.real.lock_holder PORT FENCED LEASE_MS

It is a process so that it can be paused as processes are. `FENCED` names the requests to the resource that carry the number
of the lease, and are refused if a later one was seen: none, `write`, or `read,write`.
"""

from __future__ import annotations

import sys
from uuid import uuid4

import redis

LOCK = """
    if redis.call('SET', 'lock', ARGV[1], 'NX', 'PX', ARGV[2]) then return redis.call('INCR', 'leases') end
    return 0
"""
ASK = """
    local token, fenced, value = tonumber(ARGV[1]), ARGV[2] == '1', ARGV[3]
    if fenced then
        if token < tonumber(redis.call('GET', 'seen') or 0) then return 'refused' end
        redis.call('SET', 'seen', token)
    end
    if value ~= '' then redis.call('SET', 'counter', value) end
    return redis.call('GET', 'counter') or '0'
"""


def main(port: int, fenced: set[str], lease_ms: int) -> None:
    store = redis.Redis(port=port, decode_responses=True)
    token, found = 0, ""
    for line in sys.stdin:
        match step := line.strip():
            case "lock":
                token = int(store.eval(LOCK, 0, uuid4().hex, lease_ms))
                print(token or "refused", flush=True)
            case "read":
                found = store.eval(ASK, 0, token, int(step in fenced), "")
                print(found, flush=True)
            case "write":
                print(store.eval(ASK, 0, token, int(step in fenced), int(found) + 1), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), set(sys.argv[2].split(",")), int(sys.argv[3]))
