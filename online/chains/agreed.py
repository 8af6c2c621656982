"""Credits above a sum need a second node: what one node alone tells of money that arrived is believed up to there.

A node that lies, or whoever sits between, could else have money credited that never came, and withdrawn that is real.
What counts is all that one look finds of an asset, so that many small deposits are one large sum.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

from online.chains.api import Arrivals
from shared.errors import BadAmount, BadGatewaySettings, NodesDisagree
from shared.money import Asset, parse_amount

_COINS = re.compile(r"\d{1,39}(\.\d+)?", re.ASCII)


def require_sums(above: Any, second_url: str | None) -> None:
    """Check the setting `second_above`: whole coins as texts, by asset code, and a node that can be asked.

    Raises:
        BadGatewaySettings: if it is none.
    """
    rows = above.items() if isinstance(above, Mapping) else [(None, None)]
    if not all(isinstance(text, str) and _COINS.fullmatch(text) for _, text in rows):
        raise BadGatewaySettings('second_above names whole coins as texts, such as { XRP = "10000" }')
    if above and second_url is None:
        raise BadGatewaySettings("second_above needs a second_url")


def agreed(
    found: Arrivals, assets: Collection[Asset], above: Mapping[str, str], second: Callable[[], Arrivals]
) -> Arrivals:
    """Give what a first node told of, once the second tells the same of each asset of which it is more than its sum.

    What takes deposits back, a reorganisation deeper than final, both must tell, whatever the sums.

    Raises:
        NodesDisagree: while it does not; the look counts as not done. BadGatewaySettings: for a sum with more decimals
            than its asset has. As `Receiver.arrivals`, of the second node.
    """
    came: Counter[Asset] = Counter()
    for one in found.found:
        came[one.amount.asset] += 0 if one.refund else one.amount.units
    large = {asset for asset in assets if asset.code in above and came[asset] > _units(above[asset.code], asset)}
    if not large and found.rewound is None:
        return found
    other = second()
    if other.rewound != found.rewound:
        raise NodesDisagree("the second node does not tell of the same deep reorganisation")
    told = {(one.key, one.destination, one.amount) for one in other.found}
    for one in found.found:
        if one.amount.asset in large and not one.refund and (one.key, one.destination, one.amount) not in told:
            text = f"the second node does not tell of {one.amount} to {one.destination} by {one.tx_id}"
            raise NodesDisagree(text, passes=other.height < one.height)  # it has not read so far yet
    return found


def _units(text: str, asset: Asset) -> int:
    try:
        return parse_amount(text, asset).units
    except BadAmount as problem:
        raise BadGatewaySettings(f"second_above: {problem}") from None
