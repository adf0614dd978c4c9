"""A Bitrix24 portal and its auth server, played from their documentation."""
