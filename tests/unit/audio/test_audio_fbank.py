"""Features do not depend on how frames are taken together, nor on what was computed before."""

import threading

import numpy as np
import pytest

from earmark.audio.fbank import SHIFT, WINDOW, fbank, frame_count


def noise(frames: int, seed: int = 1) -> np.ndarray:
    """Samples (N,) of so many frames."""
    return np.random.default_rng(seed).normal(0, 0.1, WINDOW + (frames - 1) * SHIFT).astype(np.float32)


def test_each_frame_is_counted() -> None:
    assert [frame_count(size) for size in (0, 399, 400, 559, 560)] == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("frames", [2, 128, 191, 192, 193, 194, 385, 577, 1025])
def test_a_frame_has_the_same_bits_wherever_a_block_ends(frames: int) -> None:
    samples = noise(1200)
    whole = fbank(samples)
    assert np.array_equal(fbank(samples[: WINDOW + (frames - 1) * SHIFT]), whole[:frames])
    assert np.array_equal(fbank(samples[3 * SHIFT :]), whole[3:])


def test_a_lone_frame_is_the_same_within_rounding() -> None:
    np.testing.assert_allclose(fbank(noise(1200)[:WINDOW]), fbank(noise(1200))[:1], rtol=1e-6)


def test_nothing_is_left_of_what_came_before() -> None:
    expected = fbank(noise(300))
    spoilt = noise(200, seed=2)
    spoilt[5000] = np.nan
    assert np.isnan(fbank(spoilt)).any()
    assert np.array_equal(fbank(noise(300)), expected)


def test_threads_do_not_disturb_each_other() -> None:
    samples = [noise(700, seed) for seed in range(4)]
    expected = [fbank(one) for one in samples]
    found: dict[int, bool] = {}

    def work(number: int) -> None:
        found[number] = all(np.array_equal(fbank(samples[number]), expected[number]) for _ in range(20))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys(range(4), True)


def test_samples_may_be_a_channel_of_several() -> None:
    stereo = np.stack([noise(50), noise(50, seed=2)], axis=1)
    assert np.array_equal(fbank(stereo[:, 1]), fbank(noise(50, seed=2)))
    assert np.array_equal(fbank(stereo[::-1, 1]), fbank(noise(50, seed=2)[::-1].copy()))


def test_silence_has_the_floor_in_every_cell() -> None:
    assert (fbank(np.zeros(4000, np.float32)) == np.log(np.finfo(np.float32).eps)).all()


def test_integers_give_the_same_bits_as_their_fractions() -> None:
    integers = np.random.default_rng(5).integers(-32768, 32768, 40_000).astype(np.int16)
    integers[:4000] = [0, 1, -1, 2] * 1000
    assert np.array_equal(fbank(integers), fbank(integers.astype(np.float32) / 32768))
