"""The sandbox amoCRM: API v4 as the project's fact sheet tells it."""
