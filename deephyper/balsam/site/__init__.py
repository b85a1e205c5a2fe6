"""What Balsam needs on a machine: a database, settings for its scheduler, a launcher."""
