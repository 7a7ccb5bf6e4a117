"""The project's settings without quotas for clients, which a load generator would use up."""

from shipcrowd.settings import *  # noqa: F403
from shipcrowd.settings import SHIPCROWD

NO_QUOTAS = dict.fromkeys(("THROTTLE_KEY", "THROTTLE_COMPANY", "THROTTLE_ADDRESS"), 1_000_000)
SHIPCROWD = SHIPCROWD | NO_QUOTAS
