"""The air-gapped signer: eyes, keys and pen.

It knows no chain by name, holds no socket, and never signs what it did not decode.
"""
