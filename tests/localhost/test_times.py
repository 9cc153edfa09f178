"""The SDK reads times quickly here, and to the same moment as by itself."""

import importlib
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from dateutil.parser import parse
from hypothesis import example, given
from hypothesis import strategies as st

from localhost.adapter import quicken
from localhost.engine.events import timestamp

SDK: Any = importlib.import_module("azure.durable_functions.models.history.HistoryEvent")


@pytest.fixture(scope="module", autouse=True)
def quick() -> None:
    quicken()


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_of_the_framework_is_read_as_dateutil_reads_it(moment: datetime) -> None:
    text = timestamp(moment)
    assert SDK.dt_parse(text) == parse(text)
    assert SDK.dt_parse(text).tzinfo == parse(text).tzinfo
    assert type(SDK.dt_parse(text).tzinfo) is type(parse(text).tzinfo)


@pytest.mark.parametrize("zone", ["UTC", "Europe/London", "Pacific/Auckland", "UTC0BST,M3.5.0,M10.5.0"])
def test_the_local_zone_makes_no_difference(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for month in range(1, 13):
            text = timestamp(datetime(2026, month, 1, tzinfo=UTC))
            assert repr(SDK.dt_parse(text)) == repr(parse(text))
            assert SDK.dt_parse(text).timestamp() == parse(text).timestamp()
    finally:
        monkeypatch.undo()
        time.tzset()


def read(parser: Any, text: str) -> Any:
    try:
        return parser(text, default=datetime(2020, 1, 1)) if parser is parse else parser(text)  # noqa: DTZ001
    except (ValueError, OverflowError) as error:
        return type(error)


@given(st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,7})?(Z|\+00:00|-01:30|)", fullmatch=True))
@example("2026-02-30T00:00:00.000000Z")
@example("2026-01-01T24:00:00.000000Z")
@example("0000-01-01T00:00:00.000000Z")
@example("2026-01-01T00:00:60.000000Z")
def test_any_other_time_is_read_by_dateutil(text: str) -> None:
    assert read(SDK.dt_parse, text) == read(parse, text)


def test_quickening_twice_is_quickening_once() -> None:
    before = SDK.dt_parse
    quicken()
    assert SDK.dt_parse is before
