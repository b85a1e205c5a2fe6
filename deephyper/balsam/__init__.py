"""Everything that is Balsam."""
