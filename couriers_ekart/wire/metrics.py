"""Prometheus metrics of the calls to Ekart."""

from prometheus_client import Counter, Histogram

CALLS = Counter(
    "ekart_api_calls", "Calls to Ekart by their outcome", ["operation", "outcome", "status_code"]
)
LATENCY = Histogram(
    "ekart_api_latency_seconds",
    "Time that a call to Ekart took",
    ["operation"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30),
)
RATE_LIMIT_HITS = Counter(
    "ekart_rate_limit_hits", "Calls refused by a limit, ours or Ekart's", ["operation"]
)
AUTH_REFRESHES = Counter("ekart_auth_refreshes", "Token refreshes", ["success"])
