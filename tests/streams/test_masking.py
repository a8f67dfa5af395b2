"""Free text made harmless."""

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.wording import HIDDEN, cleaned
from streams.masking import masked, one_line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("请致电13812345678。", "请致电***********。"),
        ("+86 138-1234-5678", "+** ***-****-****"),
        ("(0518)85512345", "(****)********"),
        ("0518-8551 2345 转 2", "****-**** **** 转 2"),
        ("身份证32070519900307123X", "身份证******************"),
        ("320705 19900307 1234", "****** ******** ****"),
        ("老证 320705900307123", "老证 ***************"),
        ("联系电话：85512345，速来", "联系电话：********，速来"),
        ("电话是 138\u200b1234\u200b5678", "电话是 ***\u200b****\u200b****"),
        ("１３８１２３４５６７８", "*" * 11),
        ("13812345678/13987654321", "***********/***********"),
    ],
)
def test_phone_and_id_card_numbers_are_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text", ["2023-12-08 12:30:45", "单号202312081230450001", "12栋3单元1502室", "119.163512, 34.572212", "G1511"]
)
def test_other_numbers_stay(text: str) -> None:
    assert masked(text) == text


def test_hidden_characters_go_and_real_writing_stays() -> None:
    assert cleaned("安全\u202egpj.exe\u0000\u0007") == "安全gpj.exe"
    family, persian, arabic = "👨\u200d👩\u200d👧", "می\u200cخواهم", "حريق في السوق"
    assert cleaned(f"{family} {persian} {arabic}") == f"{family} {persian} {arabic}"
    assert cleaned("a\r\nb\tc") == "a\nb\tc"
    assert one_line(" a \n\u3000b ") == "a b"


@given(st.text())
def test_masking_is_stable_and_hides_everything_hidden(text: str) -> None:
    once = masked(cleaned(text))
    assert masked(cleaned(once)) == once
    assert HIDDEN.search(once) is None


@given(st.from_regex(r"\A1[3-9][0-9]{9}\Z"), st.text(st.characters(exclude_categories=["Nd", "Cs"])))
def test_no_mobile_number_gets_through(number: str, around: str) -> None:
    assert number not in masked(cleaned(around + number + around))


@pytest.mark.parametrize("text", ["1" * 500_000, "1 " * 250_000, "13 -" * 120_000, "电话" * 200_000 + "1234567"])
def test_long_texts_take_no_quadratic_time(text: str) -> None:
    masked(cleaned(text))


def test_no_hidden_character_passes_for_printable() -> None:
    hidden = [chr(code) for code in range(sys.maxunicode + 1) if HIDDEN.search(chr(code))]
    assert len(hidden) > 2_000
    assert [one for one in hidden if one.isprintable() or cleaned(f"a{one}b") not in ("ab", "a\nb")] == []


@pytest.mark.parametrize("number", ["+86 10 8234 5678", "(010)82345678", "（010）82345678", "13812345678"])
def test_a_sign_or_bracket_before_a_number_belongs_to_it_wherever_it_stands(number: str) -> None:
    stars = re.sub(r"\d", "*", number)
    assert masked(number) == stars
    assert masked(f"房号 12，第 3 次，{number}，又 {number}") == f"房号 12，第 3 次，{stars}，又 {stars}"
