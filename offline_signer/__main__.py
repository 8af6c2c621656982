"""Runs the signer's commands: `python -m offline_signer`."""

from offline_signer.cli import main

main()
