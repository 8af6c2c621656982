"""The commands of the signer: each parses, calls one function, prints."""

from offline_signer.cli.main import main

__all__ = ["main"]
