"""The form of a topic in the path of a callback."""

from __future__ import annotations

from couriers.contract.receiver import Topic

TOPIC_BY_NAME = {topic.value: topic for topic in Topic if topic != Topic.UNKNOWN}


class TopicConverter:
    """Matches the names of the topics, and gives the Topic."""

    regex = "|".join(TOPIC_BY_NAME)

    def to_python(self, value: str) -> Topic:
        return TOPIC_BY_NAME[value]

    def to_url(self, value: str) -> str:
        return str(value)
