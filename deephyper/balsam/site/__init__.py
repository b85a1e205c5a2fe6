"""The needs of Balsam on a machine: a database, settings for its scheduler, a launcher."""
