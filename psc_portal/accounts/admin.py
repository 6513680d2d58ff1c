from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group

from psc_portal.accounts import actions, forms, permissions
from psc_portal.accounts.models import Invitation, Role, User
from psc_portal.common.admin import ActionAdmin, verb

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
    ]

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
