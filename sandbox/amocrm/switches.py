"""The named switches of the sandbox amoCRM: each fact the sheet leaves open, and the account's options."""

from sandbox.dial import Knob, boolean, choice, number, text

SWITCHES = (
    # Tokens (sheet section 1).
    Knob("access_ttl", 86400, number(1), "Seconds an access token lives."),
    Knob("refresh_ttl", 7_776_000, number(1), "Seconds a refresh token lives (3 months)."),
    Knob("code_ttl", 1200, number(1), "Seconds an authorization code lives."),
    Knob(
        "refresh_grace",
        False,
        boolean,
        "Kommo's grace: the old refresh token works until the new one is used.",
    ),
    Knob("token_error_body", "problem", choice("problem", "html"), "Body of token endpoint errors."),
    Knob("from_widget", "1", text, "Value of `from_widget` in the Install button's request."),
    Knob(
        "jwt_claims",
        "full",
        choice("full", "api_domain"),
        "Claims of the access token: all of 1.5 or fewest.",
    ),
    # Limits (section 2).
    Knob("client_rps", 7, number(1), "Requests per second of one integration."),
    Knob("account_rps", 50, number(1), "Requests per second of the account over all integrations."),
    Knob("retry_after", 300, number(0), "`retry_after` in the 429 body, seconds; 0 leaves it out."),
    Knob("retry_after_header", False, boolean, "Whether a 429 carries a Retry-After header as well."),
    Knob("body_429", "json", choice("json", "html"), "Body of a 429."),
    Knob(
        "block_after", 30, number(0), "Number of 429 within `block_window` that blocks the account; 0 never."
    ),
    Knob("block_window", 60, number(1), "Seconds in which those 429 are counted."),
    Knob("block_seconds", 0, number(0), "Seconds a block lasts; 0 until `POST /_sandbox/unblock`."),
    # Account options (sections 0, 3, 4, 7).
    Knob("api_filters", False, boolean, "The paid filter option; off: filters are silently ignored."),
    Knob("unsorted_on", True, boolean, "`is_unsorted_on` of the account."),
    Knob("webhooks_plan", True, boolean, "Whether the tariff has webhooks."),
    Knob(
        "webhooks_plan_status",
        402,
        choice(402, 403),
        "Answer to a subscription on a tariff without webhooks.",
    ),
    Knob(
        "duplicate_control", False, boolean, "Duplicate control of `leads/complex` by phone and text field."
    ),
    Knob("minor_units_key", False, boolean, "Whether leads carry `price_with_minor_units` (newer accounts)."),
    # Reading lists (sections 3.5, 3.8, 5.1).
    Knob("query_digits", True, boolean, "Whether `query` also compares phone digits (needle of 7 or more)."),
    Knob("query_words", False, boolean, "Whether `query` needs whole words instead of any substring."),
    Knob(
        "search_lag_scope",
        "cards",
        choice("cards", "all"),
        "`all`: the lag hides notes, tasks, unsorted too.",
    ),
    Knob("next_on_full_page", False, boolean, "Emit `_links.next` whenever the page is full."),
    Knob("unsorted_listed", False, boolean, "Whether cards waiting in unsorted show in lists."),
    Knob("deleted_reduced", True, boolean, "Whether `with=only_deleted` gives the reduced model."),
    Knob(
        "if_modified_since",
        "ignore",
        choice("ignore", "304", "204"),
        "Answer to an unchanged conditional list.",
    ),
    Knob("events_order", "desc", choice("desc", "asc"), "Order of `/events`."),
    Knob("events_days", 0, number(0), "Days the history is kept; 0 for ever."),
    # Writing (sections 3.6, 3.7, 3.10, 5.5).
    Knob(
        "partial_batches", False, boolean, "Good items of a flawed batch are stored although 400 is answered."
    ),
    Knob("missing_key_code", "FieldMissing", text, "Validation code of an absent mandatory key."),
    Knob("patch_missing_single", 404, choice(400, 404), "Answer to PATCH of one unknown id."),
    Knob("patch_missing_code", "EntityNotFound", text, "Validation code of an unknown id in a PATCH array."),
    Knob("complex_limit_status", 400, choice(400, 422), "Answer to more than 50 leads in `leads/complex`."),
    Knob(
        "merged_request_ids", True, boolean, "Complex items merged into one lead list all their request ids."
    ),
    Knob("reopening_clears_closed_at", True, boolean, "Moving out of 142/143 clears `closed_at`."),
    Knob("empty_value_clears", True, boolean, 'Whether `values: [{"value": ""}]` clears a field.'),
    Knob(
        "empty_array_clears",
        True,
        boolean,
        "Whether `values: []` clears a field; otherwise it changes nothing.",
    ),
    Knob("tags_mix", "both", choice("both", "reject"), "`_embedded.tags` together with `tags_to_add`."),
    Knob("text_limit", 256, number(0), "Most characters of text, url and tracking fields; 0 for no limit."),
    Knob("over_text_limit", "reject", choice("reject", "truncate"), "What happens to a longer value."),
    Knob("name_limit", 0, number(0), "Most characters of a card's name; 0 for no limit."),
    Knob("field_code_unique", True, boolean, "Whether two fields of one kind may not share a code."),
    Knob(
        "contact_field_code_fails", False, boolean, "Creating a contact field with a code fails (issue 604)."
    ),
    Knob("link_again", "ok", choice("ok", "400"), "Linking what is linked already."),
    # Calls and unsorted (sections 3.13, 3.14).
    Knob("calls_mixed_status", 200, choice(200, 400), "Status of `/calls` when only a part was placed."),
    Knob("calls_error_keys", "full", choice("full", "title"), "Keys of an error of `/calls`."),
    Knob("uniq_enforced", False, boolean, "Whether a repeated `uniq` of a call is refused."),
    Knob(
        "unsorted_duplicates", "error", choice("error", "allowed"), "Re-adding what is pending in unsorted."
    ),
    Knob("unsorted_fresh_seconds", 0, number(0), "Age below which accepting answers 400 (issue 477)."),
    Knob("unsorted_metadata_types", "odd", choice("odd", "plain"), "`odd`: duration a string, phone an int."),
    Knob("source_id_returns", True, boolean, "A re-created external_id gets its old source id back."),
    # Phone look-ups (section 3.8).
    Knob("by_phone", "list", choice("list", "off"), "Answer shape of `/api/v2/search/by_phone`; `off`: 404."),
    # Webhooks (section 4).
    Knob("duplicate_webhook", 0, number(0, 1), "Share of webhooks sent twice."),
    Knob("lost_webhook", 0, number(0, 1), "Share of webhooks never sent."),
    Knob("shuffled_webhook", 0, number(0, 1), "Share of webhooks held until after the next one."),
    Knob("webhook_timeout", 2, number(0.01, 60), "Real seconds a receiver has to answer."),
    Knob(
        "webhook_account_keys", "full", choice("full", "subdomain"), "`subdomain`: the old captures' account."
    ),
    Knob("webhook_account_first", False, boolean, "Whether `account[...]` comes before the cards."),
    Knob("own_changes_fire_hooks", True, boolean, "Whether our own token's changes come back as webhooks."),
    Knob("upsert_enables_hook", False, boolean, "Whether re-subscribing clears `disabled`."),
    Knob("unsorted_hook_names", True, boolean, "Whether add/update/delete_unsorted can be subscribed to."),
    Knob("accept_fires_add_lead", False, boolean, "Whether accepting unsorted also sends `leads[add]`."),
    Knob(
        "call_text_keys",
        "upper",
        choice("upper", "lower"),
        "Keys of the JSON text of a call note in webhooks.",
    ),
    Knob("hook_scalar_texts", False, boolean, "Whether text and checkbox values are scalars (older docs)."),
)
