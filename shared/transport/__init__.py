"""The way across the air gap: a sealed message as QR frames or as a file, the same on both sides.

Order of the layers, outgoing: `message` (pack and split), `frames`, `base45`, `qr`, `terminal` or
`media`. Only `media` touches files and cameras. Nothing here authenticates: that is the
envelope's signature.
"""
