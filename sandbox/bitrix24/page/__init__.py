"""The portal's pages for people: deals, cards with the app's tabs, the app itself in its iframe."""
