"""People whom a reverse proxy signed in: its header is believed from named addresses alone, and from nobody else.

The address is that of the socket, never one that a header claims. A header that comes twice, is blank or is no plain line is
not believed: somebody may have sent one of his own through the proxy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address, ip_network

from triage_ml.store import ApiKey, Scope

__all__ = ["ProxyTrust"]

LONGEST_NAME = 100


class ProxyTrust:
    """Makes of a request that came through a trusted proxy the key of the person that it names.

    Parameters
    ----------
    addresses
        Addresses and networks of the proxies; none of them means that no header is believed.
    header
        The header that names the person.
    scope
        What such a person may do.
    """

    def __init__(
        self, addresses: Sequence[str] = (), header: str = "X-Forwarded-User", scope: Scope = "review"
    ) -> None:
        self._networks = [ip_network(address) for address in addresses]
        self._header = header.lower().encode()
        self._scope: Scope = scope

    def person(self, peer: str | None, headers: Iterable[tuple[bytes, bytes]]) -> ApiKey | None:
        """The key that stands for the person, or None. It is in no store and no secret matches it."""
        if not self._networks or peer is None or not self._is_ours(peer):
            return None
        given = [value for name, value in headers if name == self._header]
        if len(given) != 1:
            return None
        name = given[0].decode("utf-8", errors="replace").strip()
        if not name or len(name) > LONGEST_NAME or not name.isprintable() or "\ufffd" in name:
            return None
        number = hashlib.sha256(name.encode()).hexdigest()[:11]
        return ApiKey(f"p{number}", name, self._scope, "-", datetime.now(UTC))

    def _is_ours(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)
