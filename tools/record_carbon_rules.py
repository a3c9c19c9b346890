"""Record what carbon's aggregator makes of names and values by its files of rules, as golden data for a test.

``make oracle`` makes an environment that holds carbon, which is none of ours, and runs this in it. The files and the
names are in ``tests/golden/rules``; what carbon says of them is written beside them, as ``carbon.json``. No network, no
process: carbon's own rules, lists and buffers are asked, and its clock is turned::

    .oracle/bin/python tools/record_carbon_rules.py
"""

import json
from collections.abc import Callable
from pathlib import Path

from carbon.aggregator import rules as aggregation
from carbon.aggregator.buffers import BufferManager, MetricBuffer
from carbon.aggregator.processor import AggregationProcessor
from carbon.conf import settings
from carbon.regexlist import RegexList
from carbon.rewrite import RewriteProcessor, RewriteRuleManager, _RewriteRuleManager

RULES = Path(__file__).resolve().parent.parent / "tests" / "golden" / "rules"
STARTED_S = 1_700_000_400
LASTS_S = 120


def values(number: int) -> list[tuple[int, float]]:
    """Samples of a name: every ten seconds a value that tells it apart."""
    return [(STARTED_S + at, float(number + 1) * (1 + at // 10 % 3)) for at in range(0, LASTS_S, 10)]


def lines(name: str) -> list[str]:
    """What a file says, without what is for readers."""
    read = (RULES / name).read_text().splitlines()
    return [line.strip() for line in read if line.strip() and not line.startswith("#")]


def main() -> None:
    """Ask, and write."""
    settings.FORWARD_ALL, settings.LOG_AGGREGATOR_MISSES, settings.WRITE_BACK_FREQUENCY = True, False, None
    settings.CACHE_METRIC_NAMES_MAX = settings.CACHE_METRIC_NAMES_TTL = 0
    aggregation.RuleManager.rules = [
        aggregation.RuleManager.parse_definition(line) for line in lines("aggregation-rules.conf")
    ]
    RewriteRuleManager.rules_file = str(RULES / "rewrite-rules.conf")
    _RewriteRuleManager.read_rules(RewriteRuleManager)
    lists = {}
    for name in ("blacklist", "whitelist"):
        lists[name] = RegexList()
        lists[name].list_file = str(RULES / f"{name}.conf")
        lists[name].read_list()
    MetricBuffer.configure_aggregation = configured
    found = {}
    for number, name in enumerate(lines("names.txt")):
        forwarded = None
        for point in values(number):
            ((rewritten, _),) = RewriteProcessor("pre").process(name, point)
            for kept, _ in AggregationProcessor().process(rewritten, point):
                ((forwarded, _),) = RewriteProcessor("post").process(kept, point)
        made = [rule.get_aggregate_metric(rewritten) for rule in aggregation.RuleManager.rules]
        found[name] = {
            "blacklisted": name in lists["blacklist"],
            "whitelisted": name in lists["whitelist"],
            "pre": rewritten,
            "aggregates": sorted({one for one in made if one}),
            "forwarded": forwarded,
        }
    outputs = {
        name: {
            str(interval.interval): buffer.aggregation_func(interval.values)
            for interval in sorted(buffer.interval_buffers.values(), key=lambda one: one.interval)
        }
        for name, buffer in sorted(BufferManager.buffers.items())
    }
    text = json.dumps({"started_s": STARTED_S, "names": found, "outputs": outputs}, indent=1, sort_keys=True)
    (RULES / "carbon.json").write_text(text + "\n")


def configured(buffer: MetricBuffer, frequency: int, function: Callable[[list[float]], float]) -> None:
    """As a buffer configures itself, but for the timer that would empty it."""
    buffer.aggregation_frequency, buffer.aggregation_func, buffer.configured = frequency, function, True


if __name__ == "__main__":
    main()
