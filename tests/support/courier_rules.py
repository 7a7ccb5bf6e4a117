"""Courier rules of the one company that there is, checked and stored in their order.

Run as a module, it stores the rules of COURIER_RULES, a list as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any


def store_rules(rules: Iterable[Mapping[str, Any]]) -> list[str]:
    """Store rules, each with fields of CourierRule but its position; return their ids."""
    from couriers.models import Company, CourierRule

    company = Company.objects.get()
    made = [
        CourierRule(company=company, position=position, **fields)
        for position, fields in enumerate(rules, start=1)
    ]
    for rule in made:
        rule.full_clean()
        rule.save()
    return [rule.pk for rule in made]


if __name__ == "__main__":
    import django

    django.setup()
    json.dump({"rules": store_rules(json.loads(os.environ["COURIER_RULES"]))}, sys.stdout)
