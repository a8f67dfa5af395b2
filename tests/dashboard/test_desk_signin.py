import pytest

from config.words import Words
from dashboard.signin import in_language, language_of, signin_page


@pytest.mark.parametrize(
    ("asked", "following", "cookie", "lang"),
    [
        ("zh", "/wall?lang=en", "en", "zh"),
        (None, "/wall?lang=en", "zh", "en"),
        (None, "/wall", "en", "en"),
        (None, "/wall", None, None),
    ],
)
def test_the_page_one_goes_on_to_says_the_language(
    asked: str | None, following: str, cookie: str | None, lang: str | None
) -> None:
    assert language_of(asked, following, cookie) == lang


def test_changing_the_language_changes_it_for_the_page_one_goes_on_to() -> None:
    assert in_language("/wall?a=1&lang=en", "zh") == "/wall?a=1&lang=zh"
    assert in_language("/wall?a=b%20c", "zh") == "/wall?a=b%20c"
    assert "next=%2Fwall%3Flang%3Dzh&amp;lang=zh" in signin_page(Words("en"), "/wall?lang=en")
