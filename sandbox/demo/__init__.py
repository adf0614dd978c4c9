"""The traffic player: one business day of an invented company, played against a running hub."""
