"""A recording made of nothing but arithmetic, so that the simulated exchange has something to hear."""

from __future__ import annotations

import hashlib
import io
import math
import wave
from array import array

RATE, SECONDS, TONES = 8000, 6, 12
_SCALE = (262, 294, 330, 392, 440, 523)


def tune_of(name: str) -> bytes:
    """A short WAV (8 kHz, one channel): always the same for a name, another one for another."""
    picks = hashlib.sha256(name.encode()).digest()[:TONES]
    each = RATE * SECONDS // TONES
    samples = array("h")
    for pick in picks:
        step = 2 * math.pi * _SCALE[pick % len(_SCALE)] / RATE
        samples.extend(
            round(9000 * math.sin(step * place) * math.sin(math.pi * place / each)) for place in range(each)
        )
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(RATE)
        written.writeframes(samples.tobytes())
    return file.getvalue()
