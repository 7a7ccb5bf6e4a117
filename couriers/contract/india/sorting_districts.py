"""The states of pincodes by their first three digits, the sorting district, and the exceptions.

Three sources, of 2019 to 2025: the all-India pincode directory, its snapshot in `indian-pincode`,
and the region file of a shop system. Army post offices (9…) lie in no state.
"""

from __future__ import annotations

ARMY_POST = "9"

# A prefix that stands at two states is shared by them.
_PREFIXES = {
    "Andaman and Nicobar Islands": "744",
    "Andhra Pradesh": "515-518 520-524 530-535",
    "Arunachal Pradesh": "790-792",
    "Assam": "781-788",
    "Bihar": "800-805 811-814 821 823-824 841-848 851-855",
    "Chandigarh": "160",
    "Chhattisgarh": "490-497",
    "Dadra and Nagar Haveli and Daman and Diu": "396",
    "Delhi": "110",
    "Goa": "403",
    "Gujarat": "360-365 370 380 382-385 387-396",
    "Haryana": "121-127 131-136",
    "Himachal Pradesh": "171-177",
    "Jammu and Kashmir": "180-182 184-185 190-193",
    "Jharkhand": "813-816 822 825-829 831-835",
    "Karnataka": "560-563 570-577 580-587 590-591",
    "Kerala": "670-671 673 676 678-680 682-683 685-686 688-691 695",
    "Ladakh": "194",
    "Madhya Pradesh": "450-458 460-466 470-477 480-488",
    "Maharashtra": "400-402 410-416 421-425 431 440-445",
    "Manipur": "795",
    "Meghalaya": "793-794",
    "Mizoram": "796",
    "Nagaland": "797-798",
    "Odisha": "751-770",
    "Puducherry": "605 607 609",
    "Punjab": "140-148 151-152 160",
    "Rajasthan": "301-307 311-314 321-328 331-335 341-345",
    "Sikkim": "737",
    "Tamil Nadu": "600-614 620-632 635-639 641-643",
    "Telangana": "500-509",
    "Tripura": "799",
    "Uttar Pradesh": (
        "201-212 221-233 241-247 250-251 261-262 271-277 281-285"
    ),
    "Uttarakhand": "244 246-249 262-263",
    "West Bengal": "700 711-713 721-723 731-736 741-743",
}  # fmt: skip

# Parts of a union territory inside another state's sorting district.
_ENCLAVES = {
    "Dadra and Nagar Haveli and Daman and Diu": "362520 362540 362570",
    "Lakshadweep": "682551-682559",
    "Puducherry": "673310",
}

# Pincodes whose post offices lie in two states, so that the state cannot be told from the pincode.
_CROSSINGS = {
    ("Uttar Pradesh", "Uttarakhand"): "244923-244924 246763 247662",
    ("Dadra and Nagar Haveli and Daman and Diu", "Gujarat"): (
        "396193 396210 396215 396230 396235 396240"
    ),
    ("Andhra Pradesh", "Puducherry"): "533464",
    ("Puducherry", "Tamil Nadu"): (
        "605007 605014 605102 605105-605107 605110-605111 605501-605502 607402-607403"
        " 609601 609603-609604"
    ),
    ("Assam", "Meghalaya"): "781029 781131 782410 783123 783134",
    ("Bihar", "Uttar Pradesh"): "802131",
    ("Bihar", "Jharkhand"): "813206",
    ("Chandigarh", "Punjab"): "160003 160014 160055 160057 160059-160060 160062",
}

# States that people mix up, since one was part of the other or lies in it. With sorting districts,
# only there.
_MIXED_UP = (
    (frozenset({"Andhra Pradesh", "Telangana"}), None),
    (frozenset({"Jammu and Kashmir", "Ladakh"}), None),
    (frozenset({"Puducherry", "Tamil Nadu"}), frozenset({"605", "607", "609"})),
    (frozenset({"Puducherry", "Andhra Pradesh"}), frozenset({"533"})),
    (frozenset({"Puducherry", "Kerala"}), frozenset({"673"})),
)


def crossing_states(pincode: str) -> tuple[str, ...]:
    """Return the states of a pincode that is known to lie in two, else ()."""
    return _CROSSING_OF.get(pincode, ())


def states_by_prefix(pincode: str) -> tuple[str, ...]:
    """Return the states that a pincode can lie in by its prefix. () where no state has it."""
    if enclave := _ENCLAVE_OF.get(pincode):
        return (enclave,)
    return tuple(_STATES_OF.get(pincode[:3], ()))


def are_mixed_up(pincode: str, one: str, other: str) -> bool:
    """Whether addresses at the pincode often name one of the two states for the other."""
    return any(
        pair == {one, other} and (prefixes is None or pincode[:3] in prefixes)
        for pair, prefixes in _MIXED_UP
    )


def _expand(ranges: str) -> list[str]:
    """Return the numbers of "180-182 184" as texts."""
    found = []
    for part in ranges.split():
        first, _, last = part.partition("-")
        found += [str(number) for number in range(int(first), int(last or first) + 1)]
    return found


_STATES_OF: dict[str, list[str]] = {}
for _state, _ranges in _PREFIXES.items():
    for _prefix in _expand(_ranges):
        _STATES_OF.setdefault(_prefix, []).append(_state)
_ENCLAVE_OF = {code: state for state, ranges in _ENCLAVES.items() for code in _expand(ranges)}
_CROSSING_OF = {code: states for states, ranges in _CROSSINGS.items() for code in _expand(ranges)}
