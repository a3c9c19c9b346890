"""Random targets, several calls deep; plain Python, so that both sides of the comparison can draw them.

Left out is what is known to differ and listed by itself: series of several steps in one call, and what is random or
asks for the present. So a difference in a drawn target is news.
"""

import re
from collections.abc import Callable
from functools import partial
from random import Random

PATHS = (
    "a.b.c",
    "a.*.c",
    "web.*.cpu",
    "web.h?.mem",
    "web.{h1,h2}.*",
    "w*.h1?.cpu",
    "gappy.*",
    "gappy.one",
    "gappy.none",
    "signed.*",
    "net.*",
    "nothing.here",
    'seriesByTag("name=disk.used")',
    'seriesByTag("dc=~dc1","name=~disk")',
)
_AGGREGATION = '"{sum|average|min|max|median|last|count|diff|range|stddev|multiply}"'
_WINDOW = '{3|5|"2min"|"300s"}'

KEEPING = (
    "absolute(S)",
    "add(S,{2|-1.5|0})",
    "alias(S,'it is')",
    "aliasByMetric(S)",
    "aliasByNode(S,{0|1|-1|0,1})",
    'aliasSub(S,"(\\w+)\\.","\\1-")',
    "averageAbove(S,{5|50})",
    "averageBelow(S,{5|50})",
    "averageSeries(S)",
    "changed(S)",
    'consolidateBy(S,"{max|sum|last}")',
    "countSeries(S)",
    "currentAbove(S,{0|50})",
    "currentBelow(S,{5|50})",
    "derivative(S)",
    "diffSeries(S,S)",
    "divideSeries(S,a.b.c)",
    'exclude(S,"{h1|b|one}")',
    "fallbackSeries(S,S)",
    f"filterSeries(S,{_AGGREGATION},'{{>|>=|<|<=|=|!=}}',{{0|5|100}})",
    'grep(S,"{h1|c|g}")',
    "group(S,S)",
    f"groupByNode(S,{{0|1|2}},{_AGGREGATION})",
    f"groupByNodes(S,{_AGGREGATION},0,{{1|-1}})",
    f"highest(S,{{1|2}},{_AGGREGATION})",
    "highestAverage(S,2)",
    "highestCurrent(S,1)",
    "highestMax(S,2)",
    "integral(S)",
    "interpolate(S,{1|2|inf})",
    "invert(S)",
    "isNonNull(S)",
    "keepLastValue(S,{1|3|inf})",
    "limit(S,{0|1|2})",
    "log(S,{2|10})",
    "logit(S)",
    f"lowest(S,{{1|2}},{_AGGREGATION})",
    "lowestAverage(S,1)",
    "lowestCurrent(S,2)",
    "maximumAbove(S,{5|60})",
    "maximumBelow(S,{5|60})",
    "minMax(S)",
    "minSeries(S)",
    "maxSeries(S,S)",
    "minimumAbove(S,{0|10})",
    "minimumBelow(S,{0|10})",
    "mostDeviant(S,{1|2})",
    f"movingAverage(S,{_WINDOW})",
    f"movingMax(S,{_WINDOW})",
    f"movingMedian(S,{_WINDOW},{{0|0.5}})",
    f"movingMin(S,{_WINDOW})",
    f"movingSum(S,{_WINDOW},{{0|0.8}})",
    f"movingWindow(S,{_WINDOW},{_AGGREGATION})",
    "multiplySeries(S)",
    "nPercentile(S,{5|50|95})",
    "nonNegativeDerivative(S{|,1000})",
    "offset(S,{1.5|-3})",
    "offsetToZero(S)",
    "perSecond(S)",
    "percentileOfSeries(S,{10|50|90}{|,true})",
    "pow(S,{2|0.5})",
    "rangeOfSeries(S)",
    "removeAboveValue(S,{5|50})",
    "removeBelowValue(S,{0|5})",
    "removeEmptySeries(S{|,0.5})",
    "round(S{|,1|,2})",
    "scale(S,{2|0.5|-1|0})",
    "scaleToSeconds(S,{1|60})",
    "setXFilesFactor(sortByName(S),0)",
    "sigmoid(S)",
    f"sortBy(S,{_AGGREGATION},{{true|false}})",
    "sortByMaxima(S)",
    "sortByName(S{|,true|,true,true})",
    "sortByTotal(S)",
    "squareRoot(S)",
    "stddevSeries(S)",
    "substr(S,{0|1},{0|2})",
    "sumSeries(S)",
    "sumSeriesLists(S,S)",
    "transformNull(S{|,-1})",
    "unique(S,S)",
    "upper(S)",
    "weightedAverage(web.*.cpu,web.*.cpu,1)",
    "asPercent(S{|,S|,100})",
    "aggregate(S," + _AGGREGATION + "{|,0.5})",
    "aggregateWithWildcards(S," + _AGGREGATION + ",{0|1})",
    "averageSeriesWithWildcards(S,{0|1|2})",
    "sumSeriesWithWildcards(S,1)",
)
"""Calls whose series stay on the time line of their arguments."""

MOVING = (
    "delay(S,{1|3})",
    'hitcount(S,"{2min|5min}")',
    'holtWintersForecast(S,"{30min|1h}","{5min|10min}")',
    'holtWintersConfidenceBands(S,{2|3},"30min","10min")',
    'holtWintersAberration(S,{1|3},"1h","10min")',
    'integralByInterval(S,"{5min|10min}")',
    "linearRegression(S)",
    f'smartSummarize(S,"{{3min|5min}}",{_AGGREGATION})',
    f'summarize(S,"{{3min|5min|1h}}",{_AGGREGATION}{{|,true}})',
    'timeShift(S,"{5min|-1h|1d}")',
    'timeStack(S,"10min",0,2)',
)
"""Calls that look at another time, or give other slots."""

APART = (
    f"aggregateLine(S,{_AGGREGATION})",
    "areaBetween(limit(S,2))",
    'cactiStyle(S,{"si"|"binary"})',
    "color(S,'red')",
    "compressPeriodicGaps(S)",
    "cumulative(S)",
    "dashed(S)",
    "drawAsInfinite(S)",
    "exponentialMovingAverage(S,{3|5})",
    'holtWintersConfidenceArea(S,3,"30min","10min")',
    'legendValue(S,{"last"|"max","avg"|"min","si"})',
    "lineWidth(S,2)",
    "mapSeries(S,1)",
    "removeAbovePercentile(S,80)",
    "removeBelowPercentile(S,20)",
    "removeBetweenPercentile(S,60)",
    "averageOutsidePercentile(S,75)",
    "secondYAxis(S)",
    "sortByMinima(S)",
    "stacked(S)",
    "stdev(S,{2|4})",
    'timeSlice(S,"-10min","-5min")',
    'groupByTags(S,"sum","dc")',
    'applyByNode(S,1,"sumSeries(%.*)")',
    'aliasQuery(S,"(.*)","a.b.c","%d")',
    'useSeriesAbove(S,5,"nothing","else")',
    "diffSeriesLists(S,S)",
    "multiplySeriesLists(S,S)",
    "divideSeriesLists(S,S)",
    'aggregateSeriesLists(S,S,"max")',
    "multiplySeriesWithWildcards(S,1)",
    "powSeries(S)",
    "weightedAverage(S,S,0)",
    "exp(S)",
    "lower(S)",
)
"""Calls whose answers differ in known ways where others are put around them, or that are not worth nesting."""

SHAPES = ("nothing.here", "gappy.none", "w*.h?.*", "group(fine.f1,a.b.c)")
"""An empty list, a series without a value, several by wildcards amid the path, several steps."""


def shapes() -> list[str]:
    """Every call on every shape of series; the same ones each time."""
    first = Random(0)
    return [_filled(first, call, partial(str, shape)) for call in (*KEEPING, *MOVING, *APART) for shape in SHAPES]


def drawn(random: Random) -> str:
    """One target: up to five calls, at most one of which changes the time line."""
    inner = _keeping(random, random.randint(1, 3))
    if random.random() < 0.5:
        return inner
    moved = _filled(random, random.choice(MOVING), lambda: inner)
    if random.random() < 0.5:
        return moved
    # Above it only what takes a single list, as two could differ in their steps, and has no window to fit to slots.
    single = [call for call in KEEPING if re.match(r"(?!moving|divide)\w+\(S[^S]*$", call)]
    return _filled(random, random.choice(single), lambda: moved)


def _keeping(random: Random, depth: int) -> str:
    if depth == 0:
        return random.choice(PATHS)
    return _filled(random, random.choice(KEEPING), lambda: _keeping(random, depth - 1))


def _filled(random: Random, call: str, series: Callable[[], str]) -> str:
    """A call with one of each ``{alternatives|...}`` chosen, and series put where ``S`` stands."""
    text = ""
    rest = call
    while "{" in rest:
        before, _, tail = rest.partition("{")
        inside, _, rest = tail.partition("}")
        text += before + random.choice(inside.split("|"))
    text += rest
    name, _, arguments = text.partition("(")
    parts = [series() if part == "S" else part for part in re.split(r"\b(S)\b", arguments)]
    return f"{name}({''.join(parts)}"
