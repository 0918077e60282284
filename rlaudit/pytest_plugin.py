"""The pytest plugin of rlaudit."""
