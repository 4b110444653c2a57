"""A device's share of the contract, written from docs/contract.md alone.

It reads tasks from its standard input, one on each line, and prints an answer to each.
"""

import hashlib
import json
import math
import re
import sys
from decimal import Decimal
from fractions import Fraction
from itertools import groupby, pairwise, repeat
from urllib.parse import urlsplit

ORIGIN = 5_000_000
STATES = ["nominal", "fair", "serious", "critical"]


def spans(column):
    """A column that seldom changes is written as spans of equal values."""
    return [{"count": len(list(run)), "value": value} for value, run in groupby(column)]


def column(spans):
    return [span["value"] for span in spans for _ in range(span["count"])]


class Failed(Exception):
    pass


class Stopped(Exception):
    pass


class Device:
    """The scripted device: time passes in loads, inferences, waits and readings only."""

    def __init__(self, script):
        self.script, self.now, self.inferences, self.loads = script, ORIGIN, 0, 0
        self.zero = ORIGIN - script.get("t_ns", 0)
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
        began = self.now - self.zero
        self.now += self.script.get("reading_ns", 0)
        shown = [state for state in self.script["states"] if state["t_ns"] <= began][-1]
        return {**shown, "t_ns": self.now - self.zero}


class Measurement:
    def __init__(self, script):
        self.rule, self.device = script["protocol"], Device(script)
        self.limits, self.first = script.get("limits") or {}, script.get("first_round", 0)
        self.t, self.latency, self.phase, self.round = [], [], [], []
        self.loads, self.gates, self.states = [], [], []
        self.widths, self.choices = script.get("widths", []), list(script.get("choices", []))
        self.index, self.width, self.events = 0, [], []

    def run(self):
        stopped = None
        try:
            for number in range(self.first, self.rule["rounds"]):
                self.whole_round(number)
        except Stopped as reason:
            stopped = str(reason)
        return {
            "samples": {
                "t_ns": self.t,
                "latency_ns": self.latency,
                "phase": spans(self.phase),
                "round": spans(self.round),
                **({"width": spans(self.width)} if self.widths else {}),
            },
            **({"events": self.events} if self.widths else {}),
            "loads_ns": self.loads,
            "gates": self.gates,
            "states": self.states,
            "stopped": stopped,
        }

    def whole_round(self, number):
        if self.rule["cool_down_ns"]:
            self.device.wait(self.rule["cool_down_ns"])
        state = self.read()
        if self.rule.get("gate"):
            self.gates.append(self.gate(self.rule.get("gate"), state))
        began = self.device.now
        self.device.load()
        self.loads.append(self.device.now - began)
        self.index = 0
        self.warm_up(self.rule["warm_up"], number)
        cool = self.cool_latencies(number)
        self.measure(number, cool)

    def cool_latencies(self, number):
        cool = {}
        for index in reversed(range(len(self.widths))):
            self.index = index
            last = sorted([self.sample("warm-up", number) for _ in range(12)][2:])
            cool[f"cool_{index}_ns"] = (last[4] + last[5]) // 2
            self.look_at_the_time()
        return dict(sorted(cool.items()))

    def choose(self, cool):
        index = self.choices.pop(0) if len(self.choices) > 1 else self.choices[0]
        if index != self.index:
            self.events.append({
                "t_ns": self.device.now - self.device.zero, "kind": "width shift",
                "from_width": self.widths[self.index], "to_width": self.widths[index],
                "readings": cool, "note": "script",
            })  # fmt: skip
        self.index = index

    def read(self):
        state, limits = self.device.read(), self.limits
        self.states.append(state)
        warmest, thermal = limits.get("warmest"), state.get("thermal")
        if warmest and thermal and STATES.index(thermal) > STATES.index(warmest):
            raise Stopped("heat")
        hottest = max((state.get("temperatures_c") or {}).values(), default=-math.inf)
        if hottest > limits.get("hottest_c", math.inf):
            raise Stopped("heat")
        charge = state.get("battery_fraction")
        low = charge is not None and charge < limits.get("least_battery", 0)
        if low and not state.get("charging"):
            raise Stopped("battery")
        self.look_at_the_time()
        return state

    def look_at_the_time(self):
        if self.device.now - self.device.zero >= self.limits.get("time_ns", math.inf):
            raise Stopped("time")

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
        self.t.append(began - self.device.zero)
        self.latency.append(self.device.now - began)
        self.phase.append(phase)
        self.round.append(number)
        if self.widths:
            self.width.append(self.widths[self.index])
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
            self.look_at_the_time()

    def measure(self, number, cool):
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
            else:
                self.look_at_the_time()
            if self.widths:
                self.choose(cool)
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


class Refused(Exception):
    pass


def require(condition, sentence):
    if not condition:
        raise Refused(sentence)


def parsed(text):
    def none(word):
        raise ValueError(f"{word} is no number")

    try:
        return json.loads(text, parse_constant=none)
    except (ValueError, RecursionError) as error:
        raise Refused(f"this is not JSON: {error}") from error


SHARE, SHA256 = (0.01, 1), re.compile("[0-9a-f]{64}")
DEFAULTS = {
    "delegate": None, "compute_unit": "cpu", "threads": 1, "seed": 0, "variants": [],
    "policy": {"rule": "fixed", "aim": {"uncapped": False}}, "parity": None, "limits": {},
    "reporting": {"journal_file": "journal.jsonl", "every_ns": 1_000_000_000}, "upload_url": None,
}  # fmt: skip
FIELDS = {
    "": {"schema_version", "model_file", "model_sha256", "format", "inputs", "runtime", "protocol",
         *DEFAULTS},
    "limits": {"time_ns", "warmest", "hottest_c", "least_battery"},
    "policy": {"rule", "aim", "parameters"},
    "reporting": {"journal_file", "every_ns"},
}  # fmt: skip
RANGES = {"time_ns": (1, 2**53), "hottest_c": (0, 150), "least_battery": (0, 1)}


def job(given):
    plain = parsed(given["text"])
    version = plain.get("schema_version")
    require(version in (1, 2), f"this device reads schema version 1 and 2, not {version}")
    full = {**DEFAULTS, **plain, "schema_version": 2}
    for part, known in FIELDS.items():
        more = set(full[part] if part else full) - known
        require(not more, f"nothing is known of {', '.join(more)}")
    for name, value in full["limits"].items():
        low, high = RANGES.get(name, (None, None))
        require(low is None or low <= value <= high, f"{name} is {value}")
    require(full["threads"] >= 1, "a job needs a thread")
    check, files = full["parity"], {full["model_file"]: full["model_sha256"]}
    for variant in full["variants"]:
        files[variant["model_file"]] = variant["model_sha256"]
        low, high = SHARE
        require(low <= variant["width"] <= high, f"the width {variant['width']} is no share")
    for kind in ("inputs", "expected") if check else ():
        files[check[f"{kind}_file"]] = check[f"{kind}_sha256"]
    widths = [variant["width"] for variant in full["variants"]]
    falls = all(one > other for one, other in pairwise(widths))
    names = [variant["name"] for variant in full["variants"]]
    require(len(set(names)) == len(names), f"two variants have one name: {names}")
    require(falls, f"the width of the variants does not fall: {widths}")
    rule, url = full["policy"]["rule"], urlsplit(full["upload_url"] or "")
    require(rule == "fixed" or names, f"the policy {rule} has no variants")
    require(url.password is None, "upload_url holds a password")
    for name, sha256 in files.items():
        inside = all(name.split("/")) and not {".", ".."} & set(name.split("/"))
        require(inside, f"{name} is not in the folder")
        require(SHA256.fullmatch(sha256), f"the sha256 of {name} is {sha256}")
    journal = full["reporting"]["journal_file"]
    for name in (*files, "job.json", "subject.json", "record.json"):
        apart = not f"{journal}/".startswith(f"{name}/") and not name.startswith(f"{journal}/")
        require(apart, f"journal_file is {journal}, where {name} is")
    able = given["able"]
    for wanted, present in (
        (full["runtime"], able["runtimes"]),
        (full["compute_unit"], able["compute_units"]),
        (rule, able["policies"]),
    ):
        require(wanted in present, f"there is no {wanted}, only {present}")
    for name, sha256 in files.items():
        require(name in given["files"], f"{name} is lost")
        require(given["files"][name] == sha256, f"{name} has another sha256")
    digest = hashlib.sha256(given["text"].encode()).hexdigest()
    return {"job_sha256": digest, "files": files, "job": full}


LINE = {"n", "start", "parity", "placement", "unit_timings", "loads", "gates", "samples", "states",
        "events", "power", "scheduling", "peak_bytes", "round_ended", "end"}  # fmt: skip


def journal(given):
    lines, size, pieces = [], 0, given["text"].split("\n")
    for piece in pieces[:-1]:
        try:
            line = parsed(piece)
        except Refused:
            break
        version = (line.get("start") or {}).get("schema_version", 1)
        require(version == 1, f"this device reads schema version 1, not {version}")
        require(set(line) <= LINE, f"nothing is known of {set(line) - LINE}")
        if line["n"] != len(lines):
            break
        lines.append(line)
        size += len(piece.encode()) + 1
    require(lines and "start" in lines[0], "no line is a start")
    digest = hashlib.sha256(given["job"].encode()).hexdigest()
    starts = [line["start"] for line in lines if line.get("start")]
    require(all(start["job_sha256"] == digest for start in starts), "it is of another job")
    end = next((line["end"] for line in lines if line.get("end")), None)
    ended = [line["round_ended"] for line in lines if line.get("round_ended") is not None]
    answer = {
        "lines": len(lines),
        "bytes": size,
        "left_out": bool(pieces[-1]) or len(lines) < len(pieces) - 1,
        "ended": end is not None,
        "next_round": max(ended, default=-1) + 1,
        "last_ns": max(time for line in lines for time in times(line)),
    }
    if end and end.get("failure"):
        failure = {name: end["failure"][name] for name in ("stage", "error")}
        return {**answer, "failure": failure}
    measurement = together(lines, starts, end, json.loads(given["job"])["protocol"])
    if "measured" not in column(measurement["samples"]["phase"]):
        error = "Stopped" if end else "CutOff"
        return {**answer, "failure": {"stage": "run", "error": error}}
    return {**answer, "measurement": measurement}


def judged(runtime, plan, timings, latency, phase):
    """Judge where it ran, by the plan and the time on the CPU, where there is either."""
    unit = runtime["compute_unit_requested"]
    if not plan and not timings:
        return runtime
    named = [each for each in plan or [] if each.get("unit")]
    weighed = all("cost" in each for each in named)
    costs = [(each["unit"], each["cost"] if weighed else 1.0) for each in named]
    whole = sum(cost for _, cost in costs)
    share = sum(cost for of, cost in costs if of == unit) / whole if whole else None
    cpu = [timing["p50_ns"] for timing in timings if timing["unit"] == "cpu"]
    counted = sorted(ns for ns, of in zip(latency, phase, strict=True) if of == "measured")
    ratio = cpu[-1] / percentile(counted, 50) if cpu and counted else None
    apart = None if ratio is None else max(ratio, 1 / ratio) >= 1.1
    if unit == "cpu":
        evidence = "confirmed"
    elif unit == "all":
        evidence = "likely" if plan and len(named) == len(plan) else "unknown"
    elif share is None:
        evidence = "likely" if apart else "unknown"
    elif share == 0:
        evidence = "not supported"
    elif share < 0.5:
        evidence = "unknown"
    else:
        evidence = {None: "likely", True: "confirmed", False: "unknown"}[apart]
    return {**runtime, "compute_unit_evidence": evidence}


def times(line):
    yield (line.get("start") or {}).get("t_ns", 0)
    samples = line.get("samples")
    if samples:
        yield samples["t_ns"][-1] + samples["latency_ns"][-1]
    for name in ("states", "events", "scheduling"):
        yield from [entry["t_ns"] for entry in line.get(name, [])]
    yield from (line.get("power") or {}).get("t_ns", [])


def together(lines, starts, end, rule):
    """Put the lines together; a later process measures the round again that had not ended."""
    rows, gates, events, loads, power = [], [], [], {}, None
    for line in lines:
        if line.get("start") and line["n"] > 0:
            first = line["start"]["round"]
            rows = [row for row in rows if row[3] < first]
            gates = gates[:first]
            events.append({"t_ns": line["start"]["t_ns"], "kind": "resumed"})
        samples = line.get("samples")
        if samples:
            widths = column(samples["width"]) if samples.get("width") else repeat(1.0)
            phases, rounds = column(samples["phase"]), column(samples["round"])
            columns = samples["t_ns"], samples["latency_ns"], phases, rounds, widths
            rows += zip(*columns, strict=False)
        gates += line.get("gates", [])
        events += line.get("events", [])
        for load in line.get("loads", []):
            loads.setdefault(load["kind"], []).append(load["ns"])
        more = line.get("power")
        if more:
            power = {
                name: power[name] + value if power and isinstance(value, list) else value
                for name, value in more.items()
            }
    t, latency, phase, number, width = zip(*rows, strict=True) if rows else [()] * 5
    joined = {
        name: [entry for line in lines for entry in line.get(name, [])]
        for name in ("states", "scheduling", "unit_timings")
    }
    plan = next((line["placement"] for line in lines if line.get("placement")), None)
    first, *more = loads.get("first") or loads.get("first ever") or [None]
    peaks = [line["peak_bytes"] for line in lines if line.get("peak_bytes")]
    last = [starts[-1]["before"], *joined["states"]][-1]
    return {
        "kind": "measurement",
        "runtime": judged(starts[-1]["runtime"], plan, joined["unit_timings"], latency, phase),
        "placement": plan,
        "samples": {
            "t_ns": list(t),
            "latency_ns": list(latency),
            "phase": spans(phase),
            "round": spans(number),
            "width": spans(width) if set(width) - {1.0} else [],
        },
        "loads": {
            "first_ns": first,
            "warm_ns": loads.get("warm"),
            "first_ever_ns": loads.get("first ever", [None])[0],
            "cold_ns": more + loads.get("cold", []),
        },
        "memory": {
            "peak_bytes": max(peaks, default=0),
            "before_load_bytes": starts[0]["before_load_bytes"],
        },
        "before": starts[0]["before"],
        "after": end["after"] if end else last,
        "gates": gates if rule.get("gate") else [],
        "events": events,
        "power": power,
        "application": starts[-1].get("application"),
        "parity": list({p["unit"]: p for line in lines for p in line.get("parity", [])}.values()),
        "stopped": end.get("stopped") if end else None,
        "cut_off": end is None,
        **joined,
    }


def answer(task):
    solve = {"engine": engine, "stats": stats, "headline": headline, "record": record, "job": job,
             "journal": journal}.get(task["kind"])  # fmt: skip
    if solve is None or (solve is record and "text" in task["given"]):
        return {"unsupported": True}
    try:
        return {"answer": solve(task["given"])}
    except Refused as error:
        return {"answer": {"refused": str(error)}}


for line in sys.stdin:
    task = json.loads(line)
    print(json.dumps({"id": task["id"], **answer(task)}))
