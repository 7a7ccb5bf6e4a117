"""A courier's answer as a document: bytes are checked, a link is fetched first."""

from __future__ import annotations

from couriers.contract.documents import Document, DocumentLink
from couriers.contract.errors import CourierError, plugin_fault
from couriers.contract.logs import get_logger
from couriers.contract.registry import CourierFactory
from couriers.documents.checking import checked_document
from couriers.http import links
from couriers.models import CourierAccount

log = get_logger(__name__)


def as_document(account: CourierAccount, kind: str, answer: object, operation: str) -> Document:
    """Return what the account's adapter answered as a checked document.

    `answer` should be a Document or a DocumentLink; whatever else it is, is a fault of the plug-in.
    A link is fetched without the account's login, from the hosts that the adapter names. Raises the
    errors of `links.fetch`, and Unknown where the document is not a complete file of its type.
    """
    courier = account.courier_id
    hosts = CourierFactory.get_adapter(account).document_hosts
    try:
        if isinstance(answer, DocumentLink):
            answer = links.fetch(answer, account, hosts)
        if not isinstance(answer, Document):
            raise TypeError(f"{operation} returned {type(answer).__name__}")
        return checked_document(kind, answer, courier, operation)
    except CourierError:
        raise
    except Exception as error:
        log.exception("document_answer_unusable", courier=courier, operation=operation)
        raise plugin_fault(error, courier) from error
