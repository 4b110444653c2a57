"""Read what ExecuTorch's `executor_runner` prints, all runs in a log.

    I 00:00:00.000797 executorch:executor_runner.cpp:365] Model file ./mv3.pte is loaded.
    I 00:00:00.061204 executorch:executor_runner.cpp:480] Model loaded in 41.500000 ms.
    I 00:00:00.081204 executorch:executor_runner.cpp:712] Iteration 1 of 2: 9.100000 ms
    I 00:00:00.089204 executorch:executor_runner.cpp:720] Model executed successfully 2 time(s) ...
    I 00:00:01.835706 executorch:qnn_executor_runner.cpp:298] 100 inference took 1096.6 ms, avg ...

Older versions print no time, so that nothing can be read from them. There is no warm-up: the mean
holds the first inference.
"""

from __future__ import annotations

import re
from pathlib import PureWindowsPath

from mobilebench.interop.reader import NUMBER, UNNAMED, Reader, number, scaled
from mobilebench.interop.runs import Log, read_runs
from mobilebench.values.reported import Latency, Reported

_TOTAL = rf"Model executed successfully (\d+) time\(s\) in {NUMBER} ms"
_AVERAGE = rf"(\d+) inference took {NUMBER} ms, avg {NUMBER} ms"
_ITERATION = rf"Iteration \d+ of \d+: {NUMBER} ms"
_MS = 1e6


def _read_run(text: str) -> Reported:
    total, average = re.search(_TOTAL, text), re.search(_AVERAGE, text)
    count, mean_ms = None, None
    if average:
        count, mean_ms = int(average[1]), float(average[3])
    elif total and int(total[1]) > 0:
        count, mean_ms = int(total[1]), float(total[2]) / int(total[1])
    samples = tuple(float(sample) * _MS for sample in re.findall(_ITERATION, text))
    model = re.search(r"Model file (.+?) is loaded", text) or re.search(
        r"--model_path[= ][\"']?([^\s\"']+)", text
    )
    threads = number(r"num threads = (\d+)", text)
    return Reported(
        report_id=UNNAMED,
        source=UNNAMED,
        file=UNNAMED,
        model=PureWindowsPath(model[1]).name.removesuffix(".pte") if model else None,
        format="executorch",
        runtime="executorch",
        threads=int(threads) if threads else None,
        latency=Latency(
            count=count,
            mean_ns=scaled(mean_ms, _MS),
            samples_ns=samples if samples and len(samples) == count else None,
        ),
        load_ns=scaled(number(rf"Model loaded in {NUMBER} ms", text), _MS),
        first_inference_ns=samples[0] if samples else None,
        remarks=("the mean holds the first inference: no warm-up",) if mean_ms else (),
    )


_LOG = Log(
    program="executor_runner",
    last="time of the executions",
    starts=r"executor_runner(?:\.exe)?[\"']?\s+-",
    opens=r"Model file .+ is loaded",
    once=(r"Model file .+ is loaded", _TOTAL),
    steady=(),
    ends=rf"{_TOTAL}|{_AVERAGE}",
    gives_up=r"\bF \d\d:\d\d:\d\d\.\d+ executorch",
    fails=r"\bE \d\d:\d\d:\d\d\.\d+ executorch|failed with status",
    read=_read_run,
)

READER = Reader(
    tool="ExecuTorch executor_runner",
    reads="what executor_runner of ExecuTorch prints where it prints times",
    recognises=lambda text: re.search(r"executorch:\w*executor_runner\.cpp", text) is not None,
    read=lambda text, path: read_runs(_LOG, text, path),
    log=True,
)
