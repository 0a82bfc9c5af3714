"""Charts: well-formed, whole within their width and height, honest about what is thin, unknown or beyond the scale."""

import math
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.graphql.dashboard.answers import (
    Correlation,
    Difference,
    EvidenceLevel,
    Interval,
    OddsRatio,
    Rate,
    RateRatio,
    Score,
    TrendPoint,
    Verdict,
)
from services.graphql.dashboard.charts import correlations, rates, ratios, timelines, trends
from services.graphql.dashboard.charts.drawing import Chart, Row, legend, sheet, sign
from services.graphql.dashboard.charts.timelines import ShownAct, ShownSignal

SVG = "{http://www.w3.org/2000/svg}"
KNOWN = {"svg", "title", "desc", "style", "rect", "text", "g", "line", "path"}
HOSTILE = "<script>alert(1)</script>\"'&\x00\ud800 javascript:"

shares = st.floats(0, 1)
ends = st.none() | st.floats(0, allow_infinity=True, allow_nan=False)
positive = st.none() | st.floats(0, allow_infinity=True, allow_nan=False)
counts = st.integers(0, 10_000)
unit_intervals = st.none() | st.builds(Interval, low=st.none() | shares, high=st.none() | shares)
intervals = st.none() | st.builds(Interval, low=ends, high=ends)
levels = st.sampled_from(["NONE", "THIN", "FAIR", "SOLID"])
scores = st.builds(
    Score, rate=st.none() | shares, interval=unit_intervals, n=counts, evidence_level=levels, kept=counts
)
odds = st.builds(OddsRatio, value=positive, interval=intervals, n=counts)
rate_ratios = st.builds(RateRatio, value=positive, interval=intervals, before=counts, after=counts)
rate_values = st.builds(Rate, kept=counts, n=counts, rate=st.none() | shares, interval=unit_intervals)
differences = st.builds(
    Difference,
    value=st.none() | st.floats(-1, 1),
    interval=st.none() | st.builds(Interval, low=st.floats(-1, 1), high=st.floats(-1, 1)),
)
trend_points = st.lists(st.builds(TrendPoint, start=st.dates(), kept=counts, breached=counts), max_size=20)


def read(chart: Chart) -> ElementTree.Element:
    """The chart as XML, which it must be."""
    return ElementTree.fromstring(chart.__html__())


def inside(chart: Chart) -> ElementTree.Element:
    """The chart as XML, after looking that nothing lies outside its width and its height."""
    root = read(chart)
    for held in root.iter():
        for name in ("x", "x1", "x2"):
            for share in _percentages(held, name):
                assert 0 <= share <= 100
        if held.tag == f"{SVG}rect":
            for x, width in zip(_percentages(held, "x"), _percentages(held, "width"), strict=True):
                assert x + width <= 100.01
            if "y" in held.attrib and "height" in held.attrib:
                assert float(held.attrib["y"]) >= -0.01
                assert float(held.attrib["y"]) + float(held.attrib["height"]) <= chart.height + 0.01
        for name in ("y", "y1", "y2"):
            if name in held.attrib and held is not root:
                assert -0.01 <= float(held.attrib[name]) <= chart.height
    return root


def _percentages(held: ElementTree.Element, name: str) -> Iterator[float]:
    value = held.attrib.get(name, "")
    if value.endswith("%"):
        yield float(value.removesuffix("%"))


def marks(chart: Chart, kind: str) -> list[ElementTree.Element]:
    """The elements that have this class among theirs."""
    return [held for held in read(chart).iter() if kind in held.attrib.get("class", "").split()]


def place(chart: Chart, kind: str = "mark") -> float:
    """Where the only mark of a chart is, in percent of its width."""
    (found,) = [mark for mark in marks(chart, "mark") if kind in mark.attrib["class"]]
    return float(found[0].attrib["x"].removesuffix("%"))


def score(kept: int, breached: int, level: EvidenceLevel = "FAIR") -> Score:
    """A score with a made-up interval of ten points to both sides."""
    n = kept + breached
    if not n:
        return Score()
    rate = kept / n
    interval = Interval(low=max(rate - 0.1, 0), high=min(rate + 0.1, 1))
    return Score(kept=kept, breached=breached, n=n, rate=rate, interval=interval, evidence_level=level)


# ---- whatever the figures --------------------------------------------------------------------------------------------


@given(scores, scores)
def test_rates_stay_inside_whatever_they_are(one: Score, other: Score) -> None:
    """A rate, and a leader's beside a team's, are drawn within the chart for any figures, None among them."""
    inside(rates.rate_chart("a", one))
    inside(rates.pair_chart("a", one, other))


@given(st.lists(st.tuples(st.text(), rate_values), max_size=3), differences)
def test_compared_rates_stay_inside(named: list[tuple[str, Rate]], difference: Difference) -> None:
    """Rates under their names, and a difference of two, are drawn within the chart for any figures and names."""
    inside(rates.rates_chart("a", named))
    inside(rates.difference_chart("a", difference))


@given(odds, odds, rate_ratios)
def test_ratios_stay_inside(found: OddsRatio, baseline: OddsRatio, ratio: RateRatio) -> None:
    """Ratios are drawn within the chart, 0 and infinity and what is not known too."""
    inside(ratios.mirroring_chart("a", found, baseline))
    inside(ratios.ratio_chart("a", ratio))


@given(st.builds(Correlation, value=st.none() | st.floats(-1, 1), n=counts), st.floats(0, allow_infinity=True))
def test_correlations_stay_inside(found: Correlation, chance: float) -> None:
    """A correlation and its band of chance are drawn within the chart, however few people there are."""
    inside(correlations.correlation_chart("a", found, chance))


@given(trend_points)
def test_trends_stay_inside(points: list[TrendPoint]) -> None:
    """Bars and cells are drawn within the chart for any counts, and for no bucket at all."""
    inside(trends.trend_chart("a", points))
    inside(trends.heat_strip("a", points))
    inside(trends.heat_axis(points))


@given(
    st.lists(st.builds(ShownAct, at=st.datetimes(timezones=st.just(UTC)), says=st.text()), max_size=4),
    st.lists(st.builds(ShownSignal, at=st.datetimes(timezones=st.just(UTC)), says=st.text()), max_size=4),
)
def test_time_lines_stay_inside(acts: list[ShownAct], signals: list[ShownSignal]) -> None:
    """Acts and signals are drawn within the lane, whenever they were; without any there is no span to draw."""
    span = timelines.span_of(acts, signals)
    assert (span is None) is not bool(acts or signals)
    if span is not None:
        inside(timelines.lane_chart("a", span, acts, signals))
        inside(timelines.time_axis(span))


@given(st.text())
def test_any_text_is_shown_as_text(words: str) -> None:
    """Whatever a title, a label, a note or a name holds, a chart and its file are well-formed XML with that text."""
    row = Row(words, rates.rate_chart(words, score(3, 1)), words)
    inside(row.chart)
    read = ElementTree.fromstring(sheet(words, words, [row], rates.rate_axis(), legend(("leader", words))))
    assert {held.tag.removeprefix(SVG) for held in read.iter()} <= KNOWN


# ---- scales ----------------------------------------------------------------------------------------------------------


@given(shares, shares)
def test_a_higher_rate_is_further_to_the_right(one: float, other: float) -> None:
    """The scale of rates is monotone."""
    low, high = sorted((one, other))
    places = [place(rates.rate_chart("a", Score(rate=rate))) for rate in (low, high)]
    assert places == sorted(places)


@given(st.floats(0, allow_infinity=True), st.floats(0, allow_infinity=True))
def test_a_higher_ratio_is_further_to_the_right(one: float, other: float) -> None:
    """The scale of ratios is monotone, from 0 to infinity."""
    low, high = sorted((one, other))
    places = [place(ratios.ratio_chart("a", RateRatio(value=ratio))) for ratio in (low, high)]
    assert places == sorted(places)


@given(st.floats(1, 16))
def test_twice_and_half_are_equally_far_from_no_relation(ratio: float) -> None:
    """A ratio and its inverse lie on both sides of the middle at the same distance."""
    assert ratios.RATIOS.place(ratio) - 0.5 == pytest.approx(0.5 - ratios.RATIOS.place(1 / ratio))


def test_the_ends_of_the_scale_of_rates_are_0_and_100_percent() -> None:
    """0 % and 100 % lie at the margins, 50 % in the middle."""
    assert [place(rates.rate_chart("a", Score(rate=rate))) for rate in (0.0, 0.5, 1.0)] == [4.0, 50.0, 96.0]


# ---- what is thin, unknown, or beyond --------------------------------------------------------------------------------


def test_thin_evidence_is_hollow() -> None:
    """The mark of thin evidence is filled with paper, that of more is not."""
    assert marks(rates.rate_chart("a", score(2, 1, "THIN")), "paper")
    assert not marks(rates.rate_chart("a", score(40, 3, "SOLID")), "paper")


def test_where_there_is_nothing_nothing_is_drawn() -> None:
    """Without signals there is no mark and no interval, and the words say so."""
    chart = rates.rate_chart("a", Score())
    assert not marks(chart, "mark")
    assert not marks(chart, "whisker")
    assert "Nothing to judge" in chart.description


def test_a_leader_and_a_team_differ_in_shape() -> None:
    """The leader is a diamond, the team a disc: colour is not needed to tell them apart."""
    chart = rates.pair_chart("a", score(9, 1), score(5, 5))
    shapes = {mark.attrib["class"]: next(mark.iter(f"{SVG}path")).attrib["d"] for mark in marks(chart, "mark")}
    assert len(set(shapes.values())) == 2


def test_an_interval_that_goes_on_beyond_the_scale_ends_in_an_arrow() -> None:
    """An arrow on the side where the interval goes on: past the scale, to infinity or to 0."""
    beyond = RateRatio(value=5.0, interval=Interval(low=1.5, high=400.0), before=20, after=20)
    both = RateRatio(value=5.0, interval=Interval(low=0.0, high=math.inf), before=20, after=20)
    within = RateRatio(value=5.0, interval=Interval(low=1.5, high=12.0), before=20, after=20)
    assert [len(marks(ratios.ratio_chart("a", found), "arrow")) for found in (beyond, both, within)] == [1, 2, 0]


def test_a_ratio_with_only_a_lower_bound_has_no_mark() -> None:
    """With nothing before, there is an arrow from the lower bound on, and no mark that would claim a value."""
    chart = ratios.ratio_chart("a", RateRatio(value=None, interval=Interval(low=4.1), before=0, after=17))
    assert not marks(chart, "mark")
    assert len(marks(chart, "arrow")) == 1
    assert "At least 4.1 times" in chart.description


def test_the_chance_baseline_is_a_band_under_the_mark() -> None:
    """The band is as wide as the baseline's interval and drawn before the leader's own mark."""
    baseline = OddsRatio(value=1.0, interval=Interval(low=0.5, high=2.0), n=200)
    chart = ratios.mirroring_chart("a", OddsRatio(value=3.0, interval=Interval(low=2.1, high=5.0), n=90), baseline)
    (band,) = marks(chart, "band")
    area = band[0].attrib
    left = float(area["x"].removesuffix("%"))
    right = left + float(area["width"].removesuffix("%"))
    assert left < 50 < right < place(chart, "team")
    html = chart.__html__()
    assert html.index("band") < html.index("whisker")
    assert not marks(ratios.mirroring_chart("a", OddsRatio(), OddsRatio()), "band")


def test_a_correlation_that_chance_explains_is_hollow() -> None:
    """Within the band of chance the mark is hollow; beyond it, filled."""
    found = Correlation(value=0.5, n=30)
    few, many = (correlations.correlation_chart("a", found, chance) for chance in (0.74, 0.2))
    assert marks(few, "paper")
    assert not marks(many, "paper")
    widths = [float(marks(chart, "band")[0][0].attrib["width"].removesuffix("%")) for chart in (few, many)]
    assert widths[0] > widths[1]


def test_each_sign_of_a_legend_is_the_mark_of_the_chart() -> None:
    """What a legend shows of the leader is the diamond of the charts; the band is a patch."""
    drawn = read(rates.pair_chart("a", score(9, 1), score(5, 5)))
    shapes = {held.attrib["d"] for held in drawn.iter(f"{SVG}path")}
    assert {held.attrib["d"] for who in ("leader", "team") for held in read(sign(who)).iter(f"{SVG}path")} == shapes
    assert marks(sign("band"), "band")


def test_empty_buckets_are_gaps() -> None:
    """A week without signals has no bar; in a heat strip it has a dash and no cell."""
    points = [TrendPoint(start=date(2026, 1, 5) + timedelta(weeks=week), kept=week % 2) for week in range(6)]
    assert len(marks(trends.trend_chart("a", points), "bar")) == 3
    assert len(marks(trends.heat_strip("a", points), "cell")) == 3
    assert len(marks(trends.heat_strip("a", points), "none")) == 3


def test_a_cell_is_stronger_the_more_was_breached_and_small_with_few_signals() -> None:
    """The level of a cell goes by the rate; fewer than five signals make a low cell."""
    assert [trends.heat_level(TrendPoint(kept=kept, breached=10 - kept)) for kept in (0, 3, 5, 7, 10)] == [
        0,
        1,
        2,
        3,
        4,
    ]
    few, more = TrendPoint(kept=1, breached=1), TrendPoint(kept=8, breached=8)
    low, high = marks(trends.heat_strip("a", [few, more]), "cell")
    assert float(low.attrib["height"]) < float(high.attrib["height"])


def test_what_the_lightness_of_heat_says_is_monotone() -> None:
    """The colours of heat grow lighter with the rate, so that they read in black and white."""
    lightness = [sum(w * int(c[i : i + 2], 16) for w, i in ((0.3, 1), (0.59, 3), (0.11, 5))) for c in trends.HEAT]
    assert lightness == sorted(lightness)


@pytest.mark.parametrize("verdict", ["KEPT", "BREACHED"])
def test_verdicts_differ_in_shape_on_a_time_line(verdict: Verdict) -> None:
    """A kept signal is a filled disc, a breached one a cross; each says what it is."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    signal = ShownSignal(at, "Answered within 4 days", verdict)
    chart = timelines.lane_chart("Deal 7", timelines.Span(at, at), [], [signal])
    (shown,) = marks(chart, verdict.lower())
    filled = next(shown.iter(f"{SVG}path")).attrib["fill"] != "none"
    assert filled is (verdict == "KEPT")
    assert next(shown.iter(f"{SVG}title")).text == "1\u00a0Mar 2026: Answered within 4 days"


# ---- pages and files -------------------------------------------------------------------------------------------------


def test_a_chart_has_a_name_and_says_what_it_shows() -> None:
    """A chart is an image with a title and a description; an axis is left to those who see it."""
    root = read(rates.rate_chart("Guide, don't get", score(42, 8)))
    assert root.attrib["role"] == "img"
    assert root[0].text == "Guide, don't get"
    assert root[1].text == "84\u00a0% of 50\u00a0signals, likely between 74\u00a0% to 94\u00a0%."
    assert read(rates.rate_axis()).attrib["aria-hidden"] == "true"


def test_no_chart_holds_a_style_or_a_script_of_its_own() -> None:
    """A strict Content-Security-Policy lets every chart be: no style attribute, no style element, no script."""
    html = rates.pair_chart(HOSTILE, score(9, 1), score(5, 5)).__html__() + legend(("band", HOSTILE)).__html__()
    assert not re.search(r"<style|<script|style=| on[a-z]+=|href", html)


def test_a_file_stands_alone() -> None:
    """A file has its own size, its heading, its style and a white ground, and asks for nothing from elsewhere."""
    row = Row("Guide, don't get", rates.rate_chart("Guide, don't get", score(42, 8)), "42 of 50")
    written = sheet("River", "How the team kept it", [row, row], rates.rate_axis(), rates.pair_legend())
    root = ElementTree.fromstring(written)
    assert root.attrib["viewBox"] == f"0 0 688 {root.attrib['height']}"
    assert root.find(f"{SVG}style") is not None
    charts = root.findall(f"{SVG}svg")
    assert {held.attrib["width"] for held in charts} == {"640"}
    assert max(float(held.attrib["y"]) + float(held.attrib["height"]) for held in charts) < float(root.attrib["height"])
    assert "url(" not in written
    assert [held.text for held in root.findall(f"{SVG}text")][:3] == ["River", "How the team kept it", row.label]
