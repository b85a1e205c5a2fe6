"""The trainings that the tables are made of."""
