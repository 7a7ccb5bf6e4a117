"""What the property tests share: any JSON, and settings that fit tests which classes inherit."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# Each plug-in's class inherits the test, and a busy machine is no error.
inherited = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner),
    max_leaves=8,
)
