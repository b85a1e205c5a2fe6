"""The commands of Balsam."""
