"""Small local ledgers behind the real nodes' RPC shapes, for the demo and the tests.

They check signatures with code other than ours and hold no real money. They never import `shared`: a
world that used our codec could not catch its mistakes.
"""
