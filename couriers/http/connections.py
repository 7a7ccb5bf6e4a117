"""Connections that are made only to addresses where a courier may be.

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
from couriers.models.plugin_hooks import courier_reach

log = get_logger(__name__)


class AddressRefused(NewConnectionError):
    """The host's name leads only to addresses where no courier may be. Nothing was sent."""


class CheckedConnection(HTTPConnection):
    """A connection over http, which is allowed to this machine in development."""

    is_encrypted = False

    def _new_conn(self) -> socket.socket:
        """Connect to the first allowed address that answers.

        Raises AddressRefused where none is allowed, and urllib3's error of the last one where none
        answers.
        """
        name = self._dns_host
        failure: Exception = AddressRefused(self, "no address of the host may be connected to")
        for address in self._allowed_addresses(name):
            # urllib3 connects to this. It reads the name again for TLS, after this method.
            self._dns_host = address
            try:
                return super()._new_conn()
            except (NewConnectionError, ConnectTimeoutError) as error:
                failure = error
            finally:
                self._dns_host = name
        raise failure

    def _allowed_addresses(self, name: str) -> list[str]:
        try:
            found = socket.getaddrinfo(name.strip("[]"), self.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise UnknownName(name, self, error) from error
        except UnicodeError as error:  # a label that is empty or too long
            raise UnknownName(name, self, socket.gaierror(str(error))) from error
        reach, allowed = courier_reach(), []
        for address in dict.fromkeys(str(entry[4][0]) for entry in found):
            if problem := reach.problem(address, encrypted=self.is_encrypted):
                log.error("courier_address_refused", host=name, address=address, reason=problem)
            else:
                allowed.append(address)
        return allowed


class CheckedTlsConnection(CheckedConnection, HTTPSConnection):
    """A connection over https."""

    is_encrypted = True
