"""How ids of rows are written in URLs; anything else is a 404 before a row is looked for."""

import re

from django.urls.converters import StringConverter


class PublicId(StringConverter):
    """`shp_…`, `whs_…` and their like: small letters, digits and `_`, 40 at most."""

    regex = "[a-z0-9_]{1,40}"


def is_public_id(text: str) -> bool:
    """Whether a text could be the id of a row."""
    return bool(re.fullmatch(PublicId.regex, text))
