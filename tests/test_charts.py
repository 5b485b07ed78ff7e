"""Charts are held to their data, their words and what they must not carry."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recon_lib import charts, trends
from recon_lib.export import figure_json
from recon_lib.frames import SettledEvent
from tests.standin import HOSTILE, finding, findings, make_day


def test_findings_are_counted_in_the_week_they_happened() -> None:
    weekly = trends.discrepancies_by_week(
        findings(
            [
                finding(n=1, event_on=date(2026, 1, 5)),  # a Monday
                finding(n=2, event_on=date(2026, 1, 11)),  # its Sunday
                finding(n=3, event_on=date(2026, 1, 12), owed=None),
                finding(n=4, event_on=None),
            ]
        )
    )
    assert weekly.select("week", "findings", "units", "owed").rows() == [
        (date(2026, 1, 5), 2, 4, Decimal("28.80")),
        (date(2026, 1, 12), 1, 2, None),
    ]


def test_a_week_without_findings_is_a_gap_and_not_left_out() -> None:
    rows = [finding(n=1, event_on=date(2026, 1, 5)), finding(n=2, event_on=date(2026, 1, 26))]
    chart = charts.discrepancies(trends.discrepancies_by_week(findings(rows)))
    (bar,) = chart.data
    assert list(bar.x) == ["2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26"]
    assert list(bar.y) == [1, 0, 0, 1]
    assert (
        chart.layout.xaxis.type == "category"
    )  # an axis of days names the Sundays before: "Jan 4" at the week of 2026-01-05


@pytest.mark.parametrize(("weeks", "every"), [(1, 1), (8, 1), (9, 2), (16, 2), (17, 3)])
def test_no_more_than_eight_weeks_are_named(weeks: int, every: int) -> None:
    rows = [finding(n=n, event_on=date(2024, 1, 1) + timedelta(weeks=n)) for n in range(weeks)]
    assert charts.discrepancies(trends.discrepancies_by_week(findings(rows))).layout.xaxis.dtick == every


@pytest.mark.parametrize(("most", "step"), [(1, 1), (2, 1), (8, 1), (9, None), (30, None)])
def test_small_counts_get_a_tick_each_and_no_number_twice(most: int, step: int | None) -> None:
    rows = [finding(audit=f"audit_{i % 2}", n=i) for i in range(most)]  # two bars, stacked
    axis = charts.discrepancies(trends.discrepancies_by_week(findings(rows))).layout.yaxis
    assert axis.dtick == step
    assert axis.tickformat == ",d"


def test_rare_audits_share_one_bar_and_none_is_lost() -> None:
    rows = [finding(audit=f"audit_{i}", n=10 * i + j) for i in range(12) for j in range(1 + (i < 7))]  # 7 x 2 + 5 x 1
    bars = charts.discrepancies(trends.discrepancies_by_week(findings(rows))).data
    assert [bar.name for bar in bars] == [*(f"Audit {i}" for i in range(7)), "All other audits"]
    assert [sum(bar.y) for bar in bars] == [2] * 7 + [5]


def test_currencies_of_an_audit_make_one_bar() -> None:
    rows = [finding(n=1), finding(n=2, currency="CAD")]
    (bar,) = charts.discrepancies(trends.discrepancies_by_week(findings(rows))).data
    assert list(bar.y) == [2]


def test_delays_by_hand() -> None:
    # 49, 40 and 30 days; paid 2025-12-20, settled 7 days later
    (row,) = trends.delays_by_month(make_day().history, 45).rows(named=True)
    assert row == {
        "month": date(2025, 12, 1), "paid": 3, "median_days": 40.0, "p90_days": 49, "over": 1, "over_pct": 33, "settled": 3,
        "settle_median_days": 7.0,
    }  # fmt: skip


def test_what_came_back_into_stock_is_no_reimbursement() -> None:
    known = make_day().history
    found = known.head(1).with_columns(
        pl.lit(None, known["amount"].dtype).alias("amount"), pl.lit(None, pl.String).alias("reimbursement_id")
    )
    assert_frame_equal(trends.delays_by_month(pl.concat([known, found])), trends.delays_by_month(known))
    assert trends.delays_by_month(found).is_empty()


def test_the_yardstick_itself_is_not_late() -> None:
    event = (
        make_day().history.head(1).with_columns(pl.lit(date(2025, 11, 5)).alias("event_on"))
    )  # 45 days to 2025-12-20
    assert trends.delays_by_month(event, 45)["over"].item() == 0
    assert trends.delays_by_month(event, 44)["over"].item() == 1


@pytest.mark.parametrize("empty", [True, False])
def test_every_chart_asks_a_question_and_tells_its_answer(empty: bool) -> None:
    day = make_day([] if empty else None)
    history = SettledEvent.create_empty() if empty else day.history
    figures = [
        charts.discrepancies(trends.discrepancies_by_week(day.findings)),
        charts.delays(trends.delays_by_month(history), 45),
    ]
    for figure in figures:
        assert "?" in figure.layout.title.text
        assert len(figure.layout.meta["alt"]) > 40
        assert (figure.layout.xaxis.visible is False) == empty
    if empty:  # no axis from 0 to 4 or of the year 2000, no line of 45 days: words
        assert [f.layout.annotations[0].text for f in figures] == [
            "No finding has a day.",
            "No reimbursement could be tied to its event yet.",
        ]
        assert not any(f.layout.shapes for f in figures)


def test_markup_in_a_name_is_shown_letter_by_letter() -> None:
    rows = [finding(audit=name, n=i) for i, name in enumerate(HOSTILE[:7])]
    figure = charts.discrepancies(trends.discrepancies_by_week(findings(rows)))
    assert not any("<" in bar.name for bar in figure.data)
    made = figure_json(figure.to_dict())
    assert "<" not in made
    assert ">" not in made
    assert json.loads(made)["layout"]["meta"]["alt"] == figure.layout.meta["alt"]


def test_no_button_that_uploads_the_data() -> None:
    import plotly.io as pio

    chart = charts.delays(trends.delays_by_month(make_day().history), 45)
    ((kind, shown),) = chart.bundle().items()
    assert kind == "application/vnd.plotly.v1+json"
    assert shown["config"]["showSendToCloud"] is False
    assert shown["config"]["plotlyServerURL"] == ""
    assert chart.figure.to_plotly_json()["layout"]["height"] == 380
    assert pio.renderers["plotly_mimetype"].config == shown["config"]


@pytest.mark.parametrize("empty", [True, False])
def test_a_chart_is_what_plotly_makes_of_it(empty: bool) -> None:
    import plotly.graph_objects as go

    day = make_day([] if empty else None)
    history = SettledEvent.create_empty() if empty else day.history
    for chart in (
        charts.discrepancies(trends.discrepancies_by_week(day.findings)),
        charts.delays(trends.delays_by_month(history), 45),
    ):
        told = chart.to_dict()
        bare = {"data": told["data"], "layout": {k: v for k, v in told["layout"].items() if k != "template"}}
        plotlys = go.Figure(bare).update_layout(template="none")
        assert json.loads(plotlys.to_json()) == told
        assert chart.update_layout(height=99).layout.height == 99
        assert chart.bundle()["application/vnd.plotly.v1+json"]["layout"]["height"] == 99


def test_the_same_figure_gives_the_same_json() -> None:
    weekly = trends.discrepancies_by_week(make_day().findings)
    assert figure_json(charts.discrepancies(weekly).to_dict()) == figure_json(charts.discrepancies(weekly).to_dict())
