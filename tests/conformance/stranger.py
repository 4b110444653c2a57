"""A device's share of the contract, written from docs/contract.md alone.

It reads tasks from its standard input, one on each line, and prints an answer to each.
"""

import hashlib
import json
import math
import sys
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

ORIGIN = 5_000_000
STATES = ["nominal", "fair", "serious", "critical"]


def spans(column):
    """A column that seldom changes is written as spans of equal values."""
    return [{"count": len(list(run)), "value": value} for value, run in groupby(column)]


def column(spans):
    return [span["value"] for span in spans for _ in range(span["count"])]


class Failed(Exception):
    pass


class Device:
    """The scripted device: time passes in loads, inferences, waits and readings only."""

    def __init__(self, script):
        self.script, self.now, self.inferences, self.loads = script, ORIGIN, 0, 0
        self.latencies = [s["latency_ns"] for s in script["inferences"] for _ in range(s["count"])]

    def load(self):
        times = self.script["loads_ns"]
        self.now += times[min(self.loads, len(times) - 1)]
        self.loads += 1

    def infer(self):
        if self.inferences == self.script.get("failing_inference"):
            raise Failed
        self.now += self.latencies[min(self.inferences, len(self.latencies) - 1)]
        self.inferences += 1

    def wait(self, nanoseconds):
        self.now += nanoseconds + self.script.get("late_ns", 0)

    def read(self):
        began = self.now - ORIGIN
        self.now += self.script.get("reading_ns", 0)
        shown = [state for state in self.script["states"] if state["t_ns"] <= began][-1]
        return {**shown, "t_ns": self.now - ORIGIN}


class Measurement:
    def __init__(self, script):
        self.rule, self.device = script["protocol"], Device(script)
        self.t, self.latency, self.phase, self.round = [], [], [], []
        self.loads, self.gates, self.states = [], [], []

    def run(self):
        for number in range(self.rule["rounds"]):
            if self.rule["cool_down_ns"]:
                self.device.wait(self.rule["cool_down_ns"])
            state = self.read()
            if self.rule.get("gate"):
                self.gates.append(self.gate(self.rule.get("gate"), state))
            began = self.device.now
            self.device.load()
            self.loads.append(self.device.now - began)
            self.warm_up(self.rule["warm_up"], number)
            self.measure(number)
        return {
            "samples": {
                "t_ns": self.t,
                "latency_ns": self.latency,
                "phase": spans(self.phase),
                "round": spans(self.round),
            },
            "loads": {"first_ns": self.loads[0], "warm_ns": self.loads[1:]},
            "gates": self.gates,
            "states": self.states,
        }

    def read(self):
        self.states.append(self.device.read())
        return self.states[-1]

    def gate(self, gate, state):
        began, limit = self.device.now, STATES.index(gate["warmest"])
        while state.get("thermal") and STATES.index(state["thermal"]) > limit:
            waited = self.device.now - began
            if waited >= gate["max_wait_ns"]:
                return {"waited_ns": waited, "start": state["thermal"], "open": False}
            self.device.wait(gate["poll_ns"])
            state = self.read()
        known = state.get("thermal")
        return {"waited_ns": self.device.now - began, "start": known, "open": known is not None}

    def sample(self, phase, number):
        began = self.device.now
        self.device.infer()
        self.t.append(began - ORIGIN)
        self.latency.append(self.device.now - began)
        self.phase.append(phase)
        self.round.append(number)
        return self.latency[-1]

    def warm_up(self, rule, number):
        began, count, fast, slow, agreed = self.device.now, 0, None, None, 0
        while True:
            latency = self.sample("warm-up", number)
            count += 1
            converged, law = True, rule.get("convergence")
            if law:
                fast = latency if fast is None else fast + law["fast"] * (latency - fast)
                slow = latency if slow is None else slow + law["slow"] * (latency - slow)
                agreed = agreed + 1 if abs(fast / slow - 1) <= law["tolerance"] else 0
                converged = agreed > law["consecutive"]
            elapsed = self.device.now - began
            if elapsed >= rule["max_duration_ns"]:
                return
            enough = count >= rule["min_iterations"] and elapsed >= rule["min_duration_ns"]
            if converged and enough:
                return

    def measure(self, number):
        rule, began, count = self.rule, self.device.now, 0
        read_at = began
        while True:
            self.sample("measured", number)
            count += 1
            elapsed = self.device.now - began
            if elapsed >= rule["max_duration_ns"]:
                return
            if count >= rule["inferences"] and elapsed >= rule["min_duration_ns"]:
                return
            if rule.get("sense_ns") and self.device.now >= read_at:
                self.read()
                read_at += rule["sense_ns"]
            if rule.get("interval_ns"):
                frame = math.ceil(Fraction(self.device.now - began, rule["interval_ns"]))
                due = began + frame * rule["interval_ns"]
                if due > self.device.now:
                    self.device.wait(due - self.device.now)


def engine(given):
    measurement = Measurement(given)
    try:
        return measurement.run()
    except Failed:
        return {"failing_inference": measurement.device.inferences}


def percentile(values, percent):
    """Linear between the two nearest samples, in exact arithmetic."""
    ordered, place = sorted(values), Fraction(percent, 100) * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (ordered[high] - ordered[low]) * (place - low))


def trimmed(values, lowest, highest):
    remaining = sorted(values)[lowest : len(values) - highest]
    return sum(remaining) / len(remaining)


def stats(given):
    if given["function"] == "summary":
        values = given["latencies_ns"]
        return {
            "count": len(values),
            "min_ns": min(values),
            "mean_ns": sum(values) / len(values),
            **{f"p{percent}_ns": percentile(values, percent) for percent in (50, 90, 99)},
        }
    if given["function"] == "trimmed mean":
        return {"mean": trimmed(given["values"], given["lowest"], given["highest"])}
    hits, count, z = given["hits"], given["count"], 1.959963984540054
    share, scale = hits / count, 1 + z * z / count
    middle = (share + z * z / (2 * count)) / scale
    half = z * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2) / scale
    low, high = middle - half, middle + half
    return {"low": 0.0 if hits == 0 else low, "high": 1.0 if hits == count else high}


def headline(given):
    rule, samples = given["protocol"], given["samples"]
    rounds, phases = column(samples["round"]), column(samples["phase"])
    rows = zip(samples["t_ns"], samples["latency_ns"], rounds, phases, strict=True)
    measured = [row[:3] for row in rows if row[3] == "measured"]
    latencies = [ns for _, ns, _ in measured]
    number = {"median": 50, "p90": 90}.get(rule["headline"])
    if number is not None:
        shown = percentile(latencies, number)
    else:
        rounds = [[ns for _, ns, of in measured if of == r] for r in range(rule["rounds"])]
        long = [r for r in rounds if len(r) > 2 * rule["trim"]]
        means = [trimmed(r, rule["trim"], rule["trim"]) for r in long]
        shown = sum(means) / len(means) if means else None
    windows, length = None, rule.get("window_ns")
    if length:
        first, spans = measured[0][0], {}
        for t, ns, _ in measured:
            spans.setdefault((t - first) // length, []).append(ns)
        windows = [
            {"start_ns": first + index * length, "count": len(span)}
            | {f"p{percent}_ns": percentile(span, percent) for percent in (50, 90, 99)}
            for index, span in spans.items()
        ]
    counts, pace = None, rule.get("interval_ns")
    if pace:
        counts = {"frames": 0, "on_time": 0}
        for r in range(rule["rounds"]):
            of_round = [(t, ns) for t, ns, number in measured if number == r]
            for t, ns in of_round:
                last = (t - of_round[0][0]) // pace
                counts["on_time"] += t + ns - of_round[0][0] <= (last + 1) * pace
            counts["frames"] += last + 1 if of_round else 0
        counts["late"] = len(measured) - counts["on_time"]
        counts["dropped"] = counts["frames"] - len(measured)
    return {"headline_ns": shown, "windows": windows, "deadlines": counts}


def number(value):
    """As ECMAScript writes it: the shortest digits, and exponents from 1e21 and below 1e-6."""
    if isinstance(value, int):
        return str(value)
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    digits, _, exponent = f"{Decimal(repr(abs(value))):e}".lower().partition("e")
    digits, power = digits.replace(".", "").rstrip("0"), int(exponent)
    if -7 < power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    if 0 <= power < 21:
        whole = digits.ljust(power + 1, "0")
        rest = whole[power + 1 :]
        return sign + whole[: power + 1] + (f".{rest}" if rest else "")
    return f"{sign}{digits[0]}{'.' + digits[1:] if digits[1:] else ''}e{power:+d}"


def canonical(value):
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return json.dumps(value, ensure_ascii=False)


def record(given):
    unsigned = {key: value for key, value in given["document"].items() if key != "signature"}
    form = canonical(unsigned)
    return {"canonical": form, "sha256": hashlib.sha256(form.encode()).hexdigest()}


SOLVERS = {"engine": engine, "stats": stats, "headline": headline, "record": record}
for line in sys.stdin:
    task = json.loads(line)
    solve = {"engine": engine, "stats": stats, "headline": headline, "record": record}.get(
        task["kind"]
    )
    if solve is None:
        print(json.dumps({"id": task["id"], "unsupported": True}))
    else:
        print(json.dumps({"id": task["id"], "answer": solve(task["given"])}))
