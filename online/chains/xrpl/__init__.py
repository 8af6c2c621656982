"""The XRP Ledger as the coordinator sees it.

`client` asks, `build` builds, `broadcast` submits, `watch` decides.
It holds no key and believes no node more than its validated ledger.
"""
