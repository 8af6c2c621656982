"""The questions that a gateway asks one node, each with its typed answer. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from xrpl.core.binarycodec import decode
from xrpl.models.requests import (
    AccountInfo,
    AccountObjects,
    AccountObjectType,
    AccountTx,
    DepositAuthorized,
    Fee,
    Ledger,
    ServerInfo,
    ServerState,
    Simulate,
    SubmitOnly,
    Tx,
)
from xrpl.models.requests.request import Request
from xrpl.models.transactions.transaction import Transaction

from online.chains.xrpl.answers import (
    Account,
    Found,
    NotFound,
    Status,
    Submitted,
    account_of,
    drops,
    found_of,
    part,
    status_of,
    submitted_of,
    text,
    whole,
)
from online.chains.xrpl.client import API_VERSION, Answer, Connection
from shared.errors import NodeAnswerUnreadable, NodeRefused

_PAGE = 200
_PAGES_MOST = 1000
_SUBMIT_REFUSED = ("invalidTransaction", "invalidParams")


class Node:
    """One node, asked over one connection."""

    def __init__(self, url: str, timeout_seconds: int) -> None:
        self._connection = Connection(url, timeout_seconds)
        self.name = self._connection.name

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    # --- the node and its ledger ------------------------------------------------------------------

    def status(self) -> Status:
        """Give the node's state with the validated ledger's reserves."""
        return status_of(self._result(ServerState(api_version=API_VERSION)))

    def age_seconds(self) -> int:
        """Give the age of the validated ledger; `server_state` does not tell it."""
        info = part(self._result(ServerInfo(api_version=API_VERSION)), "info")
        return whole(part(info, "validated_ledger"), "age")

    def ledger_hash(self, height: int) -> str | None:
        """Give the hash of a validated ledger, None where the node does not hold it."""
        answer = self._ask(Ledger(ledger_index=height, api_version=API_VERSION))
        if answer.error == "lgrNotFound":
            return None
        result = _good(answer)
        if result.get("validated") is not True:
            raise NodeAnswerUnreadable(f"ledger {height} is not validated")
        return text(result, "ledger_hash")

    def fee_drops(self) -> int:
        """Give the fee that enters the open ledger now, at least the base fee."""
        levels = part(self._result(Fee(api_version=API_VERSION)), "drops")
        return max(drops(levels, "open_ledger_fee"), drops(levels, "base_fee"))

    # --- accounts ---------------------------------------------------------------------------------

    def account(self, address: str, height: int | None = None) -> Account | None:
        """Give an account as of a ledger (if none is named the newest validated), None for no account."""
        index: int | str = "validated" if height is None else height
        answer = self._ask(AccountInfo(account=address, ledger_index=index, api_version=API_VERSION))
        return None if answer.error == "actNotFound" else account_of(_good(answer))

    def tickets(self, address: str, height: int) -> tuple[int, ...]:
        """Give the account's tickets as of a ledger, ascending."""
        found: list[int] = []
        request = AccountObjects(
            account=address,
            type=AccountObjectType.TICKET,
            ledger_index=height,
            limit=_PAGE,
            api_version=API_VERSION,
        )
        for result in self._pages(request):
            found += [whole(entry, "TicketSequence") for entry in _entries(result, "account_objects")]
        return tuple(sorted(found))

    def deposit_authorized(self, source: str, destination: str, height: int) -> bool:
        """Say whether the source may pay a destination that asks for leave."""
        request = DepositAuthorized(
            source_account=source,
            destination_account=destination,
            ledger_index=height,
            api_version=API_VERSION,
        )
        result = self._result(request)
        return result.get("deposit_authorized") is True

    # --- transactions -----------------------------------------------------------------------------

    def find(self, tx_id: str, first: int | None = None, last: int | None = None) -> Found | NotFound:
        """Look a transaction up by its id; with a range also say whether all of it was searched."""
        request = Tx(transaction=tx_id, min_ledger=first, max_ledger=last, api_version=API_VERSION)
        answer = self._ask(request)
        if answer.error == "txnNotFound":
            return NotFound(answer.result.get("searched_all") is True)
        found = found_of(_good(answer))
        if found.tx_id.upper() != tx_id.upper():
            raise NodeAnswerUnreadable("the node answers with another transaction than the one asked for")
        return found

    def blob(self, tx_id: str) -> bytes:
        """Give the signed bytes of a transaction that the node knows."""
        result = self._result(Tx(transaction=tx_id, binary=True, api_version=API_VERSION))
        try:
            return bytes.fromhex(text(result, "tx_blob"))
        except ValueError as problem:
            raise NodeAnswerUnreadable("tx_blob is not hexadecimal") from problem

    def history(self, address: str, first: int, last: int) -> Iterator[Found]:
        """Give every validated transaction that touched an account, oldest first.

        Raises:
            NodeRefused: when the node does not hold the whole range.
        """
        request = AccountTx(
            account=address,
            ledger_index_min=first,
            ledger_index_max=last,
            forward=True,
            limit=_PAGE,
            api_version=API_VERSION,
        )
        for result in self._pages(request):
            if whole(result, "ledger_index_min") > first or whole(result, "ledger_index_max") < last:
                raise NodeRefused(f"{self.name} does not hold the ledgers {first} to {last}")
            yield from (found_of(entry) for entry in _entries(result, "transactions"))

    def submit(self, blob: bytes) -> Submitted | str:
        """Hand bytes over; a text says why the node would not read them at all."""
        answer = self._ask(SubmitOnly(tx_blob=blob.hex().upper(), fail_hard=True, api_version=API_VERSION))
        if answer.error in _SUBMIT_REFUSED:
            return answer.reason
        return submitted_of(_good(answer))

    def simulate(self, unsigned: bytes) -> str | None:
        """Give the engine's result of a dry run, None where the node offers none.

        Raises:
            NodeRefused: when the node does not read the bytes.
        """
        fields = Transaction.from_xrpl(decode(unsigned.hex().upper()))
        answer = self._ask(Simulate(transaction=fields, api_version=API_VERSION))
        return None if answer.error == "unknownCmd" else text(_good(answer), "engine_result")

    def offers_dry_run(self) -> bool:
        """Say whether the node knows `simulate`: it is asked about bytes that it refuses if it does."""
        answer = self._ask(Simulate(tx_blob="00", api_version=API_VERSION))
        return answer.error != "unknownCmd"

    # --- asking -----------------------------------------------------------------------------------

    def _ask(self, request: Request) -> Answer:
        return self._connection.ask(request)

    def _result(self, request: Request) -> Any:
        return _good(self._ask(request))

    def _pages(self, request: AccountObjects | AccountTx) -> Iterator[Any]:
        for _ in range(_PAGES_MOST):
            result = self._result(request)
            yield result
            marker = result.get("marker")
            if marker is None:
                return
            request = type(request).from_dict({**request.to_dict(), "marker": marker})
        raise NodeAnswerUnreadable("the node's pages do not end")


def _good(answer: Answer) -> Any:
    if answer.error is not None:
        raise NodeRefused(f"the node refuses: {answer.reason}")
    return answer.result


def _entries(result: Any, name: str) -> list[Any]:
    entries = result.get(name)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise NodeAnswerUnreadable(f"the node's answer has no list {name}")
    return entries
