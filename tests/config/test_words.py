from pathlib import Path

import pytest

from config.words import DEFAULT, FOLDER, LANGUAGES, MissingText, Words, choose, flatten, load, parameters
from operations.grants.grant import HOWS
from tests.config.named_texts import Sources


def test_both_languages_have_the_same_files_and_keys() -> None:
    zh, en = (load(FOLDER / lang) for lang in LANGUAGES)
    assert zh.keys() - en.keys() == set(), "missing in English"
    assert en.keys() - zh.keys() == set(), "missing in Chinese"
    files = [{path.name for path in (FOLDER / lang).glob("*.toml")} for lang in LANGUAGES]
    assert files[0] == files[1]


def test_no_text_is_there_that_nothing_asks_for() -> None:
    sources = Sources()
    assert [key for key in load(FOLDER / DEFAULT) if not sources.name(key)] == []


def test_both_languages_want_the_same_parameters() -> None:
    zh, en = (load(FOLDER / lang) for lang in LANGUAGES)
    assert {key: parameters(zh[key]) for key in zh} == {key: parameters(en[key]) for key in en}


def test_no_text_is_empty() -> None:
    assert [(lang, key) for lang in LANGUAGES for key, text in load(FOLDER / lang).items() if not text.strip()] == []


def test_a_text_is_filled_and_a_missing_one_raises() -> None:
    assert Words("zh").text("common.ago.minutes", n=6) == "6 分"
    assert Words("en").text("common.ago.minutes", n=6) == "6 min"
    with pytest.raises(MissingText, match=r"no\.such\.key \(en\)"):
        Words("en").text("no.such.key")
    with pytest.raises(KeyError):
        Words("en").text("common.ago.minutes")


def test_a_subtree_goes_to_the_browser_as_templates() -> None:
    assert Words("en").under("common.ago")["minutes"] == "{n} min"


def test_an_unknown_language_is_refused_or_replaced() -> None:
    with pytest.raises(ValueError, match="one of zh, en"):
        Words("fr")
    assert choose("fr") == choose(None) == DEFAULT
    assert choose("en") == "en"


def test_names_given_in_both_languages_are_picked() -> None:
    assert Words("zh").pick("公安", "Police") == "公安"
    assert Words("en").pick("公安", "Police") == "Police"
    assert Words("en").pick("公安", "") == "公安"


def test_a_key_given_twice_and_a_number_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text('[a]\nb = "x"\n', "utf-8")
    (tmp_path / "two.toml").write_text('[a]\nb = "y"\n', "utf-8")
    with pytest.raises(ValueError, match="already given"):
        load(tmp_path)
    with pytest.raises(ValueError, match="a text is wanted"):
        flatten({"a": {"b": 3}})


@pytest.mark.parametrize("how", [*HOWS, "left", "closed", "rights", "lost", "uncertain", "idle"])
def test_every_way_a_look_ends_has_words(how: str) -> None:
    assert all(Words(lang).text(f"lookers.how.{how}") for lang in ("zh", "en"))
