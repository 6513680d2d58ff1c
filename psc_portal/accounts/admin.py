from functools import partial

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import Http404, JsonResponse
from django.urls import path, reverse

from psc_portal.accounts import actions, forms, permissions
from psc_portal.accounts.models import Invitation, Role, User
from psc_portal.common.admin import ActionAdmin, verb
from psc_portal.common.hand_over import HandOverForm

for model in (Group, EmailAddress, Authenticator, UserSession):  # changed by the verbs below and by each person
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class RoleFilter(admin.SimpleListFilter):
    title = "role"
    parameter_name = "role"

    def lookups(self, request, model_admin):
        return Role.choices

    def queryset(self, request, queryset):
        return queryset.filter(groups__name=self.value()) if self.value() else queryset


def _as_file(found: dict, name: str) -> JsonResponse:
    response = JsonResponse(found, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return response


@admin.register(User)
class UserAdmin(ActionAdmin):
    list_display = ["full_name", "email", "role_names", "is_active", "has_second_factor", "last_login"]
    list_filter = [RoleFilter, "is_active", "is_lay"]
    search_fields = ["full_name", "email"]
    fields = [
        "full_name",
        "email",
        "role_names",
        "is_lay",
        "is_active",
        "has_second_factor",
        "date_joined",
        "last_login",
    ]
    readonly_fields = ["role_names", "has_second_factor"]
    verbs = [
        verb(
            "grant_role",
            action=actions.grant_role,
            label="Give a role",
            form=forms.RoleForm,
            form_kwargs=lambda request, user: {"choices": forms.roles_not_held(user)},
            permission=permissions.can_manage_users,
            when=lambda user: user.is_active and bool(forms.roles_not_held(user)),
        ),
        verb(
            "revoke_role",
            action=actions.revoke_role,
            label="Take a role away",
            form=forms.RoleForm,
            form_kwargs=lambda request, user: {"choices": forms.roles_held(user)},
            permission=permissions.can_manage_users,
            when=lambda user: bool(forms.roles_held(user)),
        ),
        verb(
            "reset_second_factor",
            action=actions.reset_second_factor,
            label="Reset the second factor",
            form=forms.ResetSecondFactor,
            permission=permissions.can_reset_second_factor,
            when=lambda user: user.authenticator_set.exists(),
            intro="Their authenticator app, passkeys and recovery codes stop working and all their sessions end. "
            "At the next log-in they set up a new second factor. They are told by email.",
        ),
        verb(
            "deactivate",
            form=HandOverForm,
            form_kwargs=forms.hand_over_kwargs,
            action=actions.deactivate_user,
            label="Close the account",
            permission=permissions.can_deactivate,
            when=lambda user: user.is_active,
            intro="They cannot log in any more and their sessions end. What they did stays as it is.",
        ),
        verb(
            "reactivate",
            action=actions.reactivate_user,
            label="Open the account again",
            permission=permissions.can_manage_users,
            when=lambda user: not user.is_active,
        ),
        verb(
            "erase",
            form=HandOverForm,
            form_kwargs=forms.hand_over_kwargs,
            action=actions.erase_person,
            label="Erase the person",
            permission=permissions.can_deactivate,
            intro="Their name, e-mail address, log-in, and what they wrote about themselves are taken out. What they "
            "did stays, by “Erased person”. This cannot be undone. Export first what they may ask for.",
            success=lambda user, erased: f"Erased: {'; '.join(erased)}.",
        ),
    ]

    change_list_template = "admin/user_change_list.html"
    erase_address = verb(
        "erase_address",
        action=actions.erase_address,
        label="Erase what an e-mail address gave",
        form=forms.Address,
        permission=permissions.can_manage_users,
        intro="For somebody without an account: feedback, places at events, subscriptions and reminders that came with "
        "this address. Export first what they may ask for. This cannot be undone.",
        success=lambda _obj, done: " ".join(done),
    )
    export_address = verb(
        "export_address",
        action=actions.export_address,
        label="Export what an e-mail address gave",
        form=forms.Address,
        permission=permissions.can_manage_users,
        intro="For somebody without an account: a file to look through and send. Make sure first that the address is "
        "theirs, for example by answering to it.",
    )

    def get_urls(self):
        export = path(
            "<path:object_id>/export/", self.admin_site.admin_view(self.export_view), name="accounts_user_export"
        )
        of_address = [
            path(
                f"{one.name}/",
                self.admin_site.admin_view(partial(self.address_view, one=one)),
                name=f"accounts_user_{one.name}",
            )
            for one in (self.export_address, self.erase_address)
        ]
        return [*of_address, export, *super().get_urls()]

    def address_view(self, request, one):
        if not one.permission(request.user):
            raise Http404
        return self._answer(request, one, None)

    def _act(self, request, one, obj, form):
        if one is self.export_address:
            return _as_file(actions.export_address(**form.cleaned_data, by=request.user), "address")
        return super()._act(request, one, obj, form)

    def verb_links(self, request, obj):
        export = ("Export what we hold", reverse("admin:accounts_user_export", args=[obj.pk]))
        return [*super().verb_links(request, obj), export]

    def export_view(self, request, object_id):
        """A file with everything that the portal holds of the person, for staff to look through and send."""
        user = self.get_object(request, object_id)
        if user is None or not permissions.can_manage_users(request.user, user):
            raise Http404
        return _as_file(actions.export_person(user=user, by=request.user), f"person-{user.pk}")

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("groups", "authenticator_set")

    @admin.display(description="roles")
    def role_names(self, user):
        return ", ".join(sorted(group.name for group in user.groups.all())) or "none"

    @admin.display(description="second factor", boolean=True)
    def has_second_factor(self, user):
        return any(one.type != Authenticator.Type.RECOVERY_CODES for one in user.authenticator_set.all())


@admin.register(Invitation)
class InvitationAdmin(ActionAdmin):
    list_display = ["full_name", "email", "role", "state", "invited_by", "created_at", "expires_at"]
    list_select_related = ["invited_by"]
    search_fields = ["full_name", "email"]
    fields = [
        "full_name", "email", "role", "is_lay", "state", "invited_by", "created_at", "expires_at", "accepted_at",
        "withdrawn_at",
    ]  # fmt: skip
    readonly_fields = ["state"]
    add = verb(
        "add",
        action=actions.invite_reviewer,
        label="Invite a reviewer",
        form=forms.InviteReviewer,
        permission=permissions.can_manage_users,
        success="The invitation is on its way.",
    )
    verbs = [
        verb(
            "withdraw",
            action=actions.withdraw_invitation,
            label="Withdraw the invitation",
            permission=permissions.can_manage_users,
            when=lambda invitation: invitation.state in {"waiting", "expired"},
            intro="The link in the email stops working.",
        )
    ]
