"""Peers by their public interfaces; a peer's package is imported when the peer is made."""
