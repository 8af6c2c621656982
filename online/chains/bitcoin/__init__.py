"""Bitcoin with Counterparty as the coordinator sees it: bitcoind's JSON-RPC, and counterparty-core's v2 API.

`client` asks, `coins` chooses, `build` builds, `broadcast` submits, `watch` decides. It holds no key, believes no
composing server, and calls nothing final that has fewer confirmations than the settings ask for.
"""
