"""Celery's folder transport, made safe for readers: a message appears in the folder only when it is whole.

The transport of kombu creates the file first and writes into it afterwards, so a worker that looks in between reads
half a message and dies of it.
"""

import time
import uuid
from pathlib import Path

from kombu.transport import filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: dict, **_kwargs) -> None:
        name = f"{time.monotonic_ns() // 1_000_000}_{uuid.uuid4()}.{queue}.msg"
        draft = Path(self.data_folder_out, f"{name}.draft")
        draft.write_bytes(str_to_bytes(dumps(payload)))
        draft.rename(draft.with_suffix(""))


class Transport(filesystem.Transport):
    Channel = Channel
