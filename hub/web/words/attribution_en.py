"""The texts of the models of attribution in English."""

from collections.abc import Mapping

ATTRIBUTION_EN: Mapping[str, str] = {
    "report.model": "Credit by",
    "report.model_name.last": "Last touch",
    "report.model_name.first": "First touch",
    "report.model_name.last_non_direct": "Last touch that is not direct",
    "report.model_name.linear": "All touches alike",
    "report.model_name.time_decay": "Time decay, half in 7 days",
    "report.model_name.position_40_20_40": "Position 40 – 20 – 40",
    "report.model_name.position_20_60_20": "Position 20 – 60 – 20",
    "report.model_name.position_10_50_40": "Position 10 – 50 – 40",
    "report.model_name.shapley": "Shapley",
    "report.model_name.markov": "Markov",
    "report.model_about.last": "Each enquiry and its deals belong to the visit or placement the enquiry is matched to.",
    "report.model_about.first": "Each enquiry and its deals belong to the first visit of the 90 days before it: who made us known.",
    "report.model_about.last_non_direct": "Each enquiry and its deals belong to the last visit that came from somewhere; direct visits count only when there are no others.",
    "report.model_about.linear": "Each enquiry and its deals are divided alike between all visits of the 90 days before it.",
    "report.model_about.time_decay": "Each enquiry and its deals are divided between the visits before it; a visit 7 days older weighs half.",
    "report.model_about.position_40_20_40": "The first and the last visit have 40% each, the visits between them share 20%.",
    "report.model_about.position_20_60_20": "The first and the last visit have 20% each, the visits between them share 60%.",
    "report.model_about.position_10_50_40": "The first visit has 10%, the last 40%, the visits between them share 50%.",
    "report.model_about.shapley": "Each enquiry and its deals are divided alike between the different sources and campaigns before it, however often each was visited.",
    "report.model_about.markov": "Everything is divided by how much would be lost without a source or campaign, as journeys with and without an enquiry show.",
    "report.model_foot": "Visits and spend do not depend on the model, nor do the totals. “Last” is by the last touch. Parts of enquiries and deals are rounded to one decimal place here; the parts of money are exact.",
    "report.by_last": "last {value}",
    "report.caveat.few_journeys": "This model learned from {n} journey: that is too few, its figures are little more than chance.|"
    "This model learned from {n} journeys: that is too few, its figures are little more than chance.",
    "report.caveat.put_together": "{n} least visited source or campaign is one too many for this model: it stands under “Other sources”.|"
    "{n} least visited sources and campaigns are too many for this model: they stand together under “Other sources”.",
    "source.other": "Other sources",
}
