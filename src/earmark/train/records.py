"""What a segment leaves behind for people: a row a step in Parquet, TensorBoard logs, a progress bar."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from tqdm import tqdm

from earmark.io import write_parquet

SCHEMA = pa.schema(
    [
        ("stage", pa.string()),
        ("step", pa.int64()),  # from 1: the number of updates made
        ("loss", pa.float32()),  # nats, a frame (CTC, hybrid, Best-RQ) or a label (AED, next token)
        ("ctc", pa.float32()),
        ("consistency", pa.float32()),
        ("aed", pa.float32()),  # nats a label
        ("accuracy", pa.float32()),  # Best-RQ: share of masked frames whose code was told
        ("rate", pa.float32()),
        ("gradient_norm", pa.float32()),
        ("audio_seconds", pa.float32()),  # speech in this step's batches on this process
        ("audio_seconds_per_second", pa.float32()),
        ("mfu", pa.float32()),  # model FLOPs utilisation of this process's GPU; null on a CPU
        ("padding", pa.float32()),  # share of feature frames that are padding
        ("skipped", pa.string()),  # ids of a batch whose loss was a spike, so that its update was left out; else null
        ("time", pa.float64()),  # Unix seconds at the step's end
    ]
)


class Records:
    """Rows of one segment; only rank 0 keeps any."""

    def __init__(self, stage: str, start: int, end: int, logs: Path, active: bool):
        self.stage, self.active, self.logs = stage, active, logs
        self.rows: list[dict[str, Any]] = []
        self.last = time.time()
        self.bar = tqdm(
            total=end, initial=start, desc=stage, unit="step", mininterval=5, disable=not active, smoothing=0.1
        )

    def add(self, step: int, **values: Any) -> None:
        """A finished step."""
        now = time.time()
        speed = values["audio_seconds"] / max(now - self.last, 1e-9)
        self.rows.append({"stage": self.stage, "step": step, "time": now, "audio_seconds_per_second": speed} | values)
        self.last = now
        self.bar.set_postfix(loss=f"{values['loss']:.3f}", refresh=False)
        self.bar.update()

    def close(self, folder: Path) -> None:
        """Write `metrics.parquet` into `folder` and the TensorBoard events of the segment."""
        self.bar.close()
        if not self.active:
            return
        write_parquet(folder / "metrics.parquet", pa.Table.from_pylist(self.rows, schema=SCHEMA))
        self._tensorboard()

    def _tensorboard(self) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        writer = EventFileWriter(str(self.logs / self.stage))
        for row in self.rows:
            values = [
                Summary.Value(tag=name, simple_value=float(row[name]))
                for name in (
                    "loss",
                    "ctc",
                    "consistency",
                    "aed",
                    "accuracy",
                    "rate",
                    "gradient_norm",
                    "audio_seconds_per_second",
                )
                if name in row
            ]
            writer.add_event(Event(step=row["step"], wall_time=row["time"], summary=Summary(value=values)))
        writer.close()


class Spent:
    """Seconds of a segment by what they went into."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def on(self, what: str) -> Iterator[None]:
        """The time of this block goes into `what`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[what] = self.seconds.get(what, 0.0) + time.perf_counter() - started


def say(line: str) -> None:
    """A line for whoever watches the run, on standard output and above the progress bar."""
    tqdm.write(line)
