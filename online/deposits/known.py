"""What the arrivals of one reading are judged by: read for all of them at once, and counted on from one to the next."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BindParameter, Connection, bindparam, select

from online.chains.api import Arrival
from online.deposits.instructions import Owner
from online.deposits.least import find_leasts
from online.store import tables
from online.store.assets import registers
from online.store.many import among, given
from shared.chains import chain
from shared.effects import Destination
from shared.money import Amount, Asset

_NETWORK: BindParameter[str] = bindparam("network")
_CAME, _KEYS, _PLACES, _JOBS = tables.arrivals.c, tables.keys.c, tables.places.c, tables.jobs.c
_BY_KEY = select(_CAME.key).where(_CAME.network == _NETWORK, _CAME.key.in_(given()))
_BY_MEMO = select(_CAME.address, _CAME.memo, _CAME.tx_id).where(_CAME.network == _NETWORK, _CAME.memo.in_(given()))
_BY_ADDRESS = select(_KEYS.address, _KEYS.wallet).where(_KEYS.network == _NETWORK, _KEYS.address.in_(given()))
_BY_PLACE = select(_PLACES.place, _PLACES.customer, _PLACES.custom).where(
    _PLACES.network == _NETWORK, _PLACES.place.in_(given())
)
_BY_WALLET = select(tables.openings).where(tables.openings.c.wallet.in_(given()))
_PLACED = select(tables.wallets.c.name).where(
    tables.wallets.c.name.in_(given()), select(_PLACES.place).where(_PLACES.wallet == tables.wallets.c.name).exists()
)
_BY_TX = (
    select(_JOBS.tx_id, _JOBS.id, tables.orders.c.kind)
    .join(tables.orders, tables.orders.c.id == _JOBS.order_id)
    .where(_JOBS.network == _NETWORK, _JOBS.tx_id.in_(given()))
    .order_by(_JOBS.id)
)


class Known:
    """What the store holds of the keys, places, books and jobs that some arrivals touch."""

    def __init__(self, connection: Connection, network: str, found: Sequence[Arrival]) -> None:
        at = {"network": network}
        self._native, self._noted = chain(network).network(network).native, registers(connection).get(network, {})
        self._least = find_leasts(connection, network)
        self._keys = {row.key for row in among(connection, _BY_KEY, [one.key for one in found], **at)}
        addresses = [one.destination.address for one in found]
        owned = among(connection, _BY_ADDRESS, addresses, **at)
        self._wallets: dict[str, str] = {row.address: row.wallet for row in owned}
        opened = among(connection, _BY_WALLET, list(self._wallets.values()))
        self._opened = {(row.wallet, row.asset_code): row.height for row in opened}
        self._placed = {row.name for row in among(connection, _PLACED, list(self._wallets.values()))}
        # Whatever comes beside an address that is one customer's is theirs.
        wanted = [*(str(one.destination) for one in found), *addresses]
        self._places = {row.place: row for row in among(connection, _BY_PLACE, wanted, **at)}
        self._jobs: dict[str, tuple[int, str]] = {}
        for row in among(connection, _BY_TX, [one.tx_id for one in found], **at):
            self._jobs.setdefault(row.tx_id, (row.id, row.kind))
        memos = [one.destination.memo for one in found if self._by_memo(one.destination)]
        self._came: dict[tuple[str, str], set[str]] = {}
        for row in among(connection, _BY_MEMO, memos, **at):
            self._came.setdefault((row.address, row.memo), set()).add(row.tx_id)

    def is_new(self, one: Arrival) -> bool:
        """Say whether an arrival was neither taken in before nor counted here."""
        return one.key not in self._keys

    def count(self, one: Arrival) -> None:
        """Count an arrival among what came, for those after it."""
        self._keys.add(one.key)
        if one.destination.memo is not None:
            self._came.setdefault((one.destination.address, one.destination.memo), set()).add(one.tx_id)

    def wallet(self, address: str) -> str:
        """Name the wallet of an address of ours."""
        return self._wallets[address]

    def opened(self, wallet: str, code: str) -> int | None:
        """Give the height at which the books of a wallet took in an asset; None where they are not open for it."""
        return self._opened.get((wallet, code))

    def has_places(self, wallet: str) -> bool:
        """Say whether customers pay into a wallet."""
        return wallet in self._placed

    def is_noted(self, asset: Asset) -> bool:
        """Say whether the asset is the network's own or a noted one."""
        return asset == self._native or asset.code in self._noted

    def is_dust(self, amount: Amount) -> bool:
        """Say whether an amount is below what somebody said is the least deposit of its asset."""
        return amount.units < self._least.get(amount.asset.code, 0)

    def owner(self, place: Destination) -> Owner | None:
        """Say to whom a place belongs: exactly with its tag or memo, or by an address of their own."""
        found = self._places.get(str(place)) or self._places.get(place.address)
        return None if found is None else Owner(found.customer, alone=found.place == place.address)

    def memo_used(self, place: Destination, beside: str) -> bool:
        """Say whether a place that is told by its memo had its deposit, beside one transaction."""
        if not self._by_memo(place) or place.memo is None:
            return False
        return bool(self._came.get((place.address, place.memo), set()) - {beside})

    def job(self, tx_id: str) -> tuple[int, str] | None:
        """Give the job that made a transaction and the kind of its order; None where it is not ours."""
        return self._jobs.get(tx_id)

    def _by_memo(self, place: Destination) -> bool:
        found = self._places.get(str(place))
        return found is not None and found.custom == "memo"
