"""The account's pages for people: pipelines, cards, contacts, the trash bin and amoMarket."""
