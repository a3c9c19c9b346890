"""JVMs by Jolokia, which tells over HTTP what JMX knows: ``jmx.heap.used_bytes``, ``jmx.threads.live`` ...

It is found where a JVM was started with Jolokia's agent. Beans of an application are named in ``mbeans``.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from tallystick.agent.collecting.collector import Found, Service
from tallystick.agent.collecting.registry import collector
from tallystick.agent.host import Host, Surroundings
from tallystick.agent.services.failure import ServiceError
from tallystick.agent.services.finding import Candidate, answering, by_port
from tallystick.agent.services.reading import Looks, Metric, Reading, number, scaled
from tallystick.agent.services.settings import WebSettings
from tallystick.agent.services.web import check_url
from tallystick.config.table import Table, key, one_of, start_of_names
from tallystick.model.point import Point
from tallystick.native.names import component

_LANG = "java.lang:type="
METRICS = (
    Metric("heap.used_bytes", f"{_LANG}Memory HeapMemoryUsage/used", "Memory of objects"),
    Metric("heap.committed_bytes", f"{_LANG}Memory HeapMemoryUsage/committed", "Memory taken for objects"),
    Metric("heap.max_bytes", f"{_LANG}Memory HeapMemoryUsage/max", "Memory that objects may take"),
    Metric("nonheap.used_bytes", f"{_LANG}Memory NonHeapMemoryUsage/used", "Memory of code and classes"),
    Metric("threads.live", f"{_LANG}Threading ThreadCount", "Threads"),
    Metric("threads.daemon", f"{_LANG}Threading DaemonThreadCount", "of these: the JVM's end does not wait for"),
    Metric("threads.peak", f"{_LANG}Threading PeakThreadCount", "Most threads that there were"),
    Metric("classes.loaded", f"{_LANG}ClassLoading LoadedClassCount", "Classes"),
    Metric("uptime_s", f"{_LANG}Runtime Uptime", "Seconds since it was started", scale=0.001),
    Metric("cpu_percent", f"{_LANG}OperatingSystem ProcessCpuLoad", "Processor time, of all cores", scale=100),
    Metric("open_files", f"{_LANG}OperatingSystem OpenFileDescriptorCount", "Open files and sockets"),
)
USED = Metric("heap.used_percent", "", "Memory of objects, of what they may take")
COLLECTORS = (
    Metric("gc.<collector>.collections", "CollectionCount", "Collections, per second", rate=True),
    Metric("gc.<collector>.time_percent", "CollectionTime", "Time spent collecting", rate=True, scale=0.1),
)
POOLS = (
    Metric("pool.<pool>.used_bytes", "used", "Memory of a pool"),
    Metric("pool.<pool>.max_bytes", "max", "Memory that it may take"),
)
BEAN = Metric("<name>", "", "What the config names")
_GARBAGE, _POOLS = f"{_LANG}GarbageCollector,name=*", f"{_LANG}MemoryPool,name=*"
_BEANS_MAX = 200
_PORT = re.compile(r"[=,]port=(\d+)", re.ASCII)


class Bean(Table, frozen=True):
    """A number of an MBean."""

    mbean: Annotated[str, key("Its name, without patterns: 'Catalina:type=Manager,host=localhost,context=/shop'.")]
    attribute: Annotated[str, key("Of the bean, with the path into it behind slashes: 'HeapMemoryUsage/used'.")]
    name: Annotated[str, key("What the number is called.", start_of_names, min_length=1)]
    kind: Annotated[
        str, key("gauge, or counter for what only grows: told per second.", one_of("kind", ("gauge", "counter")))
    ] = "gauge"
    scale: Annotated[float, key("What it is multiplied by.")] = 1.0


class Settings(WebSettings, frozen=True):
    """A JVM that is asked."""

    url: Annotated[str, key("Of Jolokia.", check_url)] = "http://127.0.0.1:8778/jolokia/"
    mbeans: Annotated[
        tuple[Bean, ...],
        key("Numbers of an application: tables of mbean, attribute, name, kind and scale.", max_length=_BEANS_MAX),
    ] = ()


@collector("jmx", Settings)
class Jmx(Service[Settings]):
    """Memory, collections, threads and classes of a JVM, and beans that the config names."""

    TELLS = (*METRICS, USED, *COLLECTORS, *POOLS, BEAN)

    def __init__(self, settings: Settings, host: Host) -> None:
        super().__init__(settings, host)
        self._looks = Looks(self.TELLS)

    @classmethod
    def discover(cls, around: Surroundings) -> Iterator[Found[Settings]]:
        """By the port that the options of a JVM give to Jolokia's agent."""
        return answering(cls, around, candidates(around), lambda place: Settings(url=place))

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        body = json.dumps(questions(self.settings.mbeans)).encode()
        answer = self.settings.ask(self.settings.url, self.limit_s, body, {"Content-Type": "application/json"})
        yield from self._looks.points(read(answer.text(), self.settings.mbeans), monotonic_s)


def candidates(around: Surroundings) -> Iterator[Candidate]:
    """All JVMs that were started with Jolokia's agent."""
    for process in around.running("java"):
        told = next((word for word in process.arguments if "jolokia" in word and "-javaagent:" in word), "")
        if told:
            port = found[1] if (found := _PORT.search(told)) else "8778"
            yield Candidate(process.pid, f"http://127.0.0.1:{port}/jolokia/", by_port(port, "8778"))


def questions(beans: Sequence[Bean]) -> list[dict[str, str]]:
    """What Jolokia is asked, all at once; it answers in this order."""
    mbeans = dict.fromkeys(metric.source.split(" ")[0] for metric in METRICS)
    ours = [{"type": "read", "mbean": mbean} for mbean in mbeans if not mbean.endswith("OperatingSystem")]
    # Not all of the system's: some of its attributes cannot be read in every JVM, which fails the whole.
    own = [metric.source.split(" ") for metric in METRICS if "OperatingSystem" in metric.source]
    ours += [{"type": "read", "mbean": mbean, "attribute": attribute} for mbean, attribute in own]
    ours += [
        {"type": "read", "mbean": _GARBAGE, "attribute": "CollectionCount,CollectionTime"},
        {"type": "read", "mbean": _POOLS, "attribute": "Usage"},
    ]
    return ours + [_question(bean) for bean in beans]


def read(answer: str, beans: Sequence[Bean] = ()) -> Reading:
    """What Jolokia answers to `questions`; what it could not read is left out."""
    try:
        items = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise ServiceError(f"cannot read Jolokia: its answer is no JSON: {error}; expected a list") from error
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ServiceError("cannot read Jolokia: its answer is no list of tables; expected one for each question")
    asked = questions(beans)
    if len(items) != len(asked):
        raise ServiceError(f"cannot read Jolokia: it answers {len(items)} of {len(asked)} questions")
    reading = Reading(_run(items))
    for question, item in zip(asked[: len(asked) - len(beans)], items, strict=False):
        _take(reading, question, item.get("value"))
    if reading.levels.get("heap.max_bytes"):
        share = reading.levels.get("heap.used_bytes", 0.0) / reading.levels["heap.max_bytes"]
        reading.levels[USED.name] = round(100 * share, 3)
    for bean, item in zip(beans, items[len(asked) - len(beans) :], strict=True):
        if (value := number(str(item.get("value")))) is not None:
            _add(reading, bean, value)
    return reading


def _question(bean: Bean) -> dict[str, str]:
    attribute, _, path = bean.attribute.partition("/")
    asked = {"type": "read", "mbean": bean.mbean, "attribute": attribute}
    return {**asked, "path": path} if path else asked


def _take(reading: Reading, question: Mapping[str, str], value: Any) -> None:
    mbean = question["mbean"]
    if mbean in (_GARBAGE, _POOLS):
        for name, bean in list(value.items() if isinstance(value, dict) else ())[:_BEANS_MAX]:
            if isinstance(bean, dict):
                called = component(_called(name))
                if mbean == _GARBAGE:
                    reading.take(COLLECTORS, _texts(bean), f"gc.{called}")
                else:
                    reading.take(POOLS, _texts(bean.get("Usage")), f"pool.{called}")
        return
    fields = {question["attribute"]: value} if "attribute" in question else value
    flat: dict[str, str] = {}
    for attribute, told in fields.items() if isinstance(fields, dict) else ():
        flat[f"{mbean} {attribute}"] = str(told)
        flat.update({f"{mbean} {attribute}/{part}": text for part, text in _texts(told).items()})
    reading.take(METRICS, flat)


def _texts(table: Any) -> dict[str, str]:
    return {name: str(value) for name, value in table.items()} if isinstance(table, dict) else {}


def _called(mbean: str) -> str:
    """The value of the key ``name`` in the name of a bean."""
    keys = dict(pair.partition("=")[::2] for pair in mbean.partition(":")[2].split(","))
    return keys.get("name", mbean)


def _run(items: Sequence[Mapping[str, Any]]) -> str:
    """When the JVM was started, in its own words."""
    values = (item.get("value") for item in items)
    return next((str(v["StartTime"]) for v in values if isinstance(v, dict) and "StartTime" in v), "")


def _add(reading: Reading, bean: Bean, value: float) -> None:
    if bean.kind == "counter":
        reading.count(bean.name, value * bean.scale, bean.name)
    else:
        reading.levels[bean.name] = scaled(value, bean.scale)
