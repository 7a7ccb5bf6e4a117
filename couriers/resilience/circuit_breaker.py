"""The circuit breaker: a courier that keeps failing is left alone, by all processes at once.

Opens after consecutive infrastructure failures; when the cooldown is over it lets exactly one
probe through and closes on its success. A courier's refusals are answers and never open it.
"""

from __future__ import annotations

import secrets
import threading
import time

from couriers.conf import tunables
from couriers.contract.errors import CircuitOpen
from couriers.resilience.shared import RedisAway, with_redis

# One script, so that the state is read and changed in one step. The hash holds `failures`,
# `opened` (seconds) and, while a probe is under way, `probe` (its token) and `probing` (till when).
# ARGV: event, token, threshold, cooldown. Answers {state, retry after in ms}.
_SCRIPT = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local event, token = ARGV[1], ARGV[2]
local threshold, cooldown = tonumber(ARGV[3]), tonumber(ARGV[4])
local s = redis.call('HMGET', KEYS[1], 'failures', 'opened', 'probe', 'probing')
local failures, opened = tonumber(s[1] or 0), tonumber(s[2] or 0)
local probing = s[4] and tonumber(s[4]) > now
local mine = probing and s[3] == token
local function keep() redis.call('EXPIRE', KEYS[1], math.ceil(cooldown) * 10 + 60) end
if event == 'ask' then
  if opened == 0 then
    if failures == 0 then return {'closed', 0} else return {'shaky', 0} end
  end
  local wait = opened + cooldown - now
  if wait <= 0 and probing then wait = tonumber(s[4]) - now end
  if wait > 0 then return {'open', math.ceil(wait * 1000)} end
  redis.call('HSET', KEYS[1], 'probe', token, 'probing', string.format('%.6f', now + cooldown))
  keep()
  return {'probe', 0}
elseif event == 'success' then
  if opened == 0 or mine then redis.call('DEL', KEYS[1]) end
elseif event == 'failure' then
  if opened == 0 or mine then
    failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
    if mine or failures >= threshold then
      redis.call('HSET', KEYS[1], 'opened', string.format('%.6f', now))
      redis.call('HDEL', KEYS[1], 'probe', 'probing')
    end
    keep()
  end
elseif event == 'release' then
  if mine then redis.call('HDEL', KEYS[1], 'probe', 'probing') end
elseif event == 'reset' then
  redis.call('DEL', KEYS[1])
elseif event == 'peek' then
  if opened == 0 then return {'closed', 0} end
  if probing or opened + cooldown <= now then return {'half_open', 0} end
  return {'open', math.ceil((opened + cooldown - now) * 1000)}
end
return {'', 0}
"""


class _LocalState:
    """The same rules for one process, while Redis is away."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.failures = 0
        self.opened = 0.0
        self.probe = ""
        self.probing = 0.0

    def apply(self, event: str, token: str, threshold: int, cooldown: float) -> tuple[str, float]:
        with self.lock:
            now = time.monotonic()
            probing = self.probing > now
            mine = probing and self.probe == token
            if event in ("ask", "peek"):
                return self._state(event, token, now, cooldown, probing)
            if event == "success" and (not self.opened or mine):
                self._clear()
            elif event == "failure" and (not self.opened or mine):
                self.failures += 1
                if mine or self.failures >= threshold:
                    self.opened, self.probe, self.probing = now, "", 0.0
            elif event == "release" and mine:
                self.probe, self.probing = "", 0.0
            elif event == "reset":
                self._clear()
            return "", 0.0

    def _state(
        self, event: str, token: str, now: float, cooldown: float, probing: bool
    ) -> tuple[str, float]:
        if not self.opened:
            return ("shaky" if self.failures and event == "ask" else "closed"), 0.0
        wait = self.opened + cooldown - now
        if event == "peek":
            return ("half_open", 0.0) if probing or wait <= 0 else ("open", wait)
        if wait <= 0 and probing:
            wait = self.probing - now
        if wait > 0:
            return "open", wait
        self.probe, self.probing = token, now + cooldown
        return "probe", 0.0

    def _clear(self) -> None:
        self.failures, self.opened, self.probe, self.probing = 0, 0.0, "", 0.0


_local: dict[str, _LocalState] = {}


def forget_local_state() -> None:
    """Forget the circuits that this process kept while Redis was away."""
    _local.clear()


class CircuitBreaker:
    """The circuit of one account with its courier, shared by all processes under its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._call = threading.local()

    @classmethod
    def of_account(cls, courier: str, account_id: str) -> CircuitBreaker:
        """The circuit between an account and its courier."""
        return cls(f"{courier}:{account_id}")

    def before_call(self) -> None:
        """Ask to make a call. Raises CircuitOpen with the time left when it may not be made."""
        self._call.token = secrets.token_hex(8)
        state, wait = self._do("ask")
        if state == "open":
            raise CircuitOpen("the courier has been failing; calls are held back", retry_after=wait)
        self._call.clean = state == "closed"

    def record_success(self) -> None:
        """The courier answered, with whatever: it is alive."""
        # In the usual case there is nothing to clear, and Redis need not be asked.
        if not getattr(self._call, "clean", False):
            self._do("success")

    def record_failure(self) -> None:
        """The courier could not be reached, or broke."""
        self._do("failure")

    def release(self) -> None:
        """The call ended without telling anything about the courier; a probe is given back."""
        if not getattr(self._call, "clean", False):
            self._do("release")

    def reset(self) -> None:
        """Close the circuit by an operator's hand."""
        self._do("reset")

    def state(self) -> str:
        """`closed`, `open` or `half_open`."""
        return self._do("peek")[0]

    def _do(self, event: str) -> tuple[str, float]:
        limits = tunables()
        token = getattr(self._call, "token", "")
        args = (event, token, limits.BREAKER_FAILURES, limits.BREAKER_COOLDOWN)
        try:
            answer = with_redis(
                lambda redis: redis.register_script(_SCRIPT)(
                    keys=[f"shipcrowd:circuit:{self.name}"], args=list(args)
                )
            )
        except RedisAway:
            return _local.setdefault(self.name, _LocalState()).apply(*args)
        state, wait_ms = answer
        return (state.decode() if isinstance(state, bytes) else state), wait_ms / 1000
