"""kombu's Redis transport. A queue holds one wake-up, or none: a second says nothing that the first does not."""

from typing import Any

from kombu.transport import redis
from kombu.utils.json import dumps

PUT_UNLESS_ONE_WAITS = "if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('LPUSH', KEYS[1], ARGV[1]) end"


class Channel(redis.Channel):
    def _put(self, queue: str, message: Any, **options: Any) -> None:
        with self.conn_or_acquire() as client:
            client.eval(PUT_UNLESS_ONE_WAITS, 1, queue, dumps(message))


class Transport(redis.Transport):
    Channel = Channel
