import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils.functional import cached_property

from psc_portal.common import clock


class Role(models.TextChoices):
    """What a person may be to the programme; each is a Django group of this name."""

    PROGRAMME_STAFF = "programme staff", "Programme staff"
    REVIEWER = "reviewer", "Reviewer"
    LEAD = "lead", "Lead"


ADMIN_ROLES = {Role.PROGRAMME_STAFF, Role.REVIEWER}  # they work in the admin, so they are `is_staff`


class UserManager(BaseUserManager):
    def create_user(self, email, password=None, **fields):
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, email):
        return self.get(email__iexact=email)


class UserQuerySet(models.QuerySet):
    def with_role(self, role):
        return self.filter(groups__name=role, is_active=True)


class User(AbstractBaseUser, PermissionsMixin):
    """A person. The e-mail is the user name; erasing a person blanks this row and keeps what points at it."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField("e-mail address", max_length=254, unique=True)
    full_name = models.CharField("full name", max_length=150)
    is_staff = models.BooleanField("may open the admin", default=False)
    is_active = models.BooleanField("active", default=True)
    is_lay = models.BooleanField("lay reviewer", default=False, help_text="reviews as a member of the public")
    is_demonstration = models.BooleanField("demonstration user", default=False, editable=False)
    date_joined = models.DateTimeField(default=clock.now, editable=False)

    objects = UserManager.from_queryset(UserQuerySet)()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["full_name"]

    class Meta:
        ordering = ["full_name", "pk"]
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique_in_any_case")]

    def __str__(self):
        return self.display_name

    @property
    def display_name(self) -> str:
        return self.full_name or self.email

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name

    @cached_property
    def roles(self) -> frozenset[str]:
        return frozenset(self.groups.values_list("name", flat=True)) if self.is_active else frozenset()

    @property
    def is_programme_staff(self) -> bool:
        return Role.PROGRAMME_STAFF in self.roles

    @property
    def is_reviewer(self) -> bool:
        return Role.REVIEWER in self.roles

    @property
    def is_lead(self) -> bool:
        return Role.LEAD in self.roles


class InvitationQuerySet(models.QuerySet):
    def waiting(self):
        return self.filter(accepted_at__isnull=True, withdrawn_at__isnull=True, expires_at__gt=clock.now())


class Invitation(models.Model):
    """A person asked by e-mail to take a role. The link is in the mail only; here is its hash."""

    email = models.EmailField("e-mail address", max_length=254)
    full_name = models.CharField("full name", max_length=150)
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.REVIEWER)
    is_lay = models.BooleanField("lay reviewer", default=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="invitations_sent")
    created_at = models.DateTimeField("invited", default=clock.now, editable=False)
    expires_at = models.DateTimeField("link works until")
    accepted_at = models.DateTimeField("accepted", null=True, editable=False)
    accepted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, editable=False, related_name="+")
    withdrawn_at = models.DateTimeField("withdrawn", null=True, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(accepted_at__isnull=True, accepted_by__isnull=True)
                | models.Q(accepted_at__isnull=False, accepted_by__isnull=False),
                name="invitation_accepted_by_whom_and_when",
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at__isnull=True) | models.Q(withdrawn_at__isnull=True),
                name="invitation_not_both_accepted_and_withdrawn",
            ),
        ]

    def __str__(self):
        return f"{self.full_name} ({self.get_role_display().lower()})"

    @property
    def state(self) -> str:
        if self.accepted_at:
            return "accepted"
        if self.withdrawn_at:
            return "withdrawn"
        return "waiting" if self.expires_at > clock.now() else "expired"
