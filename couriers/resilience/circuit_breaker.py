"""The circuit breaker: no process calls a courier that keeps failing.

The circuit opens after consecutive infrastructure failures. When the cooldown is over, exactly one
call, the probe, is allowed, and its success closes the circuit. A courier's refusals are answers:
they never open it.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Sequence

from redis import Redis

from couriers.conf import tunables
from couriers.contract.errors import CircuitOpen
from couriers.resilience.shared import RedisUnavailable, with_redis

# One script, so that the state is read and changed in one step. The hash holds `failures`,
# `opened_at` (seconds) and, while a probe is under way, `probe` (its token) and `probe_until`.
# A time that is too late is of a clock that was set back since: a circuit opened now at the latest,
# and a probe lasts no longer than a cooldown.
# ARGV: event, token, failures that open, cooldown. Returns {state, milliseconds to wait}.
_SCRIPT = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local event, token = ARGV[1], ARGV[2]
local threshold, cooldown = tonumber(ARGV[3]), tonumber(ARGV[4])
local s = redis.call('HMGET', KEYS[1], 'failures', 'opened_at', 'probe', 'probe_until')
local failures, opened_at = tonumber(s[1] or 0), tonumber(s[2] or 0)
if opened_at > now then
  opened_at = now
  redis.call('HSET', KEYS[1], 'opened_at', string.format('%.6f', now))
end
local probing = s[4] and tonumber(s[4]) > now and tonumber(s[4]) <= now + cooldown
local is_probe = probing and s[3] == token
local function keep() redis.call('EXPIRE', KEYS[1], math.ceil(cooldown) * 10 + 60) end
if event == 'ask' then
  if opened_at == 0 then
    if failures == 0 then return {'closed', 0} else return {'closed_with_failures', 0} end
  end
  local wait = opened_at + cooldown - now
  if wait <= 0 and probing then wait = tonumber(s[4]) - now end
  if wait > 0 then return {'open', math.ceil(wait * 1000)} end
  local probe_until = string.format('%.6f', now + cooldown)
  redis.call('HSET', KEYS[1], 'probe', token, 'probe_until', probe_until)
  keep()
  return {'probe', 0}
elseif event == 'success' then
  if opened_at == 0 or is_probe then redis.call('DEL', KEYS[1]) end
elseif event == 'failure' then
  if opened_at == 0 or is_probe then
    failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
    if is_probe or failures >= threshold then
      redis.call('HSET', KEYS[1], 'opened_at', string.format('%.6f', now))
      redis.call('HDEL', KEYS[1], 'probe', 'probe_until')
    end
    keep()
  end
elseif event == 'release' then
  if is_probe then redis.call('HDEL', KEYS[1], 'probe', 'probe_until') end
elseif event == 'reset' then
  redis.call('DEL', KEYS[1])
elseif event == 'peek' then
  if opened_at == 0 then return {'closed', 0} end
  if probing or opened_at + cooldown <= now then return {'half_open', 0} end
  return {'open', math.ceil((opened_at + cooldown - now) * 1000)}
end
return {'', 0}
"""


class _LocalCircuit:
    """A circuit of this process alone, with the same rules, used while Redis is unavailable."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self.failures = 0
        # Seconds on the monotonic clock; 0 means that the circuit is not open.
        self.opened_at = 0.0
        self.probe = ""
        self.probe_until = 0.0

    def apply(self, event: str, token: str, threshold: int, cooldown: float) -> tuple[str, float]:
        """Do what the script does; return the state and the seconds to wait."""
        with self._lock:
            now = time.monotonic()
            probing = self.probe_until > now
            is_probe = probing and self.probe == token
            if event in ("ask", "peek"):
                return self._state(event, token, now, cooldown, probing)
            if event == "success" and (not self.opened_at or is_probe):
                self._clear()
            elif event == "failure" and (not self.opened_at or is_probe):
                self.failures += 1
                if is_probe or self.failures >= threshold:
                    self.opened_at, self.probe, self.probe_until = now, "", 0.0
            elif event == "release" and is_probe:
                self.probe, self.probe_until = "", 0.0
            elif event == "reset":
                self._clear()
            return "", 0.0

    def _state(
        self, event: str, token: str, now: float, cooldown: float, probing: bool
    ) -> tuple[str, float]:
        if not self.opened_at:
            has_failures = self.failures and event == "ask"
            return ("closed_with_failures" if has_failures else "closed"), 0.0
        wait = self.opened_at + cooldown - now
        if event == "peek":
            return ("half_open", 0.0) if probing or wait <= 0 else ("open", wait)
        if wait <= 0 and probing:
            wait = self.probe_until - now
        if wait > 0:
            return "open", wait
        self.probe, self.probe_until = token, now + cooldown
        return "probe", 0.0


_local_circuits: dict[str, _LocalCircuit] = {}


def forget_local_circuits() -> None:
    """Forget the failures that this process counted while Redis was unavailable."""
    _local_circuits.clear()


class CircuitBreaker:
    """The circuit of a name, shared by all processes."""

    def __init__(self, name: str) -> None:
        self.name = name
        # Of the current thread's call: its `token`, and `no_failures`, whether the circuit was
        # closed and had no failures when the call was allowed.
        self._call = threading.local()

    @classmethod
    def of_account(cls, courier: str, account_id: str) -> CircuitBreaker:
        """Return the circuit between an account and its courier."""
        return cls(f"{courier}:{account_id}")

    def before_call(self) -> None:
        """Ask permission for a call. Raises CircuitOpen, with the seconds to wait, if refused."""
        self._call.token = secrets.token_hex(8)
        state, wait = self._apply("ask")
        if state == "open":
            raise CircuitOpen("the courier has been failing; calls are held back", retry_after=wait)
        self._call.no_failures = state == "closed"

    def record_success(self) -> None:
        """Record that the courier answered, whatever the answer was."""
        # Usually there are no failures to clear, and no round trip to Redis is needed.
        if not getattr(self._call, "no_failures", False):
            self._apply("success")

    def record_failure(self) -> None:
        """Record that the courier could not be reached, or failed."""
        self._apply("failure")

    def release(self) -> None:
        """Record that the call had neither answer nor failure, so another may be the probe."""
        if not getattr(self._call, "no_failures", False):
            self._apply("release")

    def reset(self) -> None:
        """Close the circuit. Operators do this."""
        self._apply("reset")

    def state(self) -> str:
        """Return `closed`, `open` or `half_open`."""
        return self._apply("peek")[0]

    def _apply(self, event: str) -> tuple[str, float]:
        """Apply an event to the circuit; return the state and the seconds to wait."""
        limits = tunables()
        token = getattr(self._call, "token", "")
        args = (event, token, limits.BREAKER_FAILURES, limits.BREAKER_COOLDOWN)
        try:
            answer = with_redis(
                lambda redis: redis.register_script(_SCRIPT)(
                    keys=[f"shipcrowd:circuit:{self.name}"], args=list(args)
                )
            )
        except RedisUnavailable:
            return _local_circuits.setdefault(self.name, _LocalCircuit()).apply(*args)
        state, wait_ms = answer
        return (state.decode() if isinstance(state, bytes) else state), wait_ms / 1000


def opened_circuits(names: Sequence[str]) -> dict[str, float]:
    """Return since when each circuit is open or half open, by its name, without those closed.

    Times are in seconds (UTC). Raises RedisUnavailable: nobody else knows the circuits of all
    processes.
    """
    if not names:
        return {}

    def read(redis: Redis) -> list[bytes | None]:
        with redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.hget(f"shipcrowd:circuit:{name}", "opened_at")
            return pipeline.execute()

    found = zip(names, with_redis(read), strict=True)
    return {name: float(opened_at) for name, opened_at in found if opened_at}
