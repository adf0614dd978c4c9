"""The rules of publication that no program judges: what a person must look at."""

from connectors.bitrix24.mappings import CARD_TABS
from connectors.publication import Finding, Ruling

# Rules that no program can judge.
BY_HAND = (
    Finding(
        "T9",
        "Removing the application deletes the stored access; installing it again works",
        Ruling.LOOK,
        to_do="Remove the application on a test portal and install it again: the hub throws the tokens away at the removal, and the page connects by itself. Once, tick that data are deleted: the hub's page of connections names the day.",
    ),
    Finding(
        "T8",
        "The installer leaves no empty page",
        Ruling.LOOK,
        to_do="Install on a test portal: our page shows the settings of the account and finishes the installation by itself; then each deal has our tab.",
    ),
    Finding(
        "T10",
        "Tested on a clean portal, as administrator and as employee",
        Ruling.LOOK,
        to_do="Make a new portal, not the one you develop on; connect it, call a number of the hub, open the deal as both.",
    ),
    Finding(
        "T11",
        "No script errors, raw HTML, broken texts or server errors; looks like Bitrix24",
        Ruling.LOOK,
        to_do="Open our page in the portal at a width of 1280: the console of the browser is silent, nothing scrolls sideways.",
    ),
    Finding(
        "T12",
        "Passes the moderators' security scanner",
        Ruling.LOOK,
        to_do="Nobody but the moderators has it: have a scanner of your own look at the hub's address before.",
    ),
    Finding(
        "T14",
        "Options of the version are set as the application is",
        Ruling.LOOK,
        to_do="Switch “Add widgets” on, with "
        + ", ".join(CARD_TABS)
        + "; “Add custom page and menu item” on: the account's settings stand there; “can be installed without admin rights” off: tabs and deletions need an administrator.",
    ),
    Finding(
        "T15",
        "Demo data is nobody's",
        Ruling.LOOK,
        to_do="Look at phones and e-mails on the test portal and on screenshots; the hub's own demo draws phone numbers at"
        " random from real ranges, so they may be somebody's: replace them.",
    ),
)

# What no program can judge of the card [8.2].
CARD_BY_HAND = (
    Finding(
        "8.2",
        "Full description",
        Ruling.LOOK,
        to_do="Say what it does, its limits, the plan and the rights it needs, what is paid elsewhere, with a link to the prices; then set “User needs to pay for the external service” if anything is.",
    ),
    Finding(
        "8.2",
        "Installation text",
        Ruling.LOOK,
        to_do="Let somebody follow it who has never installed anything, on the hub's side, too.",
    ),
    Finding("8.2", "Support", Ruling.LOOK, to_do="Name channels, working hours, and how soon you answer."),
    Finding(
        "8.2",
        "Licence and privacy policy",
        Ruling.LOOK,
        to_do="Link your own licence, and /privacy of your hub or a policy of your own.",
    ),
    Finding(
        "8.2", "Test Data", Ruling.LOOK, to_do="Give the moderators an account of the hub that they can log in to."
    ),
    Finding(
        "8.2",
        "Languages",
        Ruling.LOOK,
        to_do="English is a must in the global catalogue, Russian in the Russian one; with version 2, “What's new” in all.",
    ),
)
