"""Connections that are made only to addresses where a courier, or an endpoint, may be.

A name can resolve to another place tomorrow, so each new connection resolves it once, leaves out
the addresses that are refused, and connects to one of the others. TLS and the Host header still
have the name.
"""

from __future__ import annotations

import socket

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.exceptions import NameResolutionError as UnknownName

from couriers.contract.logs import get_logger
from couriers.contract.origins import Reach
from couriers.models.plugin_hooks import courier_reach

log = get_logger(__name__)


class AddressRefused(NewConnectionError):
    """The host's name leads only to addresses that are refused. Nothing was sent."""


class CheckedConnection(HTTPConnection):
    """A connection over http, which is allowed to this machine in development."""

    is_encrypted = False
    max_addresses: int | None = None  # how many addresses of a name are tried; None is all

    def reach(self) -> Reach:
        """Return which addresses may be connected to. A courier's, unless a subclass says else."""
        return courier_reach()

    def note_refused(self, name: str, address: str, problem: str) -> None:
        """Note that an address of a host was refused: operators look into it."""
        log.error("courier_address_refused", host=name, address=address, reason=problem)

    def _new_conn(self) -> socket.socket:
        """Connect to the first allowed address that answers.

        Raises AddressRefused where none is allowed, and urllib3's error of the last one where none
        answers.
        """
        name = self._dns_host
        failure: Exception = AddressRefused(self, "no address of the host may be connected to")
        for address in self._allowed_networks(name):
            # urllib3 connects to this. It reads the name again for TLS, after this method.
            self._dns_host = address
            try:
                return super()._new_conn()
            except (NewConnectionError, ConnectTimeoutError) as error:
                failure = error
            finally:
                self._dns_host = name
        raise failure

    def _allowed_networks(self, name: str) -> list[str]:
        try:
            found = socket.getaddrinfo(name.strip("[]"), self.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise UnknownName(name, self, error) from error
        except UnicodeError as error:  # a label that is empty or too long
            raise UnknownName(name, self, socket.gaierror(str(error))) from error
        reach, allowed = self.reach(), []
        for address in dict.fromkeys(str(entry[4][0]) for entry in found):
            if problem := reach.problem(address, encrypted=self.is_encrypted):
                self.note_refused(name, address, problem)
            else:
                allowed.append(address)
        return allowed[: self.max_addresses]


class CheckedTlsConnection(CheckedConnection, HTTPSConnection):
    """A connection over https."""

    is_encrypted = True
