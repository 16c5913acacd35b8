"""espeak-ng through ctypes: text to samples in memory (its public C interface, speak_lib.h)."""

import ctypes
import shutil
import tempfile
from functools import lru_cache

import numpy as np

from earmark.errors import CorpusError

AUDIO_OUTPUT_SYNCHRONOUS = 2
CHARS_UTF8 = 1
RATE, PITCH, RANGE = 1, 3, 4

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class _Engine:
    """The one engine of this process."""

    def __init__(self) -> None:
        import espeakng_loader

        # Only a copy is loaded anew: the file itself stays loaded while phonemizer, or an engine before, has it.
        with tempfile.TemporaryDirectory(prefix="earmark-") as folder:
            self.espeak = ctypes.CDLL(shutil.copy(espeakng_loader.get_library_path(), folder))
        data = espeakng_loader.get_data_path().encode()
        self.rate = self.espeak.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, data, 0)
        if self.rate <= 0:
            raise CorpusError("espeak-ng did not start: reinstall the package espeakng-loader")
        # Noise: the engine's generator is seeded by the clock; its Klatt voices take the C library's.
        self.espeak.espeak_ng_SetRandSeed(ctypes.c_long(1))
        ctypes.CDLL(None).srand(1)
        self.chunks: list[np.ndarray] = []
        self.callback = _CALLBACK(self._collect)  # kept: ctypes would free it
        self.espeak.espeak_SetSynthCallback(self.callback)

    def _collect(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, events: int) -> int:
        if count > 0:
            self.chunks.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        return 0


@lru_cache(maxsize=1)
def _engine() -> _Engine:
    return _Engine()


def restart() -> None:
    """Load the engine anew, so that what is said next does not depend on what was said before.

    Its phases and its noise go on from one utterance to the next, even over its own end and start.
    """
    if _engine.cache_info().currsize:
        _engine().espeak.espeak_Terminate()
        _engine.cache_clear()


def say(text: str, voice: str, rate: int, pitch: int, spread: int) -> tuple[np.ndarray, int]:
    """Speak `text`: int16 samples (N,) and their rate in Hz.

    :param voice: such as "cmn+f2" or "en-us+Andy".
    :param rate: words a minute. :param pitch: 0-99. :param spread: pitch range, 0-99.
    """
    engine = _engine()
    if engine.espeak.espeak_SetVoiceByName(voice.encode()) != 0:
        raise CorpusError(f"espeak-ng has no voice {voice!r}: see `espeak-ng --voices`")
    for parameter, value in ((RATE, rate), (PITCH, pitch), (RANGE, spread)):
        engine.espeak.espeak_SetParameter(parameter, value, 0)
    engine.chunks.clear()
    data = text.encode()
    engine.espeak.espeak_Synth(data, len(data) + 1, 0, 1, 0, CHARS_UTF8, None, None)
    engine.espeak.espeak_Synchronize()
    if not engine.chunks:
        raise CorpusError(f"espeak-ng said nothing for {text!r} with voice {voice!r}: leave the sentence out")
    return np.concatenate(engine.chunks), engine.rate
