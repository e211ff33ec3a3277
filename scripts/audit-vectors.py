"""Vectors for the drawing of an audit's segments (spec 7.11), from the specification's text and hashlib alone.

    python3 scripts/audit-vectors.py > test/vectors/audit-samples.json
"""

import hashlib
import json
import random


def sampled(run: bytes, beacon: bytes, leaves: int, count: int) -> list[int]:
    key = hashlib.sha256(b"Verde audit sample 1" + run + beacon).digest()
    counter = 0

    def below(limit: int) -> int:
        nonlocal counter
        while True:
            word = int.from_bytes(hashlib.sha256(key + counter.to_bytes(4, "big")).digest()[:8], "big")
            counter += 1
            if word < 2**64 - 2**64 % limit:
                return word % limit

    places = list(range(leaves))
    for i in range(count):
        j = i + below(leaves - i)
        places[i], places[j] = places[j], places[i]
    return sorted(places[:count])


random.seed(7)
cases = []
for leaves, count in [(1, 1), (2, 1), (2, 2), (21, 4), (101, 6), (1000, 1000), (65537, 20)]:
    run, beacon = random.randbytes(32), random.randbytes(random.choice([16, 32, 96]))
    cases.append(
        {
            "run": "0x" + run.hex(),
            "beacon": "0x" + beacon.hex(),
            "leaves": leaves,
            "count": count,
            "segments": sampled(run, beacon, leaves, count),
        }
    )
print(json.dumps(cases))
