"""Features do not depend on how frames are taken together, nor on what was computed before."""

import threading

import numpy as np
import pytest

from earmark.audio.fbank import _FLOOR, SHIFT, WINDOW, _mel_bank, _squares, fbank, frame_count


def noise(frames: int, seed: int = 1) -> np.ndarray:
    """Samples (N,) of so many frames."""
    return np.random.default_rng(seed).normal(0, 0.1, WINDOW + (frames - 1) * SHIFT).astype(np.float32)


def test_each_frame_is_counted() -> None:
    assert [frame_count(size) for size in (0, 399, 400, 559, 560)] == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("frames", [1, 2, 7, 8, 9, 383, 384, 385, 391, 770, 1025])
def test_a_frame_has_the_same_bits_wherever_a_block_ends_on_one_machine(frames: int) -> None:
    samples = noise(1200)
    whole = fbank(samples)
    assert np.array_equal(fbank(samples[: WINDOW + (frames - 1) * SHIFT]), whole[:frames])
    assert np.array_equal(fbank(samples[(1200 - frames) * SHIFT :]), whole[1200 - frames :])


@pytest.mark.parametrize("n_mels", [5, 40, 80, 128])
def test_a_frame_has_the_same_bits_wherever_it_stands_on_one_machine(n_mels: int) -> None:
    samples = noise(800)
    whole = fbank(samples, n_mels)
    for first in range(1, 25):
        assert np.array_equal(fbank(samples[first * SHIFT :], n_mels), whole[first:]), first


@pytest.mark.parametrize("n_mels", [1, 5, 80, 128])
def test_every_mel_bin_has_its_sum(n_mels: int) -> None:
    """Bands leave nothing out: the same with one product of the whole bank."""
    bank, samples = _mel_bank(n_mels).astype(np.float64), noise(50)
    energies = _squares(samples)[:50, :512].astype(np.float64).reshape(50, 256, 2).sum(axis=2) @ bank
    np.testing.assert_allclose(fbank(samples, n_mels), np.log(np.maximum(energies, _FLOOR)), atol=1e-4)


def test_nothing_is_left_of_what_came_before_on_one_machine() -> None:
    expected = fbank(noise(300))
    spoilt = noise(200, seed=2)
    spoilt[5000] = np.nan
    assert np.isnan(fbank(spoilt)).any()
    assert np.array_equal(fbank(noise(300)), expected)


def test_threads_do_not_disturb_each_other_on_one_machine() -> None:
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


def test_samples_may_be_a_channel_of_several_on_one_machine() -> None:
    stereo = np.stack([noise(50), noise(50, seed=2)], axis=1)
    assert np.array_equal(fbank(stereo[:, 1]), fbank(noise(50, seed=2)))
    assert np.array_equal(fbank(stereo[::-1, 1]), fbank(noise(50, seed=2)[::-1].copy()))


def test_silence_has_the_floor_in_every_cell() -> None:
    assert (fbank(np.zeros(4000, np.float32)) == np.log(np.finfo(np.float32).eps)).all()


def test_integers_give_the_same_bits_as_their_fractions_on_one_machine() -> None:
    integers = np.random.default_rng(5).integers(-32768, 32768, 40_000).astype(np.int16)
    integers[:4000] = [0, 1, -1, 2] * 1000
    assert np.array_equal(fbank(integers), fbank(integers.astype(np.float32) / 32768))
