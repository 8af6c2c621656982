"""The tree of refusals: what a person reads when Lockgate will not do something.

A refusal is a value with a stable code and a hint, never a traceback; whatever is not a `Refusal` is a bug.
No message, hint or repr here may ever hold a secret.
"""

from __future__ import annotations

from typing import ClassVar


class Refusal(Exception):
    """A thing that Lockgate will not do, why, and what to do about it.

    It `passes` where nobody needs to do anything: asked again later, the same may be done.
    """

    code: ClassVar[str] = "refused"
    hint: str = "Nothing was changed."
    passes: bool = False

    def __init__(self, message: str, *, hint: str | None = None, passes: bool | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint
        if passes is not None:
            self.passes = passes


# --- values ---------------------------------------------------------------------------------------


class BadAmount(Refusal):
    """A text or number that is no amount of the asset."""

    code = "bad-amount"
    hint = "Write a plain decimal number, at most the asset's decimals, such as 80000 or 0.25."


class BadAddress(Refusal):
    """A text that is no address of the network."""

    code = "bad-address"
    hint = "Copy the address again from its owner; nothing is ever repaired."


class MemoNotCarried(Refusal):
    """A memo that the ledger's payments do not carry, or not in these bytes."""

    code = "memo-not-carried"
    hint = "Leave the memo out, or ask the recipient for what this ledger has instead, such as a tag."


class WrongNetwork(Refusal):
    """Something of one network was used on another."""

    code = "wrong-network"
    hint = "Check which network the wallet, the address and the machine belong to."


class UnknownChain(Refusal):
    """A chain or network that no code here knows."""

    code = "unknown-chain"
    hint = "Known networks are listed by `lockgate doctor`."


class UnknownForm(Refusal):
    """A form of addresses that the chain does not have."""

    code = "unknown-form"
    hint = "Leave the form out; Bitcoin has p2wpkh and p2tr."


class BadDer(Refusal):
    """An ECDSA signature that is not in its one form: minimal DER, r and s in range, s low."""

    code = "bad-signature-form"
    hint = "The signature was altered or made by another program; ask for it again."


# --- encoding -------------------------------------------------------------------------------------


class BadEncoding(Refusal):
    """Bytes that are not the one encoding of a value."""

    code = "bad-encoding"
    hint = "It was cut, altered or made by another program; ask its sender for it again."


class BadField(Refusal):
    """A well encoded map with a field that is missing, unknown or out of bounds."""

    code = "bad-field"
    hint = "It was made by another version or by mistake; ask its sender for it again."


# --- transport ------------------------------------------------------------------------------------


class BadFrame(Refusal):
    """Bytes or text that are no frame of ours, or a frame that contradicts itself."""

    code = "bad-frame"
    hint = "Frames of other messages are ignored; show the frames of this message."


class FrameLimits(Refusal):
    """A message or a frame's header that asks for more than one crossing may carry."""

    code = "frame-limits"
    hint = "Carry it as a file, or split the batch into smaller requests."


class BadPacking(Refusal):
    """Packed bytes that do not inflate to exactly one message under the cap."""

    code = "bad-packing"
    hint = "Export the message again on the machine that made it."


class BadDisplay(Refusal):
    """A QR version or speed outside what cameras read reliably."""

    code = "bad-display"
    hint = "Choose a QR version from 15 to 27 and 1 to 15 frames a second."


class TerminalTooSmall(Refusal):
    """The symbol does not fit the terminal."""

    code = "terminal-too-small"
    hint = "Make the window larger or the letters smaller, or write a GIF instead."


class MessageIncomplete(Refusal):
    """The source of pictures ended, or time ran out, before the message was whole."""

    code = "message-incomplete"
    hint = "Show the frames again; every further frame counts, in any order."


class BadSource(Refusal):
    """A path that is no picture, folder, video or camera that may be opened."""

    code = "bad-source"
    hint = "Give a local folder, picture, GIF, MP4, MKV, WebM or AVI file, or a camera such as /dev/video0."


class VideoMissing(Refusal):
    """Video and cameras need OpenCV, which is not installed."""

    code = "video-missing"
    hint = "Install the optional video extra, or use PNG frames, a GIF or a file."


class FileTrouble(Refusal):
    """A file could not be read or written."""

    code = "file-trouble"
    hint = "Check the path, its permissions and the medium; nothing half was left behind."


class NotAPlainFile(Refusal):
    """A path that is a link, folder, pipe or device where a plain file is wanted."""

    code = "not-a-plain-file"
    hint = "Name the file itself; links, pipes and devices are not followed."


class FileTooLarge(Refusal):
    """A file beyond the size that is read into memory."""

    code = "file-too-large"
    hint = "Check that this is the right file."


class FileExists(Refusal):
    """The file to write is there already."""

    code = "file-exists"
    hint = "Choose another name, or say that it may be overwritten."


class DiskFull(Refusal):
    """The disk, quota or size limit leaves no room for the file."""

    code = "disk-full"
    hint = "Free some space and do it again; nothing half was left behind."


# --- XRPL -----------------------------------------------------------------------------------------


class XrplRefusal(Refusal):
    """An XRPL transaction, key or signature that is not accepted."""

    code = "xrpl-refused"
    hint = "Build the transaction again from its order."


class XrplMalformed(XrplRefusal):
    """Bytes that are no canonical XRPL serialisation: cut short, too long, or wrong in a header or length."""

    code = "xrpl-malformed"
    hint = "The bytes were cut or altered; ask their sender for them again."


class XrplFieldOrder(XrplRefusal):
    """Fields that do not ascend, or one that stands twice."""

    code = "xrpl-field-order"
    hint = "A server would sort them and the id would change; encode the transaction canonically."


class XrplFieldUnknown(XrplRefusal):
    """A field that nothing here knows."""

    code = "xrpl-field-unknown"
    hint = "Nothing is signed that is not understood; build it from known fields."


class XrplFieldRefused(XrplRefusal):
    """A field that is known and not on the list of accepted ones."""

    code = "xrpl-field-refused"
    hint = "Leave the field out; this signer moves XRP and named settings only."


class XrplFieldMissing(XrplRefusal):
    """A field that the transaction needs."""

    code = "xrpl-field-missing"
    hint = "Build the transaction again with the field set."


class XrplTypeRefused(XrplRefusal):
    """A transaction type that is not on the list of accepted ones."""

    code = "xrpl-type-refused"
    hint = "Accepted are Payment, TicketCreate, AccountSet, SetRegularKey and SignerListSet."


class XrplFlagsRefused(XrplRefusal):
    """Transaction flags other than none or the fully canonical one."""

    code = "xrpl-flags-refused"
    hint = "Leave Flags out, or set 0 or 2147483648."


class XrplTokenAmount(XrplRefusal):
    """An amount of a token where only XRP is accepted."""

    code = "xrpl-token-amount"
    hint = "This signer moves XRP only."


class XrplNetworkIdPresent(XrplRefusal):
    """A NetworkID on a network whose id is 1,024 or below."""

    code = "xrpl-network-id-present"
    hint = "Leave NetworkID out on this network."


class XrplNetworkIdMissing(XrplRefusal):
    """No NetworkID on a network whose id is above 1,024."""

    code = "xrpl-network-id-missing"
    hint = "Set NetworkID to the network's id."


class XrplNetworkIdWrong(XrplRefusal):
    """The NetworkID of another network."""

    code = "xrpl-network-id-wrong"
    hint = "Check which network the wallet and the machine belong to."


class XrplSequence(XrplRefusal):
    """A Sequence and TicketSequence that do not fit together."""

    code = "xrpl-sequence"
    hint = "Set a Sequence above 0, or Sequence 0 with a TicketSequence above 0."


class XrplNoExpiry(XrplRefusal):
    """A transaction without LastLedgerSequence, which could happen for ever."""

    code = "xrpl-no-expiry"
    hint = "Set LastLedgerSequence."


class XrplExpired(XrplRefusal):
    """A LastLedgerSequence that is not above the stated height."""

    code = "xrpl-expired"
    hint = "It can not happen any more; build it again with a later LastLedgerSequence."


class XrplNoFee(XrplRefusal):
    """A fee of 0 drops."""

    code = "xrpl-no-fee"
    hint = "Set the fee that the ledger asks for."


class XrplPaymentRefused(XrplRefusal):
    """A payment of nothing, or to the account that pays."""

    code = "xrpl-payment-refused"
    hint = "Check the amount and the destination."


class XrplMemoRefused(XrplRefusal):
    """A memo that a server would refuse or that has no canonical text."""

    code = "xrpl-memo-refused"
    hint = "Shorten it below 1 kB; MemoType and MemoFormat take URL characters only."


class XrplSettingRefused(XrplRefusal):
    """An account flag that is unknown, concerns tokens, or is set and cleared at once."""

    code = "xrpl-setting-refused"
    hint = "Use one of the named account flags."


class XrplTicketCount(XrplRefusal):
    """A number of tickets that is not between 1 and 250."""

    code = "xrpl-ticket-count"
    hint = "Ask for 1 to 250 tickets."


class XrplRegularKeyRefused(XrplRefusal):
    """A regular key that is the account's own address."""

    code = "xrpl-regular-key-refused"
    hint = "Name the address of another key."


class XrplSignerListRefused(XrplRefusal):
    """A signer list that a server would refuse, or that is not in ascending order."""

    code = "xrpl-signer-list-refused"
    hint = "List 1 to 32 other accounts in ascending order whose weights reach the quorum."


class XrplContextRefused(XrplRefusal):
    """A context that does not state exactly what the transaction needs."""

    code = "xrpl-context-refused"
    hint = "State the validated ledger's height; for a signature of several also its signer and public key."


class XrplKeyRefused(XrplRefusal):
    """A public key or key path that is none, or not the right number of them."""

    code = "xrpl-key-refused"
    hint = "Check the wallet's card."


class XrplAlreadySigned(XrplRefusal):
    """A transaction that carries a signature where an unsigned one is expected."""

    code = "xrpl-already-signed"
    hint = "Give the unsigned transaction."


class XrplBadSignature(XrplRefusal):
    """A signature that is not canonical or does not verify."""

    code = "xrpl-bad-signature"
    hint = "It was altered or made by another key or for another transaction; sign again."


class XrplQuorumRefused(XrplRefusal):
    """Signatures that are not exactly the quorum, or not of one transaction."""

    code = "xrpl-quorum-refused"
    hint = "Combine just enough signatures of listed signers over the same bytes."


class XrplBadSeed(XrplRefusal):
    """A text that is no family seed, or not one of the asked curve."""

    code = "xrpl-bad-seed"
    hint = "Type the seed again; it begins with s, or with sEd for ed25519."


class NoRipemd160(Refusal):
    """The system's OpenSSL does not offer RIPEMD-160."""

    code = "no-ripemd160"
    hint = "Use a Python whose OpenSSL has the hash ripemd160 enabled."


# --- policy ---------------------------------------------------------------------------------------


class PolicyRefusal(Refusal):
    """Something that the sealed policy does not allow. `position` is the transaction's place in the request."""

    code = "policy"
    hint = "Decline this transaction, or have the administrators seal a policy that allows it."
    position: int | None = None


class BadPolicy(Refusal):
    """A policy document that contradicts itself or cannot be read."""

    code = "bad-policy"
    hint = "Correct the policy's text and sign it again; nothing was installed."


class OldPolicy(Refusal):
    """A policy whose epoch is not newer than the newest that this vault has seen."""

    code = "old-policy"
    hint = "Give the policy the next epoch number and have the administrators sign it."


class NoPolicy(Refusal):
    """Nothing may be signed before administrators have sealed a policy."""

    code = "no-policy"
    hint = "Install one with `lockgate-signer policy install FILE`."


class UnknownStation(PolicyRefusal):
    """A request from a coordinator that the policy does not name."""

    code = "unknown-station"
    hint = "Only coordinators whose station keys stand in the policy may ask."


class KindNotAllowed(PolicyRefusal):
    """A kind of transaction that the policy does not allow for this wallet."""

    code = "kind-not-allowed"


class UnknownSource(PolicyRefusal):
    """A source address that belongs to no wallet of the policy."""

    code = "unknown-source"


class UnknownDestination(PolicyRefusal):
    """A destination, tag and memo included, that the policy does not list for this wallet."""

    code = "unknown-destination"


class AssetNotAllowed(PolicyRefusal):
    """An asset for which the policy gives this wallet no limits."""

    code = "asset-not-allowed"


class OverTransferLimit(PolicyRefusal):
    """One payment above the limit of a transfer."""

    code = "over-transfer-limit"


class OverRequestLimit(PolicyRefusal):
    """Payments of one request above its limit."""

    code = "over-request-limit"


class OverDayLimit(PolicyRefusal):
    """Payments and fees above what is left of the day."""

    code = "over-day-limit"
    hint = "Wait until the day's allowance returns, or decline transactions until the rest fits."


class OverEpochBudget(PolicyRefusal):
    """Payments and fees above what is left of the policy's epoch, which no clock gives back."""

    code = "over-epoch-budget"
    hint = "The administrators give a new budget by sealing a policy of the next epoch."


class FeeTooHigh(PolicyRefusal):
    """A fee above the policy's ceiling."""

    code = "fee-too-high"
    hint = "Build the request again when the ledger is calm, or decline this transaction."


class TooManyFree(PolicyRefusal):
    """More transactions that pay nothing than the epoch allows."""

    code = "too-many-without-payment"


class ExpiryTooFar(PolicyRefusal):
    """An expiry missing, or farther from the stated height than the policy allows."""

    code = "expiry-too-far"
    hint = "Build the request again with an expiry within the policy's distance."


class ForeignSigningKey(PolicyRefusal):
    """A change of who may sign that names a key which neither this signer derives nor the policy lists."""

    code = "foreign-signing-key"
    hint = "Do not sign. If the key is right, the administrators list it in a policy first."


class NotEnoughApprovals(PolicyRefusal):
    """Fewer approvals of the request than the policy asks for, or one by somebody who may not approve."""

    code = "not-enough-approvals"
    hint = "Have the missing people approve the same request, declining the same: --as KEY-FILE or --approval FILE."


# --- signer ---------------------------------------------------------------------------------------


class SignerBusy(Refusal):
    """Another process holds the signer's journal."""

    code = "signer-busy"
    hint = "Let the other lockgate-signer finish; only one works at a time."


class HostHasNetwork(Refusal):
    """A signer that shall work by itself, on a host with a network that nobody said it has."""

    code = "host-has-network"
    hint = "A cold signer stays alone. A hot wallet's may stand here: read docs/hot-wallet.md, then --host-has-network."


class NotAHotSigner(Refusal):
    """A vault that shall work by itself and holds keys of other wallets than hot ones."""

    code = "not-a-hot-signer"
    hint = "Give the hot wallet a vault of its own: make one with `lockgate-signer init` in another folder."


class SpoolUnfit(Refusal):
    """A spool folder that is missing, or that others than its two users could change."""

    code = "spool-unfit"
    hint = "Make the folders with the owners and modes that docs/hot-wallet.md gives."


class StrangeOwner(Refusal):
    """A request in the spool that belongs to a user whose requests are not read."""

    code = "strange-owner"
    hint = "Start the signer with --from and the coordinator's user, and see who else can write into the folder."


class NotForThisSigner(Refusal):
    """A request addressed to another signer's key."""

    code = "not-for-this-signer"
    hint = "Carry it to the signer whose station key it names."


class JournalBehind(Refusal):
    """Somebody saw a newer or another journal of this signer than the one on this machine."""

    code = "journal-behind"
    hint = "This box has an old copy: take over the newest journal with `lockgate-signer journal takeover`."


class JournalMissing(Refusal):
    """A restored box that has not taken over the newest journal."""

    code = "journal-missing"
    hint = (
        "Run `lockgate-signer journal takeover FILE --checkpoint NOTE`, "
        "or have the administrators sign that it is lost: `release journal-lost`."
    )


class ClockJumped(Refusal):
    """The clock moved forward beyond the policy's measure since the last entry."""

    code = "clock-jumped"
    hint = "Set the clock right, or have the administrators confirm the time with `lockgate-signer release`."


class AlreadyBound(Refusal):
    """A transfer's id that was signed for another source, destination or amount."""

    code = "transfer-bound"
    hint = "This id stands for another payment for ever. A new payment is a new order."


class NotExclusive(Refusal):
    """A further transaction for a transfer that does not exclude every earlier one."""

    code = "could-pay-twice"
    hint = (
        "Look at the ledger first: if the earlier one happened, this would pay twice. Else build it on the same "
        "sequence, ticket or input; the administrators release only an earlier one that is proven dead."
    )


class DeclinedBefore(Refusal):
    """A transaction that this signer has declined in a signed answer."""

    code = "declined-before"
    hint = "The coordinator may have given its claims to others; build a new transaction."


class SignedBefore(Refusal):
    """A decline of a transaction whose signature exists already."""

    code = "signed-before"
    hint = "Only the ledger can decide about it now; ask for the signature again without declining."


class AmountSworn(Refusal):
    """An input's value that differs from the one signed before."""

    code = "amount-sworn"
    hint = "The coordinator stated another value for the same input before; find out which one is true."


class TransferMismatch(Refusal):
    """Payments of a transaction and the transfers that the request names for it do not pair up."""

    code = "transfer-mismatch"
    hint = "Each payment names exactly one line of an order; build the request again."


class WrongKey(Refusal):
    """A key path that does not give the public key that the transaction names."""

    code = "wrong-key"
    hint = "The request was built for another wallet or vault."


class BadPen(Refusal):
    """A signature that did not verify after it was made."""

    code = "bad-pen"
    hint = "Stop using this machine: its memory or libraries cannot be trusted. Nothing left it."


class BadSetup(Refusal):
    """The signer's folder is missing something, or already holds what was to be made."""

    code = "bad-setup"
    hint = "See docs/operator.md, first set-up."


class AnswerNotCarried(Refusal):
    """An answer that was signed, as far as is known, and did not get out."""

    code = "answer-not-carried"
    hint = "Signed; run the same command again with another --out: it gives the same answer, which counts once."


class NotAdministrator(Refusal):
    """Somebody signed for the administrators who is none of those in force, and would make the document worthless."""

    code = "not-administrator"
    hint = "Nothing was written. Have one of those sign who are named."


class SignedAlready(Refusal):
    """A person's second signature on one document."""

    code = "signed-already"
    hint = "Nothing was written. Another person signs it next, or it has all signatures that it needs."


class UnknownPerson(Refusal):
    """A person that the policy or the vault does not name."""

    code = "unknown-person"
    hint = "Check the name, and that the policy lists this person's present key."


# --- seals ----------------------------------------------------------------------------------------


class BadSeal(Refusal):
    """Bytes that are no sealed document, or one whose list of signatures is not in order."""

    code = "bad-seal"
    hint = "Check that this is the right file; ask its sender for it again."


class WrongDocument(Refusal):
    """A sealed document of another kind than the one wanted here."""

    code = "wrong-document"
    hint = "Check which file this step wants: a request, an answer, an approval, a card or a policy."


class BadSignature(Refusal):
    """A signature that does not verify: the document was altered, or another key signed it."""

    code = "bad-signature"
    hint = "Do not go on with this document; ask its sender for it again over a channel that you trust."


class StrangeSigner(Refusal):
    """A document signed, perhaps among others, by a key that may not sign it."""

    code = "strange-signer"
    hint = "Compare the key with those that the policy names; a station must be paired first."


class QuorumMissing(Refusal):
    """A document that too few of the people who must sign it have signed."""

    code = "quorum-missing"
    hint = "Let further people sign it, then do this again."


# --- journal --------------------------------------------------------------------------------------


class JournalDamaged(Refusal):
    """A journal in which an entry was altered, removed, moved or written by another key."""

    code = "journal-damaged"
    hint = "Stop and keep the file as it is; compare it with copies and checkpoints before anything is signed."


class ClockBehindJournal(Refusal):
    """The clock shows a time before the journal's last entry."""

    code = "clock-behind-journal"
    hint = "Set the clock of this machine; the journal's time never runs back."


class BadProof(Refusal):
    """A proof that does not show that an entry is in the journal, or that the journal only grew."""

    code = "bad-proof"
    hint = "Ask for the proof and the checkpoint again; if it fails again, the history was changed."


class BadCheckpoint(Refusal):
    """A text that is no checkpoint of this journal."""

    code = "bad-checkpoint"
    hint = "Check that it is whole, with its last line break, and of the right signer."


class JournalForked(Refusal):
    """A journal that does not contain the history which a checkpoint has sworn."""

    code = "journal-forked"
    hint = "This is an old backup or a changed history: take over the newest journal before signing anything."


# --- the coordinator: store ------------------------------------------------------------------------


class StoreBusy(Refusal):
    """Another process is writing to the store."""

    code = "store-busy"
    passes = True
    hint = "Do it again in a moment; nothing was changed."


class StoreReadOnly(Refusal):
    """The store can be read and not written."""

    code = "store-read-only"
    hint = "Check the permissions of the data folder and its disk; nothing was changed."


class StoreUnreachable(Refusal):
    """The store's database can not be opened."""

    code = "store-unreachable"
    hint = "Check the store's address in config.toml, and that its folder or server is there."


class StoreDamaged(Refusal):
    """The store's database is damaged, or none of ours."""

    code = "store-damaged"
    hint = "Keep the file as it is and restore the newest backup; then import the signers' journals."


class StoreNewer(Refusal):
    """A newer program made this store."""

    code = "store-newer"
    hint = "Use the newer program; the store is never taken back to an older form."


class StoreForm(Refusal):
    """A store whose tables have a form that no migration made, such as one of a program between two releases."""

    code = "store-form"
    hint = "Go on with the program that made it, or set up a new store and open the wallets' books there."


class StationLocked(Refusal):
    """Something would be written, and the station key that signs the coordinator's journal is not open."""

    code = "station-locked"
    hint = "Give the station key's passphrase."


class NameTaken(Refusal):
    """A name or key that stands for somebody or something else already."""

    code = "name-taken"
    hint = "Choose another name; what a name or key stands for never changes."


class UnknownSigner(Refusal):
    """A signer that was never paired with this coordinator."""

    code = "unknown-signer"
    hint = "Pair the signer's station key first, read from its own screen."


class UnknownWallet(Refusal):
    """A wallet or address that no imported card holds."""

    code = "unknown-wallet"
    hint = "Import the wallet's card first."


class CardConflict(Refusal):
    """A card that would change a wallet instead of extending it."""

    code = "card-conflict"
    hint = "A wallet's network, tier, signer and keys never change; make a new wallet."


# --- the coordinator: orders and jobs --------------------------------------------------------------


class UnknownOrder(Refusal):
    """An order that is not in the store."""

    code = "unknown-order"
    hint = "The orders are listed by their ids."


class BadOrder(Refusal):
    """An order that asks for nothing, or for something that no wallet can do."""

    code = "bad-order"
    hint = "Check its wallet, lines and amounts."


class NoSuchOrder(Refusal):
    """An order for something that this ledger does not have."""

    code = "no-such-order"
    hint = "`lockgate wallet list` shows each wallet's network; the integrator's page, what each network has."


class OrderConflict(Refusal):
    """An idempotency key that names another order already."""

    code = "order-conflict"
    hint = "Use the same key only for exactly the same order; a new order needs a new key."


class SamePerson(Refusal):
    """The second signature of an order by the person who drafted it."""

    code = "same-person"
    hint = "Another person approves what this one drafted."


class UnknownJob(Refusal):
    """A job that is not in the store."""

    code = "unknown-job"
    hint = "The jobs are listed by their numbers."


class MoveRefused(Refusal):
    """A move that the table of states does not have."""

    code = "move-refused"
    hint = "Only the ledger, the signer's word or the order's people move a job; see its state."


class ClaimTaken(Refusal):
    """A sequence, ticket or other claim that another job holds."""

    code = "claim-taken"
    passes = True
    hint = "Build again; the other job keeps its claim until it ends."


class PlanMismatch(Refusal):
    """A built transaction that does something else than its plan."""

    code = "plan-mismatch"
    hint = "Nothing was reserved or exported; check the node and the program that built it."


class GatewayMissing(Refusal):
    """No node is configured for a network."""

    code = "gateway-missing"
    hint = "Set the network's url in config.toml."


class NothingToExport(Refusal):
    """No built job waits for this signer."""

    code = "nothing-to-export"
    hint = "Approve and build an order first, or show an earlier request again."


class RequestOutstanding(Refusal):
    """A request to this signer that has no answer yet."""

    code = "request-outstanding"
    hint = "Import its answer, or show the same request again."


class EntriesMissing(Refusal):
    """The coordinator is behind the signer's journal, as after a restored backup."""

    code = "entries-missing"
    hint = "Import the signer's journal first; until then nothing is exported."


class Unreconciled(Refusal):
    """A signer signed what this coordinator does not know, as its imported journal shows."""

    code = "unreconciled"
    hint = "Approve or draft its order again with the same key and import the journal again, or acknowledge it."


class SignedElsewhere(Refusal):
    """A transfer for which the signer's journal shows a transaction that this store does not hold."""

    code = "signed-elsewhere"
    hint = "It may have been paid already. Import the signer's journal again, or withdraw the job."


class UnknownRequest(Refusal):
    """An answer to a request that this coordinator does not know."""

    code = "unknown-request"
    hint = "It belongs to another coordinator, or a backup was restored: import the signer's journal."


class AnswerByAnother(Refusal):
    """An answer that another key signed than the signer that was asked."""

    code = "answer-by-another"
    hint = "Show the request to the signer that holds the wallet."


class AnswerMismatch(Refusal):
    """An answer that does not hold one signature or word for every transaction of its request."""

    code = "answer-mismatch"
    hint = "Ask the signer for its answer again."


class AnswerConflict(Refusal):
    """A second answer that says something else than the first."""

    code = "answer-conflict"
    hint = "The first answer stands; find out why the signer gave two."


class AnswerTooLate(Refusal):
    """An answer to a request all of whose transactions have ended."""

    code = "answer-too-late"
    hint = "Rebuild the job from its order; these signatures can do nothing any more."


class SignerJournalRolledBack(Refusal):
    """A signer whose journal is older than one that it showed before."""

    code = "signer-journal-rolled-back"
    hint = "The signer runs on an old backup: stop, and restore its newest journal."


class SignerJournalForked(Refusal):
    """A signer whose journal does not continue the one that it showed before."""

    code = "signer-journal-forked"
    hint = "Two journals of one key exist: stop, and treat the signer's keys as stolen."


# --- the coordinator: books ------------------------------------------------------------------------


class WalletAlreadyOpen(Refusal):
    """A wallet whose opening balance is in the books already."""

    code = "wallet-already-open"
    hint = "See the differences with the books' check; they are never absorbed."


class BooksNotOpen(Refusal):
    """Money that came to a wallet before its books took in the asset: it is posted once they did."""

    code = "books-not-open"
    hint = "Note the asset with `lockgate asset add` if it is not, then `lockgate books open` the wallet."


# --- gateway --------------------------------------------------------------------------------------


class NodeUnreachable(Refusal):
    """A node that does not answer, or not in time. It says nothing about what the ledger decided."""

    code = "node-unreachable"
    hint = "Check the node's url and that it runs; nothing is decided until it answers."


class NodeAnswerUnreadable(NodeUnreachable):
    """An answer that is not what a node of this network says; it counts as no answer."""

    code = "node-answer-unreadable"
    hint = "Check that the url is a node's API and not a page or a proxy."


class NodeRefused(NodeUnreachable):
    """A node that understood a question and would not answer it; it counts as no answer."""

    code = "node-refused"
    hint = "Check the node's version and what it offers; nothing was sent."


class NodeBusy(NodeUnreachable):
    """A node that does one such thing at a time and was doing it for others as long as was waited; it was not asked."""

    code = "node-busy"
    passes = True
    hint = "Try again later, or give this coordinator a node of its own: others scan this one's coins too."


class NodeUnfit(Refusal):
    """A node on another network, out of step, blocked, too old, or on another history than the second node."""

    code = "node-unfit"
    hint = "Repair the node or name another in the settings; nothing is built or believed meanwhile."


class NodesDisagree(Refusal):
    """Money that one node tells of and the second does not, above the sum that one alone is believed."""

    code = "nodes-disagree"
    hint = "Nothing is credited until both agree; each turn asks again. If it stays, find out which node lies."


class BadGatewaySettings(Refusal):
    """Settings of a network's gateway that are missing, unknown or out of bounds."""

    code = "bad-gateway-settings"
    hint = "Correct the network's section of config.toml."


class BadPlan(Refusal):
    """A plan of another kind or network, or with parameters that its kind does not have."""

    code = "bad-plan"
    hint = "Draft the order again."


class BuiltWrong(Refusal):
    """Built bytes whose decoded effects are not those of the plan."""

    code = "built-wrong"
    hint = "Nothing was exported. This is a fault of the program; report it with the order's id."


class FundsShort(Refusal):
    """An address that holds too little for what is to be sent from it."""

    code = "funds-short"
    hint = "Fund the address, wait until pending transactions have ended, or send less."


class SourceMissing(FundsShort):
    """A paying account that the validated ledger does not know."""

    code = "source-missing"
    hint = "Fund the wallet's address first, with the base reserve or more."


class KeyMayNotSign(Refusal):
    """A key that the ledger does not let sign for the account now."""

    code = "key-may-not-sign"
    hint = "Check the account's regular key and whether its master key is disabled."


class NoFreeClaim(Refusal):
    """No free ticket, or too many sequences that wait in a row."""

    code = "no-free-claim"
    hint = "Create tickets for the account, or wait until earlier transactions are final or dead."


class ClaimNotFree(Refusal):
    """The sequence or ticket that was asked for is used up, not there yet, or taken by another job."""

    code = "claim-not-free"
    hint = "Wait until the job that holds it is dead, or build on another claim."


class ReserveTooLow(FundsShort):
    """A source that could not keep its reserve after this and what is pending already."""

    code = "reserve-too-low"
    hint = "Send less, fund the account, or wait for pending transactions to end."


class TooManyTickets(Refusal):
    """More tickets than an account may hold."""

    code = "too-many-tickets"
    hint = "An account holds 250 tickets at most; ask for fewer or use some first."


class RecipientRefused(Refusal):
    """A payment that can not arrive where it is to go, as the ledger stands; another recipient would do."""

    code = "recipient-refused"
    hint = "Ask the recipient; nothing was built."


class DestinationUnfunded(RecipientRefused):
    """A destination that does not exist and would get less than the base reserve."""

    code = "destination-unfunded"
    hint = "Check the address; a first payment must bring at least the base reserve."


class DestinationTagNeeded(RecipientRefused):
    """A destination that asks for a tag, without one."""

    code = "destination-tag-needed"
    hint = "Ask the recipient for the destination tag; 0 is a tag too."


class DepositNotAuthorized(RecipientRefused):
    """A destination that takes deposits only from accounts it has authorised."""

    code = "deposit-not-authorized"
    hint = "Ask the recipient to preauthorise the paying account."


class DestinationDisallowsXrp(RecipientRefused):
    """A destination that asks not to be sent XRP."""

    code = "destination-disallows-xrp"
    hint = "The recipient set this flag on purpose; ask for another address."


class DestinationPseudo(RecipientRefused):
    """A destination that belongs to a pool or vault and to nobody's key."""

    code = "destination-pseudo-account"
    hint = "Money sent there is lost; ask the recipient for an address of their own."


class DryRunFailed(Refusal):
    """A transaction that the node's dry run says would fail."""

    code = "dry-run-failed"
    hint = "Read the node's reason; nothing was exported and no fee was paid."


# --- keys and lockboxes ---------------------------------------------------------------------------


class BadKeyPath(Refusal):
    """A text or number that leads to no key."""

    code = "bad-key-path"
    hint = "Write a path such as m/44'/144'/0'/0/7."


class BadKey(Refusal):
    """Bytes or text that are no key of the wanted kind."""

    code = "bad-key"
    hint = "Copy the key again from where it was made; nothing is ever repaired."


class BadWords(Refusal):
    """Words that hold no seed."""

    code = "bad-words"
    hint = "Compare each word with the paper, in order; they are English words of the BIP39 list."


class BadDice(Refusal):
    """A record of dice that holds something else than rolls."""

    code = "bad-dice"
    hint = "Type one digit from 1 to 6 for each roll, without blanks."


class WrongPassphrase(Refusal):
    """A passphrase that opens no slot."""

    code = "wrong-passphrase"
    hint = "Type it again; check the keyboard's layout and the caps lock."


class WeakPassphrase(Refusal):
    """A passphrase too short to guard anything."""

    code = "weak-passphrase"
    hint = "Take at least eight characters; six random words are better."


class WeakCost(Refusal):
    """A cost of guessing the passphrase outside its bounds, or too low for a main network."""

    code = "weak-cost"
    hint = "Leave the cost at its default; the light one is for test networks."


class VaultDamaged(Refusal):
    """An encrypted file that was cut, altered or never was one."""

    code = "vault-damaged"
    hint = "Keep the file as it is and take a copy from the backup, or restore from the words."


class NotEnoughMemory(Refusal):
    """This machine has too little memory for the cost that an encrypted file asks."""

    code = "not-enough-memory"
    hint = "Close other programs, or open it on a machine with more memory."


class BadSlot(Refusal):
    """A slot of an encrypted file that cannot be added, found or taken away."""

    code = "bad-slot"
    hint = "List the slots of the file and choose another name."


class BadRelease(Refusal):
    """A release that is none, was used already, or is another signer's."""

    code = "bad-release"
    hint = "Draft it again on this signer and have the administrators sign it."


# --- commands -------------------------------------------------------------------------------------


class NotSetUp(Refusal):
    """A data folder that is no coordinator's."""

    code = "not-set-up"
    hint = "Run `lockgate init` first, or name the folder with --home or LOCKGATE_HOME."


class AlreadySetUp(Refusal):
    """A data folder that holds a coordinator already."""

    code = "already-set-up"
    hint = "Choose another folder with --home; what is there is never overwritten."


class BadConfig(Refusal):
    """A config.toml that cannot be read as one."""

    code = "bad-config"
    hint = "Correct config.toml in the data folder; nothing was changed."


class MissingInput(Refusal):
    """Input that ended before a prompt was answered."""

    code = "missing-input"
    hint = "Run it on a terminal, or give one line of standard input for each prompt."


class PassphrasesDiffer(Refusal):
    """A new passphrase that was typed in two ways."""

    code = "passphrases-differ"
    hint = "Do it again and type the same passphrase twice."


class NoSuchName(Refusal):
    """The beginning of an id that fits nothing, or more than one thing."""

    code = "no-such-id"
    hint = "List them and copy the whole id."


class BadCustomer(Refusal):
    """A text that is no id of a customer."""

    code = "bad-customer"
    hint = "An id has 1 to 64 letters, digits and . _ @ -, begins with a letter or digit, and is not `house`."


class UnknownCustomer(Refusal):
    """A customer that was never registered here."""

    code = "unknown-customer"
    hint = "Register the customer first: `lockgate customer add`."


class CustomerFrozen(Refusal):
    """A customer whose balance may not move out."""

    code = "customer-frozen"
    hint = "Somebody held it: `lockgate customer show` says since when; `lockgate customer release --as` lets it go."


class NotCovered(Refusal):
    """More than an account holds."""

    code = "not-covered"
    hint = "Look at the balance: `lockgate customer show`, or `lockgate books sheet`."


class BadTrade(Refusal):
    """Legs that are no trade."""

    code = "bad-trade"
    hint = "Each leg names who gives, who takes and how much; the house is named by `house`."


class TradeConflict(Refusal):
    """A trade's id that names another trade already."""

    code = "trade-conflict"
    hint = "Use an id of its own for every trade; the same trade again needs the same legs."


class BadMandate(Refusal):
    """A mandate that lets nothing through, or contradicts itself."""

    code = "bad-mandate"
    hint = "For each asset: review <= event <= customer_day <= day."


class MandateMissing(Refusal):
    """A wallet that nobody let pay withdrawals by itself."""

    code = "mandate-missing"
    hint = "Two people give a mandate: `lockgate mandate draft`, then `lockgate mandate approve`."


class BadWithdrawal(Refusal):
    """What is no withdrawal."""

    code = "bad-withdrawal"
    hint = "It has an id of its own, a customer, a wallet, a destination and an amount above nothing."


class UnknownWithdrawal(Refusal):
    """A withdrawal that was never accepted here."""

    code = "unknown-withdrawal"
    hint = "List them: `lockgate withdrawal list`."


class WithdrawalConflict(Refusal):
    """A withdrawal's id that names another withdrawal already."""

    code = "withdrawal-conflict"
    hint = "Use an id of its own for every withdrawal; the same one again needs the same words."


class WithdrawalMoved(Refusal):
    """A withdrawal that does not go from where it is to where it was told."""

    code = "withdrawal-moved"
    hint = "Look where it stands: `lockgate withdrawal show`."


class WithdrawalUnproven(Refusal):
    """A withdrawal whose row is not what the signed journal says."""

    code = "withdrawal-unproven"
    hint = "Somebody wrote in the database: run `lockgate audit verify`, and look at every row that it names."


class TooManyAlike(Refusal):
    """A forgotten order that may have paid more choices of waiting withdrawals than are tried."""

    code = "too-many-alike"
    hint = "Hold the waiting withdrawals whose recipient and amount are the same, until it is known which were paid."


class OverWithdrawalLimit(Refusal):
    """A withdrawal above what the mandate lets through."""

    code = "over-withdrawal-limit"
    hint = "Wait, withdraw less, or let treasury staff pay it by an order of their own."


class NotAllowedThere(Refusal):
    """A destination that is not on the customer's list."""

    code = "not-allowed-there"
    hint = "Add it to the customer's list first: `lockgate customer allow`."


class LastPlace(Refusal):
    """The only destination left on a customer's list: without it they could withdraw to anywhere."""

    code = "last-place"
    hint = "Allow another one first, hold the customer, or say that anywhere is meant: --anywhere."


class BadTarget(Refusal):
    """A band that is none."""

    code = "bad-target"
    hint = "low <= target <= high, in whole coins of an asset of the wallet's network."


class NoSuchPlace(Refusal):
    """A place for a customer's deposits that the ledger does not have."""

    code = "no-such-place"
    hint = "Leave the tag out, or choose another."


class PlaceTaken(Refusal):
    """A place for deposits that belongs to another customer."""

    code = "place-taken"
    hint = "Leave the tag out: the next free one is given."


class TagsSpent(Refusal):
    """An address of which no tag is left above those that were given out in order."""

    code = "tags-spent"
    hint = "Pick a lower tag that is free (`--tag`), or let another wallet receive."


class PoolDry(Refusal):
    """A wallet all of whose addresses but the first are given out; that one is never a customer's own."""

    code = "pool-dry"
    hint = "Add addresses to the wallet (`lockgate wallet addresses`), or import a card with more keys."


class NotInSuspense(Refusal):
    """An arrival that does not wait for anybody to say whose it is."""

    code = "not-in-suspense"
    hint = "List what waits: `lockgate suspense list`."


class BooksDiffer(Refusal):
    """Books that do not say what the ledger says."""

    code = "books-differ"
    hint = "Find the movement that is missing in the books; a difference is never absorbed."


class BadMoment(Refusal):
    """A text that names no point in the books."""

    code = "bad-moment"
    hint = "Give an entry's number, or a moment in UTC such as 2026-06-01 or \"2026-06-01 14:30\"."


class NotCoveredByLedger(Refusal):
    """Customers are owed more than the ledgers hold for the house."""

    code = "not-solvent"
    hint = "Stop paying out, and find where it went: `lockgate reconcile`, then `lockgate books statement`."


class NoSuchDifference(Refusal):
    """A correction of what a look at the ledger, made just now, does not find."""

    code = "no-such-difference"
    hint = "Look again: `lockgate reconcile`; only what is found now is corrected, by its kind and transaction."


class BadCorrection(Refusal):
    """A correction that would not make the books say what the ledger says, or is none that people may make."""

    code = "bad-correction"
    hint = "See the next step that `lockgate reconcile` names for this difference."


class LedgerUnread(Refusal):
    """Ledgers that could not be read whole; what was found on the others stands above."""

    code = "ledger-unread"
    hint = "Repair or replace the node that each line names, and look again; the other networks were judged."


class LedgerDiffers(Refusal):
    """Movements, fees or reserves on a ledger that the books do not have so, or the other way round."""

    code = "reconcile-differs"
    hint = "Each line above has its next step; what is not understood is looked into before anything else is paid."


class AuditFailed(Refusal):
    """A journal or comparison that does not hold."""

    code = "audit-failed"
    hint = "Keep all files as they are and look into each line above before anything else is signed."


class CheckFailed(Refusal):
    """Something on this machine that is not as it should be."""

    code = "check-failed"
    hint = "See the lines that say no above."


class LoopTrouble(Refusal):
    """A round of the loop that could not do all it should."""

    code = "loop-trouble"
    hint = "Nothing is lost: run it again when the trouble is over."


class DemoFailed(Refusal):
    """A step of the demonstration that did not do what it shows."""

    code = "demo-failed"
    hint = "The output folder keeps everything up to that step."


class NotATerminal(Refusal):
    """Output or input that is no terminal, where frames shall be played."""

    code = "not-a-terminal"
    hint = "Run it on a terminal, or write a GIF or a file instead."


class NotApproved(Refusal):
    """A person did not approve."""

    code = "not-approved"
    hint = "Nothing was signed and nothing was written."


# --- Bitcoin --------------------------------------------------------------------------------------


class BitcoinRefusal(Refusal):
    """A Bitcoin transaction, key or signature that is not accepted."""

    code = "bitcoin-refused"
    hint = "Build the transaction again from its order."


class BitcoinMalformed(BitcoinRefusal):
    """Bytes that are no Bitcoin transaction in its one serialisation."""

    code = "bitcoin-malformed"
    hint = "The bytes were cut or altered; ask their sender for them again."


class BitcoinAlreadySigned(BitcoinRefusal):
    """A transaction that should be unsigned and carries a signature."""

    code = "bitcoin-already-signed"
    hint = "Export the unsigned transaction."


class BitcoinVersion(BitcoinRefusal):
    """A transaction of another version than 2."""

    code = "bitcoin-version"
    hint = "Build the transaction again as version 2."


class BitcoinSequence(BitcoinRefusal):
    """An input whose sequence is neither final nor replaceable."""

    code = "bitcoin-sequence"
    hint = "Accepted are fffffffd (replaceable) and ffffffff."


class BitcoinLockTime(BitcoinRefusal):
    """A lock time that lies ahead, is a time of day, or has no effect."""

    code = "bitcoin-lock-time"
    hint = "Use lock time 0, or a height that has passed with a replaceable input."


class BitcoinAmountRefused(BitcoinRefusal):
    """Amounts that no transaction can have: beyond the supply, or outputs above inputs."""

    code = "bitcoin-amount-refused"
    hint = "Build the transaction again from its order."


class BitcoinDust(BitcoinRefusal):
    """An output below what nodes relay."""

    code = "bitcoin-dust"
    hint = "Pay more to this address, or leave the output out."


class BitcoinScriptRefused(BitcoinRefusal):
    """An output script that has no address."""

    code = "bitcoin-script-refused"
    hint = "Paid are P2PKH, P2SH, P2WPKH, P2WSH and P2TR."


class BitcoinDataRefused(BitcoinRefusal):
    """Data in an output that nothing here understands."""

    code = "bitcoin-data-refused"
    hint = "Nothing is signed that is not understood; build it without the data."


class BitcoinInputRefused(BitcoinRefusal):
    """An input of a kind that is not signed here, or named twice."""

    code = "bitcoin-input-refused"
    hint = "Signed are P2WPKH, P2TR by its key, and P2WSH with sorted keys."


class BitcoinContextRefused(BitcoinRefusal):
    """What is stated beside a transaction is missing, unknown or does not fit it."""

    code = "bitcoin-context-refused"
    hint = "Export the transaction again from the coordinator."


class BitcoinPreviousRefused(BitcoinRefusal):
    """A previous transaction that is not the one an input spends, or says another amount."""

    code = "bitcoin-previous-refused"
    hint = "Do not sign it: the amounts stated are not those of the ledger."


class BitcoinKeyRefused(BitcoinRefusal):
    """A key or key path that does not belong to what it shall sign."""

    code = "bitcoin-key-refused"
    hint = "Check the wallet's address form, account and index."


class BitcoinChangeRefused(BitcoinRefusal):
    """An output stated to be change that its key does not prove, or of another account."""

    code = "bitcoin-change-refused"
    hint = "Do not sign it: somebody calls a stranger's output change."


class BitcoinSighash(BitcoinRefusal):
    """A signature type other than ALL, or DEFAULT for taproot."""

    code = "bitcoin-sighash"
    hint = "Ask for signatures over the whole transaction."


class BitcoinBadSignature(BitcoinRefusal):
    """A signature that does not verify or is not in its one form."""

    code = "bitcoin-bad-signature"
    hint = "Sign the request again."


class BitcoinMultisigRefused(BitcoinRefusal):
    """A multisig script, or a set of its signatures, that is not accepted."""

    code = "bitcoin-multisig-refused"
    hint = "Keys stand in ascending order, and exactly as many of them sign as the script asks."


class BitcoinPairRefused(BitcoinRefusal):
    """A commit and a reveal that do not belong together."""

    code = "bitcoin-pair-refused"
    hint = "Build both transactions again; a reveal is never signed on somebody's word."


class BitcoinPsbtRefused(BitcoinRefusal):
    """Bytes that are no PSBT, or one that says something twice, wrongly or not at all."""

    code = "bitcoin-psbt-refused"
    hint = "Export the PSBT again from the program that made it."


# --- bitcoin gateway ------------------------------------------------------------------------------


class CoinsShort(FundsShort):
    """Not enough free confirmed outputs for what is to be paid."""

    code = "coins-short"
    hint = "Fund the wallet, wait until pending transactions are confirmed, or send less."


class PaymentIsDust(RecipientRefused):
    """A payment of bitcoins so small that nodes do not relay it."""

    code = "payment-dust"
    hint = "Pay more, or leave this line out."


class TransactionTooLarge(Refusal):
    """A transaction larger than nodes relay."""

    code = "transaction-too-large"
    hint = "Split the order into smaller ones."


class FeeRateUnknown(Refusal):
    """The node has no estimate of fees, and neither the order nor the settings name a rate."""

    code = "fee-rate-unknown"
    hint = "Name a fee_rate with the order, or a fallback_rate in the network's settings."


class ReplacementRefused(Refusal):
    """A replacement that shares no free input with what it should replace, or has nothing to replace."""

    code = "replacement-refused"
    hint = "Look what became of the earlier transaction: it may be confirmed or dead already."


class CounterpartyNodeMissing(Refusal):
    """Something that only a Counterparty node can tell, without one in the settings."""

    code = "counterparty-node-missing"
    hint = "Name a counterparty_url in the network's settings."


class AssetsShort(FundsShort):
    """A source that holds less of an asset than is to be sent, or an asset that does not exist as planned."""

    code = "assets-short"
    hint = "Look at the address's balances; an MPMA with one bad line moves nothing and costs its fee."


class MemoRequired(Refusal):
    """A destination that takes no send without a memo."""

    code = "memo-required"
    hint = "Ask the recipient for the memo of their account."


class EncodingRefused(Refusal):
    """A message that does not fit the encodings that this source can use."""

    code = "counterparty-encoding"
    hint = "Split the batch, or send from an address of another form."


class TableGateNear(Refusal):
    """An MPMA so near to the block that changes its address table that another block may read it otherwise."""

    code = "mpma-gate-near"
    passes = True
    hint = "Wait until that block is past; single sends are not concerned."


class ComposeDiffers(Refusal):
    """What the Counterparty node composed is not what was planned."""

    code = "compose-differs"
    hint = "Nothing was exported. Do not trust this node until it is known why."


class DangerNotAccepted(PolicyRefusal):
    """A transaction with a known danger that the policy does not accept for this wallet."""

    code = "danger-not-accepted"
    hint = "Decline it, or have the administrators accept this danger for the wallet after looking into it."


# --- counterparty ---------------------------------------------------------------------------------


class CounterpartyRefusal(Refusal):
    """Data of the Counterparty layer that is not accepted."""

    code = "counterparty-refused"
    hint = "Build the transaction again from its order."


class CounterpartyNotUnderstood(CounterpartyRefusal):
    """Data in a transaction that is no Counterparty message in its one form."""

    code = "counterparty-not-understood"
    hint = "Nothing is signed that is not understood; build the transaction again."


class CounterpartyKindRefused(CounterpartyRefusal):
    """A Counterparty message of a kind that is never signed here."""

    code = "counterparty-kind-refused"
    hint = "Signed are sends, MPMA batches, OPTIONS and sweeps."


class CounterpartyLegacyForm(CounterpartyRefusal):
    """A message in the form of before block 902,000, in which nodes read bytes that fail to be the present one."""

    code = "counterparty-legacy-form"
    hint = "Build the message again in its present form."


class CounterpartyHeight(CounterpartyRefusal):
    """A height at which nodes do not read what would be signed."""

    code = "counterparty-height"
    hint = "Check the height that the coordinator states."


class TableOfAnotherBlock(CounterpartyRefusal):
    """The MPMA address table is not the one of the block this would be mined in."""

    code = "mpma-table"
    hint = "Build the request again against the current height."


class CounterpartyMpmaRefused(CounterpartyRefusal):
    """An MPMA batch that nodes would void as a whole."""

    code = "counterparty-mpma-refused"
    hint = "An MPMA batch has two lines or more, and no recipient twice for one asset."


class CounterpartyQuantityRefused(CounterpartyRefusal):
    """A quantity that no send can have."""

    code = "counterparty-quantity-refused"
    hint = "Quantities lie between 1 and 2^63-1 base units."


class CounterpartyMemoRefused(CounterpartyRefusal):
    """A memo that is too long or not what it says."""

    code = "counterparty-memo-refused"
    hint = "A send's memo has at most 34 bytes, that of an MPMA line at most 63."


class CounterpartyAddressRefused(CounterpartyRefusal):
    """Bytes in a message that are no address of the network."""

    code = "counterparty-address-refused"
    hint = "Check the recipient's address and its network."


class CounterpartyAssetRefused(CounterpartyRefusal):
    """A name or number that no asset has, or one that cannot be sent."""

    code = "counterparty-asset-refused"
    hint = "Name the asset by its name, or a subasset by its number A..."


class AssetUnknown(CounterpartyRefusal):
    """An asset whose decimals the policy's register does not say."""

    code = "asset-unknown"
    hint = "Add the asset with its decimals to the policy's register."


class CounterpartyFeedLock(CounterpartyRefusal):
    """A broadcast that locks the address's feed for ever: OPTIONS could never be set again."""

    code = "counterparty-feed-lock"
    hint = "Do not sign it."


class CounterpartyBroadcastRefused(CounterpartyRefusal):
    """A broadcast that is not OPTIONS in the form in which it is composed."""

    code = "counterparty-broadcast-refused"
    hint = "Signed are broadcasts of OPTIONS 0 and OPTIONS 1 alone."


class CounterpartySweepRefused(CounterpartyRefusal):
    """A sweep whose flags or memo are not accepted."""

    code = "counterparty-sweep-refused"
    hint = "Flags: 1 balances, 2 ownerships, 4 for a memo given as hex."


class CounterpartyCarrierRefused(CounterpartyRefusal):
    """Data that stands in outputs in another way than it is written here."""

    code = "counterparty-carrier-refused"
    hint = "Build the transaction again: one OP_RETURN, or multisig outputs one behind the other."


class CounterpartyP2shDead(CounterpartyRefusal):
    """The P2SH encoding, which the network no longer accepts since block 902,000."""

    code = "counterparty-p2sh-dead"
    hint = "Use OP_RETURN, multisig or a taproot envelope; nodes would ignore this and its fee would be lost."


class CounterpartyEnvelopeRefused(CounterpartyRefusal):
    """A taproot envelope that is not in its one form."""

    code = "counterparty-envelope-refused"
    hint = "Build commit and reveal again; a script that was only handed over is never signed."


# --- other wallets' frames --------------------------------------------------------------------------


class ForeignRefusal(Refusal):
    """Something of another wallet's QR formats that is not taken."""

    code = "foreign-refused"
    hint = "Show the symbols again, of one PSBT or transaction only."


class BadUr(ForeignRefusal):
    """A text that is no UR of version 2, or a part that contradicts itself."""

    code = "bad-ur"


class BadBbqr(ForeignRefusal):
    """A text that is no part of a BBQr, or parts that do not join."""

    code = "bad-bbqr"


class BadNumbered(ForeignRefusal):
    """A text that is no part of the form p1of3."""

    code = "bad-numbered"


class ForeignLimits(ForeignRefusal):
    """Another wallet's frames ask for more than one crossing may carry."""

    code = "foreign-limits"
    hint = "Carry the PSBT as a file, or make smaller ones."


class ForeignUnwanted(ForeignRefusal):
    """A kind of contents that is read from no other wallet; it is named."""

    code = "foreign-unwanted"
    hint = "Export a PSBT, or a finished transaction, from the other wallet."


class ForeignUnknown(ForeignRefusal):
    """A symbol in no format of other wallets that is known here."""

    code = "foreign-unknown"
    hint = "Choose UR or BBQr in the other wallet."


class ForeignContents(ForeignRefusal):
    """Contents that came whole and are not what their frames said."""

    code = "foreign-contents"
    hint = "Export it again from the other wallet."


class ForeignMixed(ForeignRefusal):
    """Parts of two messages that the format cannot tell apart."""

    code = "foreign-mixed"
    hint = "Start again and show one message only, or use UR, which tells messages apart."


# --- other makers' wallets --------------------------------------------------------------------------


class ForeignHeightMissing(ForeignRefusal):
    """A transaction of another wallet whose meaning depends on the height, and nobody stated one."""

    code = "height-missing"
    hint = "Say the newest block's height with --height, as you read it on a ledger that you trust."


class ForeignDescriptor(ForeignRefusal):
    """A descriptor of a wallet that cannot be watched here."""

    code = "foreign-descriptor"
    hint = "Export the wallet of a single key (BIP84 or BIP86) from the device, with its checksum, and copy all of it."


class ForeignSignerAsked(Refusal):
    """Something that only a signer of ours can do was asked of another maker's device, or the other way round."""

    code = "foreign-signer"
    hint = "A device of another maker takes one PSBT for each transaction, and answers with that PSBT, signed."


class MixedWallets(Refusal):
    """One transaction that spends from several of the signer's wallets, so that one rule would pay for another."""

    code = "mixed-wallets"
    hint = "Make a transaction for each wallet."


# --- the coordinator's assets and replacements ------------------------------------------------------


class BadAsset(Refusal):
    """An asset that cannot be noted, or would change its meaning."""

    code = "bad-asset"
    hint = "Give the code as its ledger writes it, and the decimals as the ledger has them."


class UnknownAsset(Refusal):
    """An asset whose decimals nobody noted here."""

    code = "unknown-asset"
    hint = "Note it first: `lockgate asset add NETWORK CODE DECIMALS`."


class NothingToMove(Refusal):
    """Addresses that hold nothing of what was to be moved, or no more than it would cost."""

    code = "nothing-to-move"
    hint = "Look at the balances with `lockgate books check`."


class BadLines(Refusal):
    """Lines of an order that can not be read; the first bad one is named."""

    code = "bad-lines"
    hint = "Give a table with the heading destination,asset,amount,memo, or one JSON object of texts a line."


# --- NEAR -------------------------------------------------------------------------------------------


class NearRefusal(Refusal):
    """A NEAR transaction, key or account that Lockgate does not understand completely, or does not want."""

    code = "near-refused"
    hint = "Build the request again; nothing is ever signed that is not fully understood."


class NearMalformed(NearRefusal):
    """Bytes that are no borsh of a transaction: cut short, too long, with a tag or text that is none."""

    code = "near-malformed"
    hint = "Build the request again; the bytes did not come from this coordinator, or were damaged."


class NearVersion(NearRefusal):
    """A transaction of another version than 0."""

    code = "near-version"
    hint = "Build it as version 0; the layouts of the others still differ between implementations."


class NearKeyType(NearRefusal):
    """A public key or signature that is not ed25519."""

    code = "near-key-type"
    hint = "Use an ed25519 key; no other kind signs from these wallets."


class NearCreateAccount(NearRefusal):
    """An action that creates an account."""

    code = "near-create-account"
    hint = "Create accounts with another tool and a key that holds no customer's money."


class NearDeployContract(NearRefusal):
    """An action that deploys a contract on the account, which could then move everything."""

    code = "near-deploy-contract"
    hint = "Remove the action; nothing is deployed on a wallet."


class NearStake(NearRefusal):
    """An action that stakes the balance with a validator key."""

    code = "near-stake"
    hint = "Remove the action; staking is not done from these wallets."


class NearDeleteAccount(NearRefusal):
    """An action that deletes the account and sends away, or burns, all that it holds."""

    code = "near-delete-account"
    hint = "Pay out with ordinary payments; an account is never deleted from here."


class NearDelegateInside(NearRefusal):
    """A delegate action inside a transaction or inside another delegate action."""

    code = "near-delegate-inside"
    hint = "Sign a delegate action by itself, as its own kind of request."


class NearFunctionCallKey(NearRefusal):
    """A key limited to function calls."""

    code = "near-function-call-key"
    hint = "Only keys with full access are added, in a key ceremony; use another tool for others."


class NearGasKey(NearRefusal):
    """A gas key."""

    code = "near-gas-key"
    hint = "Only keys with full access are added, in a key ceremony."


class NearLaterAction(NearRefusal):
    """An action of a later protocol that nobody should sign here: global contracts, state init, gas keys."""

    code = "near-later-action"
    hint = "Remove the action; it is refused whatever it does."


class NearActions(NearRefusal):
    """No actions, too many, or kinds that do not go together."""

    code = "near-actions"
    hint = "One transaction pays once, serves one token contract, or changes keys, and nothing beside it."


class NearMethodRefused(NearRefusal):
    """A call of a method that is none of the token standard's here."""

    code = "near-method"
    hint = "Only storage_deposit, ft_transfer and ft_transfer_call of registered tokens are called."


class NearKeysMixed(NearRefusal):
    """Keys added or deleted in another way than a key ceremony does."""

    code = "near-keys-mixed"
    hint = "Lanes only add keys, a rotation adds keys and then deletes others; both act on the signing account itself."


class NearPaymentRefused(NearRefusal):
    """A payment of nothing, to the payer, or to an account that cannot be paid."""

    code = "near-payment"
    hint = "Check the destination and the amount."


class NearTokenArgs(NearRefusal):
    """Arguments of a token call that are not the one canonical JSON of what the method takes."""

    code = "near-token-args"
    hint = "Build the request again; arguments are sorted by name, without blanks, and nothing is left over."


class NearTokenUnknown(NearRefusal):
    """A token contract that the register does not have."""

    code = "near-token-unknown"
    hint = "The administrators add the contract with its decimals to the policy's register, after checking both."


class NearTokenRefused(NearRefusal):
    """A token call that would fail or lose tokens: to the payer, to the contract, or out of order."""

    code = "near-token"
    hint = "Check the receivers; registrations come first and serve receivers of the same transaction."


class NearDeposit(NearRefusal):
    """A token call with another attached deposit than its method takes."""

    code = "near-deposit"
    hint = "ft_transfer and ft_transfer_call take exactly one yoctoNEAR, storage_deposit more than none."


class NearGas(NearRefusal):
    """Calls with no gas, with different gas, or with more than a transaction may have."""

    code = "near-gas"
    hint = "Give all calls the same gas, and a transaction at most 1,000 Tgas."


class NearNonce(NearRefusal):
    """A nonce that no block within the transaction's life can take."""

    code = "near-nonce"
    hint = "Build the request again: a nonce lies between 1 and a million times the height."


class NearMemoRefused(NearRefusal):
    """A memo or message that cannot be shown as it is."""

    code = "near-memo"
    hint = "A memo is 1 to 256 characters of printable ASCII without blanks at its ends; a message may be empty."


class NearContextRefused(NearRefusal):
    """A context that does not state exactly what the transaction needs."""

    code = "near-context"
    hint = "The coordinator states the block's height, and for transactions the validity period; nothing else."


class NearExpired(NearRefusal):
    """A delegate action whose last block is not above the stated height."""

    code = "near-expired"
    hint = "Build the request again with a later last block."


class NearKeyRefused(NearRefusal):
    """Keys that are none, stand twice, or are the signing key itself."""

    code = "near-key"
    hint = "Check the keys and paths; a wallet here has ed25519 keys only."


class NearAlreadySigned(NearRefusal):
    """Bytes that carry a signature already."""

    code = "near-already-signed"
    hint = "Give the unsigned transaction."


class NearBadSignature(NearRefusal):
    """A signature that does not verify, or not exactly one."""

    code = "near-bad-signature"
    hint = "Ask the signer again; if it repeats, stop and find out why."


class NearDelegateRefused(NearRefusal):
    """A delegate action that would move NEAR, or attach deposits which the relayer pays."""

    code = "near-delegate"
    hint = "A delegate action transfers tokens or rotates keys; pay NEAR with an ordinary transaction."


class NoProof(Refusal):
    """A ledger that has no form here in which a key proves that somebody holds it."""

    code = "no-proof"
    hint = "NEAR has one (NEP-413); elsewhere move a small sum that both sides agreed on."


class NearMessageRefused(NearRefusal):
    """A message for proving a key that is not as NEP-413 has it."""

    code = "near-message"
    hint = "A proof has a message, a nonce of 32 bytes, a recipient, and perhaps a callback."


# --- NEAR nodes -------------------------------------------------------------------------------------


class DestinationMissing(RecipientRefused):
    """A named account that does not exist: a payment to it would fail and come back, less its gas."""

    code = "destination-missing"
    hint = "Check the name with the recipient; only implicit accounts are created by a payment."


class ValidityTooShort(Refusal):
    """Transactions that live less long on this network than a crossing of the gap takes."""

    code = "validity-too-short"
    hint = "Lower crossing_seconds in the network's settings if the crossing is quicker than that."


class TokenDiffers(Refusal):
    """A token's contract that is not as noted here, or does not tell what must be known before it is sent."""

    code = "token-differs"
    hint = "Compare the contract with what was noted: `lockgate asset add` notes the code and the decimals."


class AnswerMissing(Refusal):
    """Money that seems to come from a transaction of ours whose signatures never came here."""

    code = "answer-missing"
    hint = "Import the answer, or carry its request to the signer once more: deposits are read on then."


class DeepReorganisation(Refusal):
    """Another chain stands where blocks were read that the settings called deep enough."""

    code = "deep-reorganisation"
    hint = "An incident: ask another node, and hold withdrawals; what is gone is taken back once the new chain is deep."


class HistoryMissing(NodeUnreachable):
    """Blocks between what was read and now that a node does not hold, or that do not follow each other."""

    code = "history-missing"
    hint = "Name a node that holds them; nothing was credited since, and nothing is lost."
