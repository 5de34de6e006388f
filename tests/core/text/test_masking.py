"""Masking of personal data in free text; all other text stays unchanged."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from functions.core.text.masking import mask, mask_but, redact
from functions.core.text.unmasking import MessageMasker, restored
from tests.examples import examples
from tests.growth import grows_with_length

pytestmark = pytest.mark.requirement("G4")
EXAMPLES = examples(__file__)
THOROUGH = settings(max_examples=100)


def with_check_digit(first_17: str) -> str:
    """A resident id of GB 11643: weighted sum modulo 11."""
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    total = sum(int(digit) * weight for digit, weight in zip(first_17, weights, strict=True))
    return first_17 + "10X98765432"[total % 11]


def with_luhn(body: str) -> str:
    doubled = [int(d) * (2 - i % 2) for i, d in enumerate(reversed(body))]
    total = sum(d // 10 + d % 10 for d in doubled)
    return body + str(-total % 10)


@pytest.mark.parametrize(
    "written",
    [
        "13800138000",
        "138 0013 8000",
        "138-0013-8000",
        "138.0013.8000",
        "138–0013–8000",
        "138 - 0013 - 8000",
        "(138)0013-8000",
        "1380013 8000",
        "1380-0138-000",
        "138 00 13 80 00",
        "1 3 8 0 0 1 3 8 0 0 0",
        "１３８００１３８０００",
        "１３８－００１３－８０００",
        "１３８　００１３　８０００",
        "\u202d13800138000\u202c".strip("\u202d\u202c"),
        "+86 138-0013-8000",
        "+8613800138000",
        "＋８６１３８００１３８０００",
        "(+86)13800138000",
        "（+86）138 0013 8000",
        "0086 138 0013 8000",
        "008613800138000",
        "8613800138000",
        "86-13800138000",
        "013800138000",
        "١٣٨٠٠١٣٨٠٠٠",
    ],
)
def test_a_mainland_mobile_is_hidden_however_it_is_grouped(written: str) -> None:
    for before, after in (
        ("", ""), ("我的电话是", "，请回电"), ("call me at ", " please"), ("手机：", "。"),
        ("2024-05-20 12:30 ", " 2024-05-21"), ("<b>", "</b>"),
    ):  # fmt: skip
        assert mask(f"{before}{written}{after}") == f"{before}138****8000{after}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tel13800138000", "tel138****8000"),
        ("微信wx13800138000", "微信wx138****8000"),
        ("13800138000/13900139000", "138****8000/139****9000"),
        ("13800138000 13900139000", "138****8000 139****9000"),
        ("1. 13800138000；2. 13900139000", "1. 138****8000；2. 139****9000"),
        ("订单 13800138000", "订单 138****8000"),
        ("下单010-61234567", "下单****4567"),
        ("产品abc-13800138000", "产品abc-138****8000"),
        ("posted-13800138000", "posted-138****8000"),
        ("/orders/13800138000", "/orders/138****8000"),
    ],
)
def test_a_mobile_is_found_among_other_things(text: str, shown: str) -> None:
    assert mask(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("010-12345678", "****5678"), ("(010)12345678", "****5678"),
        ("（010）6123 4567", "****4567"), ("01061234567", "****4567"),
        ("010 6123 4567", "****4567"), ("0755-8888 6666", "****6666"),
        ("075588886666", "****6666"), ("86-10-61234567", "****4567"),
        ("0571-88888888转8001", "****8888转8001"), ("021-61234567/61234568", "****4567/****68"),
        ("400-820-8820", "****8820"), ("电话4008208820", "电话****8820"),
        ("电话：88886666", "电话：****66"),
    ],
)  # fmt: skip
def test_a_chinese_landline_is_hidden(text: str, shown: str) -> None:
    assert mask(text) == shown


@pytest.mark.parametrize(("before", "after"), [("", ""), ("请打", "谢谢"), ("at ", ", please")])
def test_an_international_number_keeps_no_more_than_four_digits(before: str, after: str) -> None:
    for written in EXAMPLES["international_numbers"]:
        hidden = mask(f"{before}{written}{after}")
        assert hidden == f"{before}****{re.sub(r'[^0-9]', '', written)[-4:]}{after}"


@pytest.mark.parametrize("label", ["Phone: ", "call ", "我的座机是", "Tel. ", "whatsapp:"])
@pytest.mark.parametrize("written", ["4155550132", "98450 12345", "9123 4567", "88886666"])
def test_plain_digits_after_a_word_for_phone_are_a_number(label: str, written: str) -> None:
    assert re.fullmatch(rf"{re.escape(label)}\*{{4}}\d{{2,4}}", mask(label + written))
    assert mask(f"共 {written} 件") == f"共 {written} 件"


def test_an_email_address_is_hidden() -> None:
    hidden = [(text, mask(text)) for text, _ in EXAMPLES["addresses"]]
    assert hidden == [tuple(example) for example in EXAMPLES["addresses"]]


RESIDENT = with_check_digit("11010119900307771")
RESIDENT_X = next(
    each
    for each in (with_check_digit(f"110101199003077{n:02}") for n in range(99))
    if each.endswith("X")
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (RESIDENT, f"****{RESIDENT[-4:]}"),
        (f"身份证{RESIDENT}，", f"身份证****{RESIDENT[-4:]}，"),
        (f"{RESIDENT[:6]} {RESIDENT[6:14]} {RESIDENT[14:]}", f"****{RESIDENT[-4:]}"),
        (f"{RESIDENT[:6]}-{RESIDENT[6:14]}-{RESIDENT[14:]}", f"****{RESIDENT[-4:]}"),
        (f"是{RESIDENT_X}的", f"是****{RESIDENT_X[-4:]}的"),
        (f"是{RESIDENT_X.lower()}的", f"是****{RESIDENT_X[-4:]}的"),
        ("身份证号：130503670401001", "身份证号：****1001"),
        ("130503670401001", "****1001"),
    ],
)
def test_a_resident_id_is_hidden(text: str, shown: str) -> None:
    assert mask(text) == shown


def test_a_wrong_resident_id_is_hidden_only_beside_the_word() -> None:
    wrong = RESIDENT[:-1] + str((int(RESIDENT[-1]) + 1) % 10)
    assert mask(f"批次 {wrong}") == f"批次 {wrong}"
    assert mask(f"身份证号 {wrong}") == f"身份证号 ****{wrong[-4:]}"


CARDS = [
    with_luhn(body)
    for body in (
        "401288888888188", "555555555555444", "222300000000001", "37828224631000",
        "3056930902590", "352800070000000", "622202123456789", "622202123456789012",
        "955880020000000", "601100040000000", "675964982643845", "501971701010374",
    )
]  # fmt: skip


@pytest.mark.parametrize("card", CARDS)
def test_a_bank_card_is_hidden(card: str) -> None:
    wrong = card[:-1] + str((int(card[-1]) + 1) % 10)
    assert mask(f"卡号{card}谢谢") == f"卡号****{card[-4:]}谢谢"
    assert mask(card) == f"****{card[-4:]}"
    assert mask(wrong) == wrong
    if len(card) == 16:
        for gap in (" ", "-"):
            grouped = gap.join(card[i : i + 4] for i in range(0, 16, 4))
            assert mask(f"{grouped} 12/29") == f"****{card[-4:]} 12/29"
            assert mask(f"{grouped}, {grouped}") == f"****{card[-4:]}, ****{card[-4:]}"


def test_a_bar_code_in_the_form_of_a_card_is_hidden_only_beside_the_word() -> None:
    def ean(digits: str) -> bool:
        return sum(int(d) * (1 + 2 * (i % 2)) for i, d in enumerate(digits)) % 10 == 0

    both = next(d for n in range(1000) if ean(d := with_luhn(f"400638133{n:03}")))
    assert mask(f"条码 {both} 和 {both}") == f"条码 {both} 和 {both}"
    assert mask(f"卡号 {both}") == f"卡号 ****{both[-4:]}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("3782 822463 10005", "****0005"),
        ("4222222222222", "****2222"),
        ("DE89 3704 0044 0532 0130 00", "****3000"),
        ("DE89370400440532013000.", "****3000."),
        ("gb29nwbk60161331926819", "****6819"),
        ("AL47-2121-1009-0000-0002-3569-8741", "****8741"),
        ("an iban VG96 VPVG 0000 0123 4567 8901 X here", "an iban ****8901 X here"),
        ("护照号E12345678", "护照号****5678"),
        ("护照：EA1234567", "护照：****4567"),
        ("Passport no. G12345678", "Passport no. ****5678"),
        ("E12345678是我的护照", "****5678是我的护照"),
    ],
)
def test_accounts_and_passports_are_hidden(text: str, shown: str) -> None:
    assert mask(text) == shown


def test_other_numbers_stay_unchanged() -> None:
    numbers = EXAMPLES["unchanged"]
    texts = [*numbers, *(f"您好，{text}，谢谢" for text in (*numbers, *EXAMPLES["kept"]))]
    texts += [*EXAMPLES["kept"], *(f"Hello\n{text}\nthanks" for text in EXAMPLES["kept"])]
    assert [text for text in texts if mask(text) != text] == []


MARKED = re.compile("«(.*?)»", re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES["hidden"])
def test_what_is_personal_in_a_sentence_is_hidden_and_only_that(example: str) -> None:
    """In any spelling; the original can be restored."""
    text, personal = MARKED.sub(r"\1", example), MARKED.findall(example)
    hidden = mask(text)
    around = MARKED.split(example)[::2]
    shown = re.fullmatch("(.{4,14})".join(map(re.escape, around)), hidden, re.DOTALL)
    assert shown, hidden
    for secret, rest in zip(personal, shown.groups(), strict=True):
        assert "***" in rest
        assert secret not in hidden
        assert len(re.findall(r"\d", rest)) <= 7
        assert len(re.findall(r"[\w]", rest)) <= 9
    assert mask(hidden) == hidden
    masker = MessageMasker()
    masked = masker.mask("text", text)
    document = masker.document()
    assert document is not None
    assert restored(document, {"text": masked}) == {"text": text}


REFERENCES = (
    "发票代码", "发票号码", "税号", "注册号", "订单号", "纳税人识别号", "统一社会信用代码",
    "运单号", "错误代码", "序列号", "批号", "tax id", "order number", "invoice no.",
)  # fmt: skip
SPELLINGS = (
    "0123456789", "０１２３４５６７８９", "〇一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖",
    "⓪①②③④⑤⑥⑦⑧⑨", "⓿❶❷❸❹❺❻❼❽❾", "٠١٢٣٤٥٦٧٨٩",
)  # fmt: skip
SEPARATORS = ("", " ", "-", ",", "_", "：", "、", "~", "=", "，", "\n", "&nbsp;", "\u200b", "<br>")


@THOROUGH
@given(
    st.from_regex(r"\A1[3-9][0-9]{9}\Z"),
    st.sampled_from(SPELLINGS),
    st.sampled_from(SEPARATORS),
    st.sampled_from(SEPARATORS),
)
def test_a_mobile_is_hidden_in_any_spelling(
    number: str, spelling: str, first: str, second: str
) -> None:
    written = number.translate(str.maketrans("0123456789", spelling))
    text = f"请打{written[:3]}{first}{written[3:7]}{second}{written[7:]}，谢谢"
    assert mask(text) == f"请打{number[:3]}****{number[-4:]}，谢谢"


@THOROUGH
@given(
    st.integers(10**9, 10**15),
    st.sampled_from(REFERENCES),
    st.sampled_from([" ", "：", ": ", "是"]),
)
def test_a_named_reference_stays_whatever_it_looks_like(number: int, name: str, gap: str) -> None:
    text = f"{name}{gap}{number}，请查"
    assert mask(text) == text


HOSTILE = st.lists(
    st.one_of(
        st.text(alphabet="0123456789 -.()+/*@x", max_size=24),
        st.sampled_from(
            [
                "13800138000", "+86 ", "010-12345678", "4111 1111 1111 1111", RESIDENT,
                RESIDENT_X, "DE89 3704 0044 0532 0130 00", "DE89", "a@example.com", "电话：",
                "call ", "订单号", "护照", "E12345678", "2024-05-20 ", "1,234.56", "****", "，",
                "\n", ",0013,", "、8000", "一三九", "①③⑨", "1️⃣", "&nbsp;", "&#49;", "\u200b",
                "微信 ", "abc_123", "QQ 12345678", " @ b.com", " at b dot com",
            ]
        ),
        st.text(max_size=6),
    ),
    max_size=12,
).map("".join)  # fmt: skip


@THOROUGH
@given(HOSTILE)
def test_masking_twice_changes_nothing(text: str) -> None:
    once = mask(text)
    assert mask(once) == once


@THOROUGH
@given(st.text(alphabet="打印机坏了请帮我看看 abcdefgh,.!?，。\n🙂"), HOSTILE)
def test_the_surrounding_text_stays_unchanged(words: str, hostile: str) -> None:
    assert mask(words) == words
    assert mask(f"{words}\n\n{hostile}").startswith(f"{words}\n\n")


@pytest.mark.parametrize("value", [None, 3, b"13800138000", ["a"]])
def test_a_value_that_is_no_string_gives_an_empty_text(value: Any) -> None:
    assert mask(value) == ""


@pytest.mark.parametrize("piece", EXAMPLES["hostile_pieces"])
def test_the_time_is_linear_in_the_length_of_a_hostile_text(piece: str) -> None:
    assert grows_with_length(mask, (piece * 20_000)[:20_000])


@pytest.mark.slow
def test_a_long_text_of_all_kinds_is_masked() -> None:
    text = "电话+1 13800138000 a@b.com DE89 3704 01-02 4111 1111 1111 1112 0 12 護照\n" * 1_000
    assert len(text) > 60_000
    assert "13800138000" not in mask(text)
    assert grows_with_length(mask, text)


# --- structures ---------------------------------------------------------------------------------


def test_redact_masks_every_string_of_a_structure() -> None:
    value = {
        "contact": "13800138000",
        "a@example.com": ["电话 010-61234567", {"n": 13800138000, "size": 512}],
        "ok": True,
        "none": None,
        "share": 0.5,
        "pair": ("x", "bob@example.com"),
        "raw": b"13800138000",
        "error": ValueError("no mailbox bob@example.com"),
        "huge": 10**5000,
    }
    assert redact(value) == {
        "contact": "138****8000",
        "***@e***.com": ["电话 ****4567", {"n": "138****8000", "size": 512}],
        "ok": True,
        "none": None,
        "share": 0.5,
        "pair": ["x", "b***@e***.com"],
        "raw": "<11 bytes>",
        "error": "no mailbox b***@e***.com",
        "huge": "****",
    }


def test_redact_omits_values_that_are_nested_too_deep() -> None:
    value: Any = "13800138000"
    for _ in range(5_000):
        value = [value]
    assert "8000" not in json.dumps(redact(value))


HOTLINE = ("400-820-8820", "help@desk.example.com")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("请拨打400-820-8820，回电13800138000", "请拨打400-820-8820，回电138****8000"),
        ("Call 400-820-8820.", "Call 400-820-8820."),
        ("write to help@desk.example.com!", "write to help@desk.example.com!"),
    ],
)
def test_the_desks_own_contacts_stay_readable(text: str, shown: str) -> None:
    assert mask_but(text, HOTLINE) == shown
    assert mask_but(text, ()) == mask(text) != shown


@pytest.mark.parametrize(
    "text",
    ["400-820-88201", "1400-820-8820", "my.help@desk.example.com", "help@desk.example.com.cn"],
)
def test_a_longer_number_with_the_desks_own_inside_is_masked(text: str) -> None:
    assert mask_but(text, HOTLINE) == mask(text)


@pytest.mark.parametrize("text", ["138 12345 678", "+86 12345 678901", "电话 12345 6789"])
def test_a_short_own_number_does_not_split_a_longer_one(text: str) -> None:
    assert mask_but(text, ("12345",)) == mask(text) != text
    assert mask_but("请拨 12345", ("12345",)) == "请拨 12345"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0755-82345678-13912345678", "****5678-139****5678"),
        ("010-65529988-13800138000", "****9988-138****8000"),
        ("400-800-1234-13800138000", "****1234-138****8000"),
    ],
)
def test_a_mobile_after_another_number_is_hidden(text: str, shown: str) -> None:
    assert mask(text) == shown == mask(shown)


@given(st.text(max_size=80), st.text(max_size=80))
def test_a_text_without_own_contacts_is_masked_as_usual(before: str, after: str) -> None:
    assert mask_but(before + after, HOTLINE) == mask(before + after)


# --- public test material -----------------------------------------------------------------------

CORPORA = os.environ.get("DESKBELL_CORPORA", "")


@pytest.mark.corpus
@pytest.mark.skipif(not CORPORA, reason="DESKBELL_CORPORA is not set")
def test_no_span_of_the_pattern_corpus_leaks() -> None:
    """All spans of the contract's kinds are hidden, ≥ 98 % of the other texts unchanged."""
    path = Path(CORPORA) / "pii" / "pii_patterns" / "presidio_patterns.jsonl"
    cases = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    named = {"PHONE", "EMAIL", "CREDIT_CARD", "IBAN"}
    leaks = [
        (case["text"], span["value"])
        for case in cases
        for span in case["spans"]
        if span["type"] in named and span["value"] in mask(case["text"])
    ]
    others = [case["text"] for case in cases if not {s["type"] for s in case["spans"]} & named]
    touched = [text for text in others if mask(text) != text]
    assert leaks == []
    assert len(touched) <= 0.02 * len(others)
