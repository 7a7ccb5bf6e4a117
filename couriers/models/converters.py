"""The form of public ids in URLs. Any other text is answered with 404, without a query."""

import re

from django.urls.converters import StringConverter


class PublicId(StringConverter):
    """Matches ids such as `shp_…`: at most 40 lower-case letters, digits and `_`."""

    regex = "[a-z0-9_]{1,40}"


def is_public_id(text: str) -> bool:
    """Whether a text has the form of a public id."""
    return bool(re.fullmatch(PublicId.regex, text))
