"""The form in which an operator types a tracking id, and confirms one that is unchecked."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from couriers.operations.decisions import MAX_REASON
from couriers.operations.tracking_id_check import MAX_ID


class TrackingIdForm(forms.Form):
    """A tracking id with a reason.

    Where the courier cannot say whether the id is the order's, the form is shown again with a
    checkbox. The checkbox counts for that id alone, which `asked_about` holds.
    """

    tracking_id = forms.CharField(
        max_length=MAX_ID, label="Tracking id", widget=UnfoldAdminTextInputWidget
    )
    waybill = forms.CharField(max_length=MAX_ID, required=False, widget=UnfoldAdminTextInputWidget)
    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)
    asked_about = forms.CharField(required=False, widget=forms.HiddenInput)
    confirm_unchecked = forms.BooleanField(
        required=False,
        label="I looked in the courier's panel: it has this id, for this order.",
        widget=forms.CheckboxInput,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self["asked_about"].value():
            self.fields["confirm_unchecked"].widget = forms.HiddenInput()

    @property
    def answers(self) -> dict[str, Any]:
        """The arguments for the decision. The checkbox counts if it is about the id in the form."""
        asked_about, confirmed = (
            self.cleaned_data[name] for name in ("asked_about", "confirm_unchecked")
        )
        answers = {name: self.cleaned_data[name] for name in ("tracking_id", "waybill", "reason")}
        same = asked_about == answers["tracking_id"]
        return {**answers, "confirm_unchecked": confirmed and same}

    def ask_to_confirm(self, said: str) -> TrackingIdForm:
        """The form to show next, with the checkbox; `said` is what the courier said."""
        data = {name: self.data.get(name) for name in self.data}
        data[self.add_prefix("asked_about")] = self.cleaned_data["tracking_id"]
        data.pop(self.add_prefix("confirm_unchecked"), None)
        form = type(self)(data, prefix=self.prefix)
        form.add_error(None, f"{said}. Look there first, then confirm the id below.")
        return form
