"""The commands about Balsam."""
