from django.contrib.auth import get_user_model

from psc_portal.accounts.models import Role
from tests.functional.browsing import DESKTOP, PHONE, overflow


def test_the_home_page_is_whole_on_phone_and_desktop(visit, axe):
    for width in (PHONE, DESKTOP):
        page = visit(width)

        page.goto("/")

        assert page.locator("h1").count() == 1
        assert overflow(page) <= 0
        axe(page)


def test_staff_log_in_with_a_second_factor_and_open_the_admin(visit, axe, make_person, log_in):
    staff = make_person(staff=True)
    page = visit()

    log_in(page, staff)
    page.goto("/admin/")

    assert page.locator("h1").first.is_visible()
    axe(page, stock_admin=True)
    assert Role.PROGRAMME_STAFF in get_user_model().objects.get(pk=staff.pk).roles
