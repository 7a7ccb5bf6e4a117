"""Zones of lanes, as couriers' rate cards tell them apart.

Each courier draws its zones a little differently. These are the common ones, for a merchant's own
rules; what a courier charges is what it quotes.
"""

from __future__ import annotations

import functools

from django.db import models

from couriers.contract.india.pincodes import place_of, states_of

# The sorting districts (the first three digits of a pincode) of the metro cities.
METROS = {
    "Bengaluru": "560",
    "Chennai": "600",
    "Delhi": "110",
    "Hyderabad": "500",
    "Kolkata": "700",
    "Mumbai": "400",
}
# States that couriers serve at a higher rate and in more days.
SPECIAL_STATES = frozenset(
    {
        "Andaman and Nicobar Islands", "Arunachal Pradesh", "Assam", "Jammu and Kashmir", "Ladakh",
        "Lakshadweep", "Manipur", "Meghalaya", "Mizoram", "Nagaland", "Sikkim", "Tripura",
    }
)  # fmt: skip


class Zone(models.TextChoices):
    """The zone of a lane between two pincodes. The first that fits is the lane's."""

    LOCAL = "local", "Within a city or sorting district"
    REGIONAL = "regional", "Within a state"
    SPECIAL = "special", "From or to the North-East, Jammu, Kashmir, Ladakh or the islands"
    METRO = "metro", "Between metro cities"
    NATIONAL = "national", "The rest of India"


@functools.lru_cache(maxsize=10_000)
def zone_of(one: str, other: str) -> Zone:
    """Return the zone of the lane between two pincodes, the same in both directions."""
    if one[:3] == other[:3] or _are_of_one_city(one, other):
        return Zone.LOCAL
    states, others = set(states_of(one)), set(states_of(other))
    if states & others:
        return Zone.REGIONAL
    if (states | others) & SPECIAL_STATES:
        return Zone.SPECIAL
    metros = METROS.values()
    return Zone.METRO if one[:3] in metros and other[:3] in metros else Zone.NATIONAL


def _are_of_one_city(one: str, other: str) -> bool:
    place = place_of(one)
    return place is not None and place == place_of(other)
