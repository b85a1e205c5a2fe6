"""Peers that run in an environment of their own: started by path, never imported from here."""
