"""Protocol-faithful simulators of the vendors, for the demo, the tests and anyone without an account."""
