"""The words of a person's path in English."""

from collections.abc import Mapping

PERSON_EN: Mapping[str, str] = {
    "person.title": "The person's path",
    "person.one": "{n} visit in this browser|{n} visits in this browser",
    "person.several": "{n} visit, in {browsers} browsers that we take for one person's|{n} visits, in {browsers} browsers "
    "that we take for one person's",
    "person.cut": "The latest {n} are shown.",
    "person.browser": "browser {n}",
    "person.matched": "the visit of this enquiry",
    "person.why": "Why we think it is one person",
    "person.its_visits": "{n} visit|{n} visits",
    "person.same.phone": "Same phone",
    "person.same.email": "Same e-mail",
    "person.same.contact": "Same contact in the CRM",
    "person.same.user": "Same user of your site",
    "person.told": "the site told it on {when}",
    "person.not_same": "Not the same person",
    "person.undone": "Taken for somebody else",
    "person.undone_own": "This enquiry's own browser",
    "person.undone_other": "Another browser",
    "person.undone_by": "{who}, {when}",
    "person.back": "The same person after all",
    "person.shared.phone": "This phone came from {n} browsers. It is not one person's, so it joins nobody.",
    "person.shared.email": "This e-mail came from {n} browsers. It is not one person's, so it joins nobody.",
    "person.shared.contact": "{n} browsers led to this contact in the CRM. It is not one person, so it joins nobody.",
    "person.shared.user": "This user of your site came in {n} browsers. It is not one person, so it joins nobody.",
    "person.shared_browser": "More phones, e-mails, contacts or users are known of this browser than one person has, so it "
    "is joined with nobody.",
}
