import pytest

from psc_portal.common.theme import channels, check_theme, contrast, mix, style_sheet


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [  # worked with the formula of WCAG 2.2; #767676 on white is the well-known least grey
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#767676", "#ffffff", 4.54),
        ("#005eb8", "#ffffff", 6.38),
    ],
)
def test_contrast_follows_wcag(one, other, ratio):
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert contrast(other, one) == contrast(one, other)


def test_a_colour_must_be_six_digits():
    with pytest.raises(ValueError, match="red"):
        channels("red")


def test_mixing_goes_from_one_colour_to_the_other():
    assert [mix("#000000", "#ffffff", share) for share in (0, 0.5, 1)] == ["#000000", "#808080", "#ffffff"]


def test_the_colours_that_are_shipped_can_be_read():
    assert check_theme(None) == []


@pytest.mark.parametrize(
    ("colours", "code"),
    [({"brand": "#ffee00"}, "portal.E002"), ({"link": "blue"}, "portal.E001"), ({"button": "#7fbf7f"}, "portal.E002")],
)
def test_colours_that_cannot_be_read_are_refused(settings, colours, code):
    settings.THEME = settings.THEME | colours

    assert [error.id for error in check_theme(None)] == [code]


def test_the_style_sheet_carries_the_colours_of_the_collaborative(settings):
    settings.THEME = settings.THEME | {"brand": "#330072"}

    assert "--app-brand: #330072;" in style_sheet()
    assert "font-face" not in style_sheet()
