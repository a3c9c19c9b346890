"""OpenTSDB's points as JSON, five hundred in a body: two tags each."""

import json

from bench.fleet import Fleet, slot_now

POINTS_IN_A_BODY = 500


def payloads(series: int, samples: int, seed: int) -> list[bytes]:
    fleet = Fleet(series, seed)
    slots = -(-samples // series)
    names = [(f"cpu.metric{i % 10}", {"core": str(i // 10 % 10), "host": f"web{i // 100:04d}"}) for i in range(series)]
    points = []
    for k in range(slots):
        timestamp_s = slot_now(slots - 1 - k)
        points += [
            {"metric": metric, "timestamp": timestamp_s, "value": value, "tags": tags}
            for (metric, tags), value in zip(names, fleet.values().round(2).tolist(), strict=True)
        ]
    points = points[:samples]
    return [
        json.dumps(points[first : first + POINTS_IN_A_BODY]).encode()
        for first in range(0, len(points), POINTS_IN_A_BODY)
    ]
