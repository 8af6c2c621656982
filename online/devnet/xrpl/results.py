"""The engine's results as xrpld names, numbers and words them; the numbers are from xrpl-py's definitions."""

from __future__ import annotations

from typing import Final

from online.devnet.xrpl.definitions import result_number

MESSAGES: Final[dict[str, str]] = {
    "tesSUCCESS": "The transaction was applied. Only final in a validated ledger.",
    "tecDIR_FULL": "Can not add entry to full directory.",
    "tecNO_DST": "Destination does not exist. Send XRP to create it.",
    "tecNO_DST_INSUF_XRP": "Destination does not exist. Too little XRP sent to create it.",
    "tecPATH_DRY": "Path could not send partial amount.",
    "tecNO_ALTERNATIVE_KEY": "The operation would remove the ability to sign transactions with the account.",
    "tecUNFUNDED_PAYMENT": "Insufficient XRP balance to send.",
    "tecINSUFF_FEE": "Insufficient balance to pay fee.",
    "tecNO_TARGET": "Target account does not exist.",
    "tecNO_PERMISSION": "No permission to perform requested operation.",
    "tecNO_ENTRY": "No matching entry found.",
    "tecINSUFFICIENT_RESERVE": "Insufficient reserve to complete requested operation.",
    "tecNEED_MASTER_KEY": "The operation requires the use of the Master Key.",
    "tecDST_TAG_NEEDED": "A destination tag is required.",
    "tecDUPLICATE": "Ledger object already exists.",
    "tecTOO_SOON": "It is too early to attempt the requested operation. Please wait.",
    "tefALREADY": "The exact transaction was already in this ledger.",
    "tefBAD_AUTH": "Transaction's public key is not authorized.",
    "tefBAD_QUORUM": "Signatures provided do not meet the quorum.",
    "tefBAD_SIGNATURE": "A signature is provided for a non-signer.",
    "tefMASTER_DISABLED": "Master key is disabled.",
    "tefMAX_LEDGER": "Ledger sequence too high.",
    "tefNOT_MULTI_SIGNING": "Account has no appropriate list of multi-signers.",
    "tefPAST_SEQ": "This sequence number has already passed.",
    "tefWRONG_PRIOR": "This previous transaction does not match.",
    "tefNO_TICKET": "Ticket is not in ledger.",
    "telBAD_DOMAIN": "Domain too long.",
    "telINSUF_FEE_P": "Fee insufficient.",
    "telCAN_NOT_QUEUE": "Can not queue at this time.",
    "telCAN_NOT_QUEUE_FULL": "Can not queue at this time: queue is full.",
    "telWRONG_NETWORK": "Transaction specifies a Network ID that differs from that of the local node.",
    "telREQUIRES_NETWORK_ID":
        "Transactions submitted to this node/network must include a correct NetworkID field.",
    "telNETWORK_ID_MAKES_TX_NON_CANONICAL":
        "Transactions submitted to this node/network must NOT include a NetworkID field.",
    "temMALFORMED": "Malformed transaction.",
    "temBAD_AMOUNT": "Malformed: Bad amount.",
    "temBAD_FEE": "Invalid fee, negative or not XRP.",
    "temBAD_QUORUM": "Malformed: Quorum is unreachable.",
    "temBAD_REGKEY": "Malformed: Regular key cannot be same as master key.",
    "temBAD_SEND_XRP_LIMIT": "Malformed: Limit quality is not allowed for XRP to XRP.",
    "temBAD_SEND_XRP_MAX": "Malformed: Send max is not allowed for XRP to XRP.",
    "temBAD_SEND_XRP_NO_DIRECT": "Malformed: No Ripple direct is not allowed for XRP to XRP.",
    "temBAD_SEND_XRP_PARTIAL": "Malformed: Partial payment is not allowed for XRP to XRP.",
    "temBAD_SEND_XRP_PATHS": "Malformed: Paths are not allowed for XRP to XRP.",
    "temBAD_SIGNATURE": "Malformed: Bad signature.",
    "temBAD_SIGNER": "Malformed: No signer may duplicate account or other signers.",
    "temBAD_SRC_ACCOUNT": "Malformed: Bad source account.",
    "temBAD_WEIGHT": "Malformed: Weight must be a positive value.",
    "temDST_IS_SRC": "Destination may not be source.",
    "temDST_NEEDED": "Destination not specified.",
    "temINVALID": "The transaction is ill-formed.",
    "temINVALID_FLAG": "The transaction has an invalid flag.",
    "temREDUNDANT": "The transaction is redundant.",
    "temDISABLED": "The transaction requires logic that is currently disabled.",
    "temINVALID_ACCOUNT_ID": "Malformed: A field contains an invalid account ID.",
    "temCANNOT_PREAUTH_SELF": "Malformed: An account may not preauthorize itself.",
    "temINVALID_COUNT": "Malformed: Count field outside valid range.",
    "temSEQ_AND_TICKET": "Transaction contains a TicketSequence and a non-zero Sequence.",
    "terINSUF_FEE_B": "Account balance can't pay fee.",
    "terNO_ACCOUNT": "The source account does not exist.",
    "terPRE_SEQ": "Missing/inapplicable prior transaction.",
    "terPRE_TICKET": "Ticket is not yet in ledger.",
    "terQUEUED": "Held until escalated fee drops.",
}

SUCCESS: Final = "tesSUCCESS"


def code_of(result: str) -> int:
    """Give the number that xrpld answers beside the result's name."""
    return result_number(result)


def is_tec(result: str) -> bool:
    """Say whether the result claims the fee without doing what was asked."""
    return result.startswith("tec")


def is_retry(result: str) -> bool:
    """Say whether the result means that a later ledger may take the transaction."""
    return result.startswith("ter")
