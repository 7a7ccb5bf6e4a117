"""Headers in which tests.support.seen_by_app tells what it sees. Who reads them loads no server."""

WORKER = "X-Seen-Worker"  # the id of the process that answers
ADDRESS = "X-Seen-Address"  # REMOTE_ADDR; X-Forwarded-For; X-Forwarded-Proto
