"""The forms on a campaign's pages."""

from typing import TYPE_CHECKING, Any

from django import forms

from campaigns.definitions import NUMBERS
from campaigns.models import Campaign
from interactions.models import Shopper

if TYPE_CHECKING:
    CampaignFormBase = forms.ModelForm[Campaign]
else:
    CampaignFormBase = forms.ModelForm


class CampaignForm(CampaignFormBase):
    """The numbers of one campaign, each with its default; only what differs is kept."""

    class Meta:
        model = Campaign
        fields = ["compares_subjects"]

    def clean(self) -> dict[str, Any]:
        """Refuse numbers that contradict each other."""
        cleaned = super().clean() or {}
        for first, second in (("send_hour", "expire_hour"), ("idle_hours", "oldest_hours")):
            low, high = cleaned.get(f"number_{first}"), cleaned.get(f"number_{second}")
            if low is not None and high is not None and low >= high:
                self.add_error(f"number_{second}", "This must be later than the one before.")
        return cleaned

    def save(self, commit: bool = True) -> Campaign:
        """Keep the numbers that differ from their defaults."""
        defaults = {number.name: number.default for number in NUMBERS[self.instance.kind]}
        said = {name: self.cleaned_data[f"number_{name}"] for name in defaults}
        self.instance.changed_numbers = {name: value for name, value in said.items() if value != defaults[name]}
        return super().save(commit)


def form_for(campaign: Campaign) -> type[CampaignForm]:
    """Return the form with a field for each number of this campaign."""
    fields: dict[str, Any] = {
        f"number_{number.name}": forms.IntegerField(
            label=number.label,
            min_value=number.least,
            max_value=number.most,
            initial=campaign.numbers[number.name],
            help_text=f"Default: {number.default}",
        )
        for number in NUMBERS[campaign.kind]
    }
    return type("NumbersForm", (CampaignForm,), fields)


class PersonForm(forms.Form):
    """Who a preview, a test or an advance is about."""

    user_id = forms.CharField(label="Shopper", max_length=128, help_text="The shop's own id of a person.")

    def clean_user_id(self) -> str:
        """Refuse somebody nobody knows."""
        user_id: str = self.cleaned_data["user_id"]
        if not Shopper.objects.filter(user_id=user_id).exists():
            raise forms.ValidationError("Nobody is known by that id.")
        return user_id


class TestForm(PersonForm):
    """Whose mail is sent as a test, and to whom."""

    to = forms.EmailField(label="Send to", max_length=254)
