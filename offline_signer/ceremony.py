"""The one path from a request to an answer: decode, show, judge, log, sign, verify. There is no other.

`examine` reads a request and says everything that stands against it, and needs no key. `sign` demands that nothing
does, checks the approvals, writes the journal, and only then touches the pen. The signer signs by algorithm; which
ledger a transaction belongs to is known only to the chain that decoded it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from offline_signer import heights, pen
from offline_signer.box import Box
from offline_signer.foreign import ForeignRequest, read_foreign, rivals
from offline_signer.history import History, Name, name_of, record_of, record_value, strokes_of
from offline_signer.issued import Issued, issued_key, issued_paths, wallets_of
from offline_signer.laws import Trial
from shared import chains
from shared.chains.api import Chain, Curve, Payload
from shared.effects import Effects, Payment
from shared.encoding import Value
from shared.envelope import (
    MOST_REASON,
    Approval,
    Declined,
    Item,
    Lot,
    SeenLog,
    SigningAnswer,
    SigningRequest,
    context_of,
    open_approval,
    open_request,
    seal_answer,
)
from shared.errors import (
    BadField,
    DeclinedBefore,
    JournalBehind,
    MixedWallets,
    NotApproved,
    NotEnoughApprovals,
    NotForThisSigner,
    Refusal,
    SignedBefore,
    TransferMismatch,
    UnknownPerson,
    UnknownStation,
    WrongKey,
    WrongNetwork,
)
from shared.journal import Journal
from shared.merkle import consistency_proof
from shared.policy import Decision, Judged, Person, Policy, evaluate, refused
from shared.review import Review, Reviewed, context_lines, printable, review
from shared.transport.pack import pack


@dataclass(frozen=True, slots=True)
class Examined:
    """One transaction of a request: decoded, with its effects, the ids of its transfers, and whose keys sign it."""

    chain: Chain
    lot: Lot
    item: Item
    tx: Any
    effects: Effects
    transfers: tuple[bytes, ...]
    name: Name
    payloads: tuple[Payload, ...]
    strokes: bytes
    repeat: bool
    declined: bool
    wallets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Examination:
    """A request as this signer sees it. `objections` is empty exactly when it may be signed, given the approvals.

    It holds for a journal of `size` entries; `repeated` says that the request was answered before. `sealed` is what the
    journal keeps. `foreign` is there where another maker's wallet asks, and the answer is then in its format.
    """

    sealed: bytes
    request: SigningRequest
    digest: bytes
    transactions: tuple[Examined, ...]
    declined: tuple[Declined, ...]
    review: Review
    decision: Decision
    objections: tuple[Refusal, ...]
    heights: tuple[str, ...]
    warnings: tuple[str, ...]
    repeated: bool
    size: int
    foreign: ForeignRequest | None = None

    def lines(self) -> tuple[str, ...]:
        """Give what a person reads below the review."""
        laws = [f"REFUSED: {refusal} [{refusal.code}]" for refusal in self.objections
                if refusal not in self.decision.refusals]
        lines = (*laws, *self.decision.lines, *self.heights, *(f"warning: {text}" for text in self.warnings))
        return tuple(map(printable, lines))


def examine(
    message: bytes, history: History, policy: Policy, station: bytes, now: int, declined: Sequence[Declined] = (),
    height: int | None = None,
) -> Examination:
    """Read a request for the signer of this station key, and judge it without what a person declines.

    It is a coordinator's sealed one, or another maker's wallet's; only for the latter a person may state a height.

    Raises:
        Refusal: of the envelope or the chain, for what cannot be read completely; `UnknownStation`, `NotForThisSigner`,
            `WrongNetwork` and `WrongKey` where going on would be wrong; `NotApproved` where the one transaction of
            another maker's wallet is declined.
    """
    foreign, interchange = None, chains.interchange_of(message)
    if interchange is not None:
        foreign = read_foreign(message, interchange, height, history, policy, station)
        sealed, request, digest = foreign.document, foreign.request, foreign.digest
        if declined:
            raise NotApproved("what another maker's wallet asks for is signed or left: no answer could say no to it")
    elif height is not None:
        raise BadField("a coordinator's request states its heights itself")
    else:
        sealed = message
        request, digest = _open(message, policy, station)
    answered = history.requests.get(digest)
    if answered is not None:  # what was answered once is answered the same way again
        if declined and tuple(declined) != answered.declined:
            raise SignedBefore("this request was answered before, declining other transactions")
        declined = answered.declined
    transactions = _examine_all(request, policy, history, declined, foreign)
    objections, decision = _judge(transactions, history, policy, now)
    # Only what was signed exactly so is given again without a new entry and without asking.
    repeated = answered is not None and all(one.repeat or one.declined for one in transactions)
    new = [one.effects for one in transactions if not (one.repeat or one.declined)]
    return Examination(
        sealed, request, digest, transactions, tuple(declined),
        review([_reviewed(one, foreign) for one in transactions], digest), decision, tuple(objections),
        tuple(heights.lines(new, history.heights)),
        (*_warnings(transactions, history, foreign), *heights.warnings(new, history.heights, policy)), repeated,
        history.size, foreign,
    )


def unwanted(
    examination: Examination, history: History, policy: Policy, now: int
) -> tuple[Declined, ...]:
    """Give what a signer at which nobody sits may decline by itself: what the policy refuses of a new request.

    What was declined before is declined again, since a coordinator may have built the very same bytes anew. The rest
    then stands. Nothing is given where something else objects: a law that was broken is for people to see.
    """
    if not examination.objections or examination.digest in history.requests or examination.declined:
        return ()
    if not all(one in examination.decision.refusals or isinstance(one, DeclinedBefore)
               for one in examination.objections):
        return ()
    again = DeclinedBefore("this signer has declined this transaction before")
    why: dict[int, Refusal] = {
        place: again for place, one in enumerate(examination.transactions) if one.name in history.declined
    }
    _, judged, places = _weigh(examination.transactions, history)
    left = [(one, place) for one, place in zip(judged, places, strict=True) if place not in why]
    found = refused([one for one, _ in left], policy, history.usage(now), _own_addresses(history),
                    [place for _, place in left])  # fmt: skip
    why.update((one.position, one) for one in found if one.position is not None)
    return tuple(Declined(place, printable(f"{why[place].code}: {why[place]}")[:MOST_REASON]) for place in sorted(why))


def sign(box: Box, examination: Examination, approvals: Sequence[bytes]) -> bytes:
    """Answer a request that nothing stands against and that enough people approved; give the answer.

    It is sealed, or for another maker's wallet what it asked with the signatures in it.

    The journal's entry is on the disk before any signature exists. A request that was answered before is answered again
    without a new entry and without asking anybody.

    Raises:
        Refusal: the first objection; `NotEnoughApprovals`, `JournalBehind`, `WrongKey`; `DiskFull` and its like, and
            then nothing was signed; `BadPen`, and then nothing leaves.
    """
    if examination.size != box.history.size:
        raise ValueError("the journal has grown since the request was examined")
    require_seen(box, examination.request.seen)
    if examination.objections:
        raise examination.objections[0]
    kept = [one for one in examination.transactions if not one.declined]
    strokes = [_strokes(box, one) for one in kept]
    if not examination.repeated:
        _check_approvals(box, examination, approvals)
        box.write("sign", _entry(examination, approvals, box.policy().epoch))
    signatures = tuple(pen.sign(payload, stroke) for one in strokes for payload, stroke in one)
    return _answer(box, examination, signatures)


def require_seen(box: Box, seen: SeenLog) -> None:
    """Demand that this journal extends what somebody has seen of it.

    Raises:
        JournalBehind: if it does not: an old copy was put back.
    """
    journal = Journal(tuple(box.journal.entries), box.journal.tip, b"")
    if seen.size and journal.root_at(seen.size) != seen.root:
        raise JournalBehind(f"somebody saw a journal of {seen.size} entries which this one does not continue")


# --- examining -------------------------------------------------------------------------------------


def _open(message: bytes, policy: Policy, station: bytes) -> tuple[SigningRequest, bytes]:
    """Read a coordinator's request for this signer, and give its digest."""
    request, document = open_request(message)
    if request.station not in {person.key for person in policy.stations}:
        raise UnknownStation("the policy does not know the coordinator that signed this request")
    if request.signer != station:
        raise NotForThisSigner(f"the request is for the signer {request.signer.hex()[:16]}")
    return request, document.digest


def _examine_all(
    request: SigningRequest, policy: Policy, history: History, declined: Sequence[Declined],
    foreign: ForeignRequest | None,
) -> tuple[Examined, ...]:
    out = [one.position for one in declined]
    flat = request.flat()
    if out != sorted(set(out)) or (out and not 0 <= out[0] <= out[-1] < len(flat)):
        raise BadField("declined transactions stand in the request, each once and in order")
    if not all(0 < len(one.reason) <= MOST_REASON for one in declined):
        raise BadField(f"a transaction is declined for a reason of 1 to {MOST_REASON} characters")
    for lot in request.lots:
        if chains.chain(lot.network).network(lot.network).network_class != policy.network_class:
            raise WrongNetwork(f"{lot.network} is not a {policy.network_class} network, for which this signer is")
    issued = issued_paths(history, change=foreign is not None)
    return tuple(
        _examine(lot, item, history, policy, issued, foreign, declined=place in out)
        for place, (lot, item) in enumerate(flat)
    )


def _examine(
    lot: Lot, item: Item, history: History, policy: Policy, issued: Issued, foreign: ForeignRequest | None, *,
    declined: bool,
) -> Examined:
    chain = chains.chain(lot.network)
    public_keys = [issued_key(issued, lot.network, path) for path in item.keys]
    wallets = wallets_of(issued, lot.network, item.keys)
    tx = chain.decode(
        item.unsigned, chain.full(context_of(lot, item), item.keys, public_keys), item.keys, lot.network
    )
    effects = chain.effects(tx, policy.register(lot.network))
    if foreign is not None:
        effects = foreign.effects(effects)
    for key in effects.owned:
        issued_key(issued, lot.network, key.path)
    if len(effects.payments) != len(item.transfers):
        raise TransferMismatch(f"{len(effects.payments)} payments, {len(item.transfers)} transfers")
    transfers = tuple(ref.transfer_id for ref in item.transfers)
    name, payloads = name_of(lot.network, item.unsigned), chain.payloads(tx)
    strokes = strokes_of(name, payloads)
    repeat = strokes in history.strokes
    return Examined(chain, lot, item, tx, effects, transfers, name, payloads, strokes, repeat, declined, wallets)


def _judge(
    transactions: Sequence[Examined], history: History, policy: Policy, now: int
) -> tuple[list[Refusal], Decision]:
    objections, judged, places = _weigh(transactions, history)
    decision = evaluate(judged, policy, history.usage(now), _own_addresses(history), places)
    return [*objections, *decision.refusals], decision


def _weigh(
    transactions: Sequence[Examined], history: History
) -> tuple[list[Refusal], list[Judged], list[int]]:
    """Give what the laws object to, and the transactions that the policy is to judge, with their places."""
    trial, judged, places = Trial(history), [], []
    objections: list[Refusal] = []
    for place, one in enumerate(transactions):
        if one.declined:
            objections += [] if one.name in history.declined else trial.decline(one.name)
            continue
        fresh: tuple[Payment, ...] = trial.fresh(one.effects, one.transfers)
        objections += trial.objections(one.name, one.effects, one.transfers)
        if len(one.wallets) > 1:  # the rule of the first would pay with the others' money
            objections.append(MixedWallets(f"one transaction spends from the wallets {' and '.join(one.wallets)}"))
        if not one.repeat:  # a signature that exists already is judged no more
            judged.append(Judged(one.effects, fresh))
            places.append(place)
    return objections, judged, places


def _own_addresses(history: History) -> frozenset[str]:
    return frozenset(address for wallet in history.wallets.values() for address in wallet.addresses)


def _reviewed(one: Examined, foreign: ForeignRequest | None) -> Reviewed:
    # Of what no coordinator stated the effects show all that is signed: amounts as sworn, change as a fact.
    stated = () if foreign else context_lines(context_of(one.lot, one.item))
    return Reviewed(one.effects, one.item.keys, stated, one.transfers)


def _warnings(transactions: Sequence[Examined], history: History, foreign: ForeignRequest | None) -> list[str]:
    numbered = list(enumerate(transactions, 1))
    again = " ".join(f"#{number}" for number, one in numbered if one.repeat)
    out = " ".join(f"#{number}" for number, one in numbered if one.declined)
    texts = [f"signed before, signed again and counted once: {again}"] if again else []
    if foreign is not None:
        (one,) = transactions
        texts += rivals(one.effects, history.wallets[one.wallets[0]], history)
    texts += _strange_keys(numbered, history)
    return [*texts, *([f"declined, signed neither now nor later: {out}"] if out else [])]


def _strange_keys(numbered: Sequence[tuple[int, Examined]], history: History) -> list[str]:
    """Name the keys of other wallets that would sign from now on: they are ours, and may be guarded less well."""
    gained = [
        (number, one.wallets[0], key)
        for number, one in numbered if not one.declined
        for change in one.effects.settings if change.who_may_sign
        for key in change.keys
    ]
    places = {
        address: (name, index)
        for name, wallet in history.wallets.items() for index, address in enumerate(wallet.addresses)
    } if gained else {}
    found = [(number, mine, *places[key]) for number, mine, key in gained if key in places]
    return [f"#{number} lets key {index} of the wallet {other} sign for the wallet {mine}"
            for number, mine, other, index in found if other != mine]


# --- signing ---------------------------------------------------------------------------------------


def _strokes(box: Box, one: Examined) -> list[tuple[Payload, pen.Stroke]]:
    """Find the key of every signature, and prove that it and the keys of what stays ours are those that are named."""
    for key in one.effects.owned:
        curve: Curve = "ed25519" if key.curve == "ed25519" else "secp256k1"
        if box.vault.node(curve, key.path).public_key != key.public_key:
            raise WrongKey("what the transaction keeps would go to a key that is not this signer's")
    return [(payload, box.pens.ready(payload)) for payload in one.payloads]


def _check_approvals(box: Box, examination: Examination, approvals: Sequence[bytes]) -> None:
    policy, decision = box.policy(), examination.decision
    approvers = {person.key for person in policy.approvers}
    administrators = {person.key for person in policy.administrators}
    people = set()
    for sealed in approvals:
        approval, opened = open_approval(sealed)
        if opened.signers[0] not in approvers | administrators:
            raise UnknownPerson("an approval is by somebody whom the policy does not name")
        _check_approval(box, examination, approval)
        people.add(opened.signers[0])
    have, chiefs = len(people & approvers), len(people & administrators)
    if have < decision.approvals or chiefs < decision.administrators:
        need = f"{have} of {decision.approvals} approvers ({_names(policy.approvers)})"
        if decision.administrators:
            need += f" and {chiefs} of {decision.administrators} administrators ({_names(policy.administrators)})"
        raise NotEnoughApprovals(f"{need} have approved this request")


def _names(people: Sequence[Person]) -> str:
    return ", ".join(person.name for person in people)


def _check_approval(box: Box, examination: Examination, approval: Approval) -> None:
    if approval.request != examination.digest or approval.declined != examination.declined:
        raise NotEnoughApprovals("an approval is of another request, or declines other transactions")
    require_seen(box, approval.seen)


def _entry(examination: Examination, approvals: Sequence[bytes], epoch: int) -> dict[str, Value]:
    """Write what is about to be signed: the request itself, whose word it has, and the rows that the laws remember."""
    spends = iter(examination.decision.spends)
    rows = []
    for one in examination.transactions:
        if one.declined or one.repeat:
            continue
        record = record_of(one.name, one.effects, one.transfers, next(spends), one.strokes)
        rows.append(record_value(record))
    stated = heights.stated(one.effects for one in examination.transactions if not one.declined)
    return {
        "request": examination.digest,
        "sealed": pack(examination.sealed),
        "epoch": epoch,
        "approvals": list(approvals),
        "declined": [[one.position, one.reason] for one in examination.declined],
        "refused": [list(one.name) for one in examination.transactions if one.declined],
        "txs": rows,
        "heights": [[network, height] for network, height in sorted(stated.items())],
    }


def _answer(box: Box, examination: Examination, signatures: tuple[bytes, ...]) -> bytes:
    foreign = examination.foreign
    if foreign is not None:
        return foreign.interchange.answer(foreign.raw, examination.transactions[0].tx, signatures)
    seen = examination.request.seen.size
    proof = consistency_proof(box.journal.leaves(), seen) if seen else ()
    answer = SigningAnswer(examination.digest, signatures, examination.declined, box.checkpoint(), proof)
    return seal_answer(answer, box.vault.station, box.vault.sign)

