"""Sums for the mean and variance of each mel bin."""

import numpy as np

from earmark.data.moments import Moments, summed


def test_moments_are_those_of_numpy() -> None:
    random = np.random.default_rng(2)
    parts = [random.normal(0, 1, (frames, 8)).astype(np.float16) for frames in (1, 5, 9, 30, 200)]
    moments = Moments(8)
    for part in parts:
        moments.add(part)
    together = np.concatenate(parts).astype(np.float64)
    said = moments.as_json()
    assert said["frames"] == len(together)
    mean = np.array(said["total"]) / said["frames"]
    np.testing.assert_allclose(mean, together.mean(axis=0), atol=1e-6)
    variance = np.array(said["squares"]) / said["frames"] - mean**2
    np.testing.assert_allclose(variance, together.var(axis=0), atol=1e-6)


def test_sums_have_the_same_bits_however_utterances_are_spread_over_shards_on_one_machine() -> None:
    random = np.random.default_rng(3)
    made = [random.normal(12, 4, (int(random.integers(1, 900)), 80)).astype(np.float16) for _ in range(300)]

    def added(size: int) -> tuple[np.ndarray, ...]:
        """Sums of shards of so many utterances, over all shards."""
        shards = []
        for start in range(0, len(made), size):
            shards.append(Moments(80))
            for features in made[start : start + size]:
                shards[-1].add(features)
        parts = [one.as_json() for one in shards]
        return tuple(np.array(summed([one[name] for one in parts], 80)) for name in ("total", "squares"))

    total, squares = added(1)
    for size in (7, 64, 300):
        for one, other in zip(added(size), (total, squares), strict=True):
            assert one.tobytes() == other.tobytes(), size
    frames = np.concatenate(made).astype(np.float64)
    mean = total / len(frames)
    np.testing.assert_allclose(mean, frames.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(squares / len(frames) - mean**2, frames.var(axis=0), rtol=1e-5)
