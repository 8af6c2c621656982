"""NEAR as the coordinator sees it.

`client` asks, `receipts` and `settle` read what happened, `build` builds, `broadcast` submits, `watch` decides,
`deposits` notices what came in. It holds no key and believes no node more than its final blocks.
"""
