"""What staff do with the reviewing of a whole call: screen one after the other, and assign reviewers to all."""

from django.contrib import messages
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from proposals import actions, forms, permissions, readings
from proposals.admin.shown import names_told_by_each
from proposals.models import Call, Proposal
from psc_portal.common import clock
from psc_portal.common.refusals import ActionRefused

IN_ASSESSMENT = (Call.Status.PUBLISHED, Call.Status.ASSESSMENT)


class ReviewingOfCall:
    """Pages of CallAdmin."""

    def get_urls(self):
        assign = path(
            "<path:object_id>/assign/", self.admin_site.admin_view(self.assign_view), name="proposals_call_assign"
        )
        return [assign, *super().get_urls()]

    def verb_links(self, request, obj):
        links = super().verb_links(request, obj)
        if obj.status in IN_ASSESSMENT and permissions.can_manage_call(request.user, obj):
            waiting = readings.to_screen(request.user, obj)
            if first := waiting.values_list("pk", flat=True).first():
                count = waiting.count()
                many = "1 proposal" if count == 1 else f"{count} proposals"
                links.append((f"Screen {many}", reverse("admin:proposals_proposal_screen", args=[first])))
            if obj.proposals.filter(status=Proposal.Status.IN_ASSESSMENT).exists():
                links.append(("Assign reviewers to all", reverse("admin:proposals_call_assign", args=[obj.pk])))
        return links

    def assign_view(self, request, object_id):
        """A plan that gives every proposal its reviewers, looked at before it is done."""
        call = self.get_object(request, object_id)
        if call is None or not permissions.can_manage_call(request.user, call) or call.status not in IN_ASSESSMENT:
            raise Http404
        everyone = list(readings.reviewers())
        data = request.POST if request.method == "POST" else request.GET
        chosen = set(data.getlist("reviewers"))
        is_first_look = not chosen and "plan" not in data  # nobody ticked is nobody, and not everyone
        people = everyone if is_first_look else [one for one in everyone if str(one.pk) in chosen]
        actions.infer_conflicts(proposals=call.proposals.filter(status=Proposal.Status.IN_ASSESSMENT))
        plan = readings.plan_of(call, request.user, people)
        form = self._plan_form(request, call, people, plan)
        loads = {user.pk: (before, after) for user, before, after in plan.loads}
        if request.method == "POST" and form.is_valid():
            try:
                made = actions.assign_to_all(call=call, by=request.user, **form.cleaned_data)
            except ActionRefused as refusal:
                form.add_error(None, str(refusal))
            else:
                many = "1 review is" if len(made) == 1 else f"{len(made)} reviews are"
                messages.success(request, f"{many} assigned. Each reviewer gets one mail.")
                return HttpResponseRedirect(reverse("admin:proposals_call_change", args=[call.pk]))
        if form.is_bound:
            form.data = form.data.copy()
            form.data["fingerprint"] = plan.fingerprint  # of the plan on this page: what the next press confirms
        context = {
            **self.admin_site.each_context(request),
            "title": f"Assign reviewers: {call}",
            "opts": self.opts,
            "subject": call,
            "call": call,
            "form": form,
            "plan": plan,
            "names_told": names_told_by_each(call, [one.proposal for one in plan.changed]),
            "rows": [(one, one in set(people), *loads.get(one.pk, (None, None))) for one in everyone],
            "left_out": request.POST.getlist("leave_out"),
            "back_url": reverse("admin:proposals_call_change", args=[call.pk]),
        }
        return TemplateResponse(request, "proposals/admin_assign_all.html", context)

    @staticmethod
    def _plan_form(request, call, people, plan):
        due_on = call.reviews_due_on
        initial = {"due_on": due_on if due_on and due_on >= clock.today() else None, "fingerprint": plan.fingerprint}
        data = request.POST if request.method == "POST" else None
        return forms.AssignAllForm(data, initial=initial, people=people, plan=plan)
