"""Run as a module, stores the courier rules of COURIER_RULES, a list as JSON, for a company.

A rule has the fields of CourierRule; its position is its place in the list.
"""

from __future__ import annotations

import json
import os
import sys

import django


def main() -> None:
    django.setup()
    from couriers.models import Company, CourierRule

    company = Company.objects.get()
    rules = [
        CourierRule(company=company, position=position, **fields)
        for position, fields in enumerate(json.loads(os.environ["COURIER_RULES"]), start=1)
    ]
    for rule in rules:
        rule.full_clean()
        rule.save()
    json.dump({"rules": [rule.pk for rule in rules]}, sys.stdout)


if __name__ == "__main__":
    main()
