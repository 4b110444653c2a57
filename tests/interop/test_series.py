"""Read sustained runs from tables: windows of time with latencies and the device's state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench import interop
from mobilebench.errors import SchemaError
from mobilebench.store import RecordStore
from mobilebench.values import wire
from mobilebench.values.device import DeviceState, ThermalState
from mobilebench.values.reported import Latency, Reported, Window
from tests.conftest import Ran

DATA = Path(__file__).parent.parent / "data" / "interop"


def _read(tmp_path: Path, text: str) -> list[Reported]:
    table = tmp_path / "series.csv"
    table.write_text(text, encoding="utf-8")
    return interop.read(table)


def test_each_model_is_a_series_of_windows() -> None:
    first, second = interop.read(DATA / "sustained.csv")
    assert (first.model, first.device, first.latency) == ("mobilevig_ti", "Pixel 8 Pro", Latency())
    assert first.windows[1] == Window(
        latency=Latency(p50_ns=7_600_000, p90_ns=8_100_000),
        state=DeviceState(
            t_ns=60_000_000_000,
            thermal=ThermalState.FAIR,
            temperatures_c={"battery": 33.0, "skin": 34.2},
        ),
    )
    assert first.windows[2].state.temperatures_c == {"battery": 36.5}
    assert "7.40 ms first, 9.60 ms last, thermal state up to serious" in first.remarks[0]
    assert (second.model, len(second.windows)) == ("mobilenet_v2", 2)
    assert wire.loads(Reported, wire.dumps(first)) == first


def test_a_series_is_kept_and_shown_as_reported(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    done = mobilebench("import", DATA / "sustained.csv")
    assert done.code == 0 and "2 added" in done.stderr
    with RecordStore(tmp_path / "records.sqlite") as store:
        assert store.find() == [] and len(store.find_reported("mobilevig_ti")[0].windows) == 3
    shown = mobilebench("leaderboard", "--as", "markdown").stdout
    assert "Reported by others, not measured here" in shown and "7.40 ms first" in shown


@pytest.mark.parametrize(
    ("header", "line", "p50_ns", "t_ns"),
    [
        ("minute,median_ms", "2,7.5", 7_500_000, 120_000_000_000),
        ("Minute,Median (ms),P90 (ms)", "2,7.5,8", 7_500_000, 120_000_000_000),
        ("time_s;p50_us", "30;7500,5", 7_500_500, 30_000_000_000),
        ("elapsed_sec\tlatency_p50_ns", "30\t7500", 7_500, 30_000_000_000),
        ("t_min,median_latency_s", "0.5,0.0075", 7_500_000, 30_000_000_000),
    ],
)
def test_units_are_in_the_names_of_the_columns(
    tmp_path: Path, header: str, line: str, p50_ns: float, t_ns: int
) -> None:
    [result] = _read(tmp_path, f"{header}\n{line}\n")
    [window] = result.windows
    assert (window.latency.p50_ns, window.state.t_ns) == (pytest.approx(p50_ns), t_ns)
    assert len(result.remarks) == 1


def test_names_of_temperatures_and_statistics(tmp_path: Path) -> None:
    [result] = _read(tmp_path, "min,median_ms,min_ms,max_ms,skin_c,temp_soc\n0,7,6,9,30,50.5\n")
    [window] = result.windows
    assert window.latency == Latency(p50_ns=7e6, min_ns=6e6, max_ns=9e6)
    assert window.state.temperatures_c == {"skin": 30.0, "soc": 50.5}


def test_a_series_may_name_its_source(tmp_path: Path) -> None:
    [result] = _read(tmp_path, "model,source,minute,median_ms\nnet,Paper,0,7\nnet,Paper,1,8\n")
    assert (result.model, result.source, len(result.windows)) == ("net", "Paper", 2)


def test_a_latency_without_unit_says_how_it_was_read(tmp_path: Path) -> None:
    [result] = _read(
        tmp_path, "minute,median,p90,thermal status,temperature\n0,7.4,7.9,nominal,29.5\n"
    )
    assert result.windows[0].latency.p90_ns == 7_900_000
    assert result.windows[0].state.temperatures_c == {"device": 29.5}
    assert "the unit of a latency is not stated, and read as ms" in result.remarks


@pytest.mark.parametrize(
    ("status", "state"),
    [("0", "nominal"), ("1", "fair"), ("3", "serious"), ("THERMAL_STATUS_SEVERE", "serious")],
)
def test_statuses_of_android_are_thermal_states(tmp_path: Path, status: str, state: str) -> None:
    [result] = _read(tmp_path, f"minute,median_ms,thermal_status\n0,7,{status}\n1,7,\n")
    assert [window.state.thermal for window in result.windows] == [state, None]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("0,7,8,none,30", "does not come after the line before"),
        ("-1,7,8,none,30", "is not a time"),
        (",7,8,none,30", "is not a time"),
        ("1,,8,none,30", "there is no median"),
        ("1,0,8,none,30", "median_ms is 0"),
        ("1,9,8,none,30", "the p90 is below the median"),
        ("1,7,8,hot,30", "thermal_status is 'hot'"),
        ("1,7,8,7,30", "thermal_status is '7'"),
        ("1,7,8,none,305", "temp_c is 305; give degrees Celsius"),
        ("1,7,8,none", "there are 4 cells for 5 columns"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, sentence: str) -> None:
    with pytest.raises(SchemaError, match=f"line 3: .*{sentence}"):
        _read(tmp_path, f"minute,median_ms,p90_ms,thermal_status,temp_c\n0,7,8,none,30\n{line}\n")


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("minute,median_ms,colour", "has colour, which is not known"),
        ("minute,median_ms,p50_ms", "both give the p50_ns"),
        ("minute,median_ms,second", "both give the time"),
        ("minute,median_ms,temp_f", "has temp_f, which is not known"),
        ("minute,median_ms,battery_temp_mc", "has battery_temp_mc, which is not known"),
        ("minute,median_ms,temp_c,temperature", "both give the temperature device"),
    ],
)
def test_wrong_columns_are_named(tmp_path: Path, header: str, sentence: str) -> None:
    with pytest.raises(SchemaError, match=sentence):
        _read(tmp_path, f"{header}\n0,7,8\n")
