"""The new text of a reply, by mail client and language."""

from functools import partial

import pytest
from hypothesis import given, settings, strategies as st

from functions.intake.mail.html import Kind, TextLine
from functions.intake.mail.replies import newly_written, strip_reply
from tests.growth import grows_with_length, seconds

pytestmark = pytest.mark.requirement("F1")
NEW = "The washing machine stopped again.\nPlease send somebody tomorrow."

# How mail clients begin the history below an answer. The quoted text itself follows unmarked.
HISTORIES = {
    "en-gmail": "On Mon, 1 Jan 2024 at 12:00, Example Desk <desk@example.com> wrote:",
    "en-gmail-wrapped": "On Mon, 1 Jan 2024 at 12:00, Example Desk Of Long Names <\n"
    "desk@example.com> wrote:",
    "en-apple": "On Jan 1, 2024, at 12:00 PM, Example Desk <desk@example.com> wrote:",
    "en-no-address": "On 01/01/2024 12:00 PM, Example Desk wrote:",
    "en-yahoo": "On Monday, January 1, 2024 at 12:00:00 PM GMT+1, Desk <d@example.com> wrote:",
    "en-outlook": "From: Example Desk <desk@example.com>\nSent: Monday, January 1, 2024 12:00 PM\n"
    "To: Customer <customer@example.com>\nSubject: RE: Washing machine",
    "en-outlook-rule": "________________________________\nFrom: Example Desk\n"
    "Sent: Monday, January 1, 2024 12:00 PM\nTo: Customer\nSubject: RE: Washing machine",
    "en-outlook-bold": "*From:* Example Desk <desk@example.com>\n*Sent:* 01 January 2024 12:00\n"
    "*To:* Customer\n*Subject:* Washing machine",
    "en-outlook-old": "-----Original Message-----\nFrom: Example Desk\nSent: 1 January 2024",
    "en-outlook-mac": "From: Example Desk <desk@example.com>\n"
    "Date: Monday, 1 January 2024 at 12:00\nTo: Customer <customer@example.com>\nSubject: Re: It",
    "en-samsung": "-------- Original message --------\nFrom: Example Desk <desk@example.com>\n"
    "Date: 1/1/24 12:00 (GMT+01:00)\nTo: customer@example.com\nSubject: It",
    "en-proton": "------- Original Message -------\n"
    "On Monday, January 1st, 2024 at 12:00 PM, Desk <desk@example.com> wrote:",
    "en-zoho": "---- On Mon, 01 Jan 2024 12:00:00 +0530 desk@example.com wrote ----",
    "en-name-first": "Example Desk <desk@example.com> wrote on Mon, 1 Jan 2024 12:00:",
    "en-yandex": '01.01.2024, 12:00, "Example Desk" <desk@example.com>:',
    "en-old-gmail": "2024-01-01 12:00 GMT+01:00 Example Desk <desk@example.com>:",
    "en-forward": "---------- Forwarded message ---------\nFrom: Desk <desk@example.com>\n"
    "Date: Mon, Jan 1, 2024 at 12:00 PM\nSubject: It\nTo: <customer@example.com>",
    "en-apple-forward": "Begin forwarded message:\n\nFrom: Desk <desk@example.com>\nSubject: It",
    "en-zendesk": "##- Please type your reply above this line -##",
    "en-android": "---- Example Desk wrote ----",
    "en-groupwise": ">>> Example Desk <desk@example.com> 1/1/2024 12:00 PM >>>",
    "en-horde": "Quoting Example Desk <desk@example.com>:",
    "en-notes": "From:\tExample Desk/EX\nTo:\tCustomer/EX\nDate:\t01/01/2024 12:00\nSubject:\tIt",
    "en-comma": "On Mon, Jan 1, 2024, Example Desk <desk@example.com>, wrote:",
    "en-parentheses": "(2024/01/01 12:00), Example Desk wrote:",
    "de-gmail": "Am Mo., 1. Jan. 2024 um 12:00 Uhr schrieb Example Desk <desk@example.com>:",
    "de-thunderbird": "Am 01.01.24 um 12:00 schrieb Example Desk:",
    "de-apple": "Am 01.01.2024 um 12:00 schrieb Example Desk <desk@example.com>:",
    "de-outlook": "Von: Example Desk <desk@example.com>\nGesendet: Montag, 1. Januar 2024 12:00\n"
    "An: Customer\nBetreff: AW: Waschmaschine",
    "de-webde": 'Gesendet: Montag, 01. Januar 2024 um 12:00 Uhr\nVon: "Desk" <d@example.com>\n'
    "An: customer@example.com\nBetreff: Waschmaschine",
    "de-old": "-----Ursprüngliche Nachricht-----\nVon: Example Desk\nGesendet: 1. Januar 2024",
    "de-name-first": "Example Desk <desk@example.com> schrieb am Mo., 1. Jan. 2024, 12:00:",
    "fr-gmail": "Le lun. 1 janv. 2024 à 12:00, Example Desk <desk@example.com> a écrit :",
    "fr-apple": "Le 1 janv. 2024 à 12:00, Example Desk <desk@example.com> a écrit :",
    "fr-outlook": "De : Example Desk <desk@example.com>\nEnvoyé : lundi 1 janvier 2024 12:00\n"
    "À : Customer\nObjet : RE: Machine",
    "fr-old": "-----Message d'origine-----\nDe : Example Desk",
    "es-gmail": "El lun, 1 ene 2024 a las 12:00, Example Desk (<desk@example.com>) escribió:",
    "es-outlook": "De: Example Desk <desk@example.com>\nEnviado: lunes, 1 de enero de 2024 12:00\n"
    "Para: Customer\nAsunto: RE: Lavadora",
    "it-gmail": "Il giorno lun 1 gen 2024 alle ore 12:00 Desk <desk@example.com> ha scritto:",
    "it-outlook": "Da: Example Desk <desk@example.com>\nInviato: lunedì 1 gennaio 2024 12:00\n"
    "A: Customer\nOggetto: R: Lavatrice",
    "pt-gmail": "Em seg., 1 de jan. de 2024 às 12:00, Desk <desk@example.com> escreveu:",
    "pt-outlook": "De: Example Desk <desk@example.com>\nEnviado: 1 de janeiro de 2024 12:00\n"
    "Para: Customer\nAssunto: RE: Máquina",
    "nl-gmail": "Op ma 1 jan 2024 om 12:00 schreef Example Desk <desk@example.com>:",
    "nl-outlook": "Van: Example Desk <desk@example.com>\nVerzonden: maandag 1 januari 2024 12:00\n"
    "Aan: Customer\nOnderwerp: RE: Wasmachine",
    "pl-gmail": "pon., 1 sty 2024 o 12:00 Example Desk <desk@example.com> napisał(a):",
    "pl-thunderbird": "W dniu 01.01.2024 o 12:00, Example Desk pisze:",
    "pl-outlook": "Od: Example Desk <desk@example.com>\nWysłano: poniedziałek, 1 stycznia 2024\n"
    "Do: Customer\nTemat: RE: Pralka",
    "sv-gmail": "Den mån 1 jan. 2024 kl 12:00 skrev Example Desk <desk@example.com>:",
    "sv-outlook": "Från: Example Desk <desk@example.com>\nSkickat: den 1 januari 2024 12:00\n"
    "Till: Customer\nÄmne: SV: Tvättmaskin",
    "da-gmail": "Den man. 1. jan. 2024 kl. 12.00 skrev Example Desk <desk@example.com>:",
    "da-outlook": "Fra: Example Desk <desk@example.com>\nSendt: 1. januar 2024 12:00\n"
    "Til: Customer\nEmne: SV: Vaskemaskine",
    "no-gmail": "man. 1. jan. 2024 kl. 12:00 skrev Example Desk <desk@example.com>:",
    "fi-gmail": "ma 1. tammik. 2024 klo 12.00 Example Desk (desk@example.com) kirjoitti:",
    "fi-outlook": "Lähettäjä: Example Desk <desk@example.com>\nLähetetty: 1. tammikuuta 2024\n"
    "Vastaanottaja: Customer\nAihe: VS: Pesukone",
    "ru-gmail": "пн, 1 янв. 2024 г. в 12:00, Example Desk <desk@example.com>:",
    "ru-mailru": "Понедельник, 1 января 2024, 12:00 +03:00 от Example <desk@example.com>:",
    "ru-thunderbird": "01.01.2024 12:00, Example Desk пишет:",
    "ru-outlook": "От: Example Desk <desk@example.com>\nОтправлено: 1 января 2024 г. 12:00\n"
    "Кому: Customer\nТема: RE: Машина",
    "cs-gmail": "po 1. 1. 2024 v 12:00 odesílatel Example Desk <desk@example.com> napsal:",
    "cs-outlook": "Od: Example Desk <desk@example.com>\nOdesláno: pondělí 1. ledna 2024 12:00\n"
    "Komu: Customer\nPředmět: RE: Pračka",
    "hu-gmail": "Example Desk <desk@example.com> ezt írta (időpont: 2024. jan. 1., H, 12:00):",
    "tr-gmail": "Example Desk <desk@example.com>, 1 Oca 2024 Pzt, 12:00 tarihinde şunu yazdı:",
    "tr-outlook": "Kimden: Example Desk <desk@example.com>\nGönderildi: 1 Ocak 2024 12:00\n"
    "Kime: Customer\nKonu: RE: Makine",
    "ko-gmail": "2024년 1월 1일 (월) 오후 12:00, Example <desk@example.com>님이 작성:",
    "ko-outlook": "보낸 사람: Example Desk <desk@example.com>\n보낸 날짜: 2024년 1월 1일 월요일\n"
    "받는 사람: Customer\n제목: RE: 세탁기",
    "ja-gmail": "2024年1月1日(月) 12:00 Example Desk <desk@example.com>:",
    "ja-apple": "2024/01/01 12:00、Example Desk <desk@example.com>のメール:",
    "ja-outlook": "差出人: Example Desk <desk@example.com>\n送信日時: 2024年1月1日 12:00\n"
    "宛先: Customer\n件名: RE: 洗濯機",
    "zh-gmail": "Example Desk <desk@example.com> 于2024年1月1日周一 12:00写道：",
    "zh-tw-gmail": "Example Desk <desk@example.com> 於 2024年1月1日 週一 下午12:00寫道：",
    "zh-apple": "在 2024年1月1日，12:00，Example Desk <desk@example.com> 写道：",
    "zh-apple-forward": "下面是被转发的邮件：\n\n发件人: Example <desk@example.com>\n主题: 洗衣机",
    "zh-outlook": "发件人: Example Desk <desk@example.com>\n发送时间: 2024年1月1日 12:00\n"
    "收件人: Customer\n主题: 答复: 洗衣机",
    "zh-outlook-mobile": "获取 Outlook for iOS\n________________________________\n"
    "发件人: Example Desk <desk@example.com>\n发送时间: 2024年1月1日 12:00\n收件人: Customer\n"
    "主题: 答复: 洗衣机",
    "zh-tw-outlook": "寄件者: Example Desk <desk@example.com>\n寄件日期: 2024年1月1日 12:00\n"
    "收件者: Customer\n主旨: 回覆: 洗衣機",
    "zh-foxmail": "\n发件人： Example Desk\n发送时间： 2024-01-01 12:00\n收件人： Customer\n"
    "主题： Re: 洗衣机",
    "zh-qq": '------------------ 原始邮件 ------------------\n发件人: "Desk"<d@example.com>;\n'
    '发送时间: 2024年1月1日(星期一) 中午12:00\n收件人: "C"<c@example.com>;\n主题: 洗衣机',
    "zh-qq-spaced": "------------------&nbsp;原始邮件&nbsp;------------------\n发件人: desk",
    "zh-wecom": '------------------ Original ------------------\nFrom:  "Desk"<d@example.com>;\n'
    "Date:  Mon, Jan 1, 2024 12:00 PM\nTo:  customer<customer@example.com>;\nSubject:  Re: 洗衣机",
    "zh-netease": 'At 2024-01-01 12:00:00, "Example Desk" <desk@example.com> wrote:',
    "zh-netease-zh": '在 2024-01-01 12:00:00，"Example Desk" <desk@example.com> 写道：',
    "zh-netease-mobile": "---- 回复的原邮件 ----\n| 发件人 | Example<desk@example.com> |\n"
    "| 日期 | 2024年01月01日 12:00 |\n| 收件人 | customer@example.com |\n| 主题 | 洗衣机 |",
    "zh-netease-mobile-en": "---- Replied Message ----\n| From | Example<desk@example.com> |\n"
    "| Date | 01/01/2024 12:00 |\n| To | customer@example.com |\n| Subject | It |",
    "zh-aliyun": "------------------------------------------------------------------\n"
    "发件人：Example Desk <desk@example.com>\n发送时间：2024年1月1日(星期一) 12:00\n"
    "收件人：Customer <customer@example.com>\n主　题：Re: 洗衣机",
    "zh-139": "----邮件原文----\n发件人：desk <d@example.com>\n收件人：c@example.com",
    "zh-coremail": '-----原始邮件-----\n发件人:"Desk" <d@example.com>\n'
    "发送时间:2024-01-01 12:00:00 (星期一)\n收件人: c@example.com\n主题: Re: 洗衣机",
    "zh-qq-mobile": '---Original---\nFrom: "Desk"<d@example.com>\nDate: Mon, Jan 1, 2024 12:00 PM',
    "zh-tw-mac": "從: Desk <d@example.com>\n日期: 2024年1月1日 星期一 下午12:00\n"
    "至: C <c@example.com>\n主旨: Re: 洗衣機",
    "ko-daum": "--------- 원본 메일 ---------\n보낸사람 : Desk <d@example.com>\n받는사람 : C",
    "zh-sina": "----- 原始邮件 -----\n发件人：d@example.com\n收件人：c@example.com\n主题：洗衣机",
    "uk-gmail": "пн, 1 січ. 2024 р. о 12:00 Example Desk <desk@example.com> пише:",
    "ro-gmail": "lun., 1 ian. 2024 la 12:00, Example Desk <desk@example.com> a scris:",
    "el-gmail": "Στις Δευ 1 Ιαν 2024 στις 12:00 μ.μ., ο χρήστης Desk <desk@example.com> έγραψε:",
    "vi-gmail": "Vào Th 2, 1 thg 1, 2024 vào lúc 12:00 Desk <desk@example.com> đã viết:",
    "id-gmail": "Pada tanggal Sen, 1 Jan 2024 pukul 12.00 Desk <desk@example.com> menulis:",
    "he-gmail": "\u200fבתאריך יום ב׳, 1 בינו׳ 2024 ב-12:00 מאת D <\u200fd@example.com\u200f>:",
    "ar-gmail": "في الاثنين، 1 يناير 2024 في 12:00 م تمت كتابة ما يلي بواسطة D <d@example.com>:",
    "th-gmail": "ในวันที่ จ. 1 ม.ค. 2024 เวลา 12:00 Desk <desk@example.com> เขียนว่า:",
}
OLD = "Dear customer,\n\nour technician will call.\n\nExample Desk"


@pytest.mark.parametrize("client", HISTORIES)
def test_unmarked_history_is_cut(client: str) -> None:
    assert strip_reply(f"{NEW}\n\n{HISTORIES[client]}\n\n{OLD}\n") == NEW


@pytest.mark.parametrize("client", HISTORIES)
def test_marked_history_is_cut(client: str) -> None:
    quoted = "\n".join(f"> {line}" for line in OLD.split("\n"))
    assert strip_reply(f"{NEW}\n\n{HISTORIES[client]}\n\n{quoted}\n") == NEW


@pytest.mark.parametrize("client", HISTORIES)
def test_history_directly_below_the_answer_is_cut(client: str) -> None:
    assert strip_reply(f"{NEW}\n{HISTORIES[client]}\n{OLD}") == NEW


@pytest.mark.parametrize("client", HISTORIES)
def test_a_mail_of_history_alone_is_kept_whole(client: str) -> None:
    text = f"{HISTORIES[client]}\n\n{OLD}"
    assert strip_reply(text).split() == text.split()


DEVICE_LINES = [
    "Sent from my iPhone",
    "Sent from my Example Phone 5G",
    "Sent from Outlook for Android<https://example.com/app>",
    "Get Outlook for iOS",
    "Sent from Yahoo Mail on Android",
    "Sent from my mobile. Please excuse any typos.",
    "Von meinem iPhone gesendet",
    "Gesendet von Outlook für iOS",
    "Diese Nachricht wurde von meinem Android-Mobiltelefon mit GMX Mail gesendet.",
    "Envoyé de mon iPhone",
    "Obtenir Outlook pour Android",
    "Enviado desde mi iPhone",
    "Enviado do meu iPhone",
    "Inviato da iPhone",
    "Ottieni Outlook per iOS",
    "Verstuurd vanaf mijn iPhone",
    "Outlook voor Android downloaden",
    "Wysłane z iPhone'a",
    "Skickat från min iPhone",
    "Sendt fra min iPhone",
    "Lähetetty iPhonesta",
    "Отправлено с iPhone",
    "Отправлено из мобильной Почты Mail.ru",
    "Odesláno z iPhonu",
    "iPhone'umdan gönderildi",
    "나의 iPhone에서 보냄",
    "iPhoneから送信",
    "发自我的iPhone",
    "发自我的 iPad",
    "从我的华为手机发送",
    "来自我的小米手机",
    "發自我的 iPhone",
    "從我的 iPhone 傳送",
    "发自网易邮箱大师",
    "获取 Outlook for iOS",
    "发送自 Windows 10 版邮件应用",
    "Sent from my Galaxy S23 Ultra",
    "Sent from Mail for Windows",
    "Sent from Outlook on the web",
    "Sent via BlackBerry by AT&T",
    "Von meinem Samsung Galaxy Smartphone gesendet.",
    "发自我的HUAWEI Mate 60",
    "来自小米手机",
    "从 Windows 版邮件发送",
    "通过我的华为手机发送",
    "从iPhone版QQ邮箱发送",
    "发自企业微信",
    "发自阿里邮箱 iPhone版",
    "Outlook for iOS から送信",
    "スマートフォンから送信",
]


@pytest.mark.parametrize("line", DEVICE_LINES)
def test_a_device_line_is_cut(line: str) -> None:
    assert strip_reply(f"{NEW}\n\n{line}\n") == NEW


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nExample Person\nExample Street 1",
        "--\nExample Person",
        "Best regards,\nExample Person\nSales, Example GmbH\nTel. +49 30 1234567",
        "Mit freundlichen Grüßen\n\nExample Person",
        "Cordialement,\nExample Person",
        "Un cordial saludo,\n\nExample Person",
        "Cordiali saluti\nExample Person",
        "Atenciosamente,\nExample Person",
        "Met vriendelijke groet,\nExample Person",
        "Z poważaniem\nExample Person",
        "Med vänliga hälsningar\nExample Person",
        "Med venlig hilsen\n\nExample Person",
        "Vennlig hilsen Example",
        "Ystävällisin terveisin\nExample Person",
        "С уважением,\nExample Person",
        "S pozdravem\nExample Person",
        "Saygılarımla,\nExample Person",
        "| |\n示例用户\n|\n|\nexample@example.com\n|\n签名由 网易邮箱大师 定制",
        "Best,\nExample",
        "此致\n敬礼\n\n示例用户\n2024年1月1日",
        "祝好\n示例用户",
        "______\nexample mailing list\nhttps://lists.example.com/listinfo/example",
        "This e-mail and any attachments are confidential and intended solely for the addressee. "
        "If you are not the intended recipient, please delete it.",
        "Diese E-Mail enthält vertrauliche und rechtlich geschützte Informationen. Wenn Sie nicht "
        "der richtige Adressat sind, vernichten Sie diese Mail.",
        "Ce message et toutes les pièces jointes sont confidentiels et établis à l'intention "
        "exclusive de leurs destinataires.",
        "本邮件及其附件含有保密信息，仅限于发送给上面地址中列出的个人或群组。",
        "このメールには機密情報が含まれている場合があります。宛先の方以外は削除してください。",
    ],
)
def test_signature_and_disclaimer_are_cut(signature: str) -> None:
    assert strip_reply(f"{NEW}\n\n{signature}\n") == NEW


@pytest.mark.parametrize(
    "text",
    [
        "Hello,\n\nthe machine makes a noise.\n\nThanks!",
        "On Thursday:\n\nthe first part came.\n\nOn Friday:\n\nthe second part came.",
        "From: Beijing\nTo: Shanghai\nDate: 3 May 2024\n\nPlease book it for two persons.",
        "您好，请帮我订票：\n\n从：上海\n至：北京\n日期：5月3日\n\n两个人。",
        "Hello,\n\nDate: 3 May\nSubject: broken door\nFrom: me\n\nThe door fell off.",
        "The parcel was sent from my office.\nIt was sent via courier.",
        "Sent via courier\n\nTracking number 12345",
        "Enviado por correo el lunes",
        "I want to discuss this with regards to the invoice.\n\nRegards matter to us, we say.",
        "Points:\n-- first\n-- second\n\nThat is all.",
        "Name   Date\n-----------\nOne    1 May 2024\nTwo    2 May 2024",
        "# Title\n\n----\n\nText one.\n\n----\n\nText two.",
        "```\nx = 1\n--\nSent from my iPhone\n```\n\nThe code above fails.",
        "您好：\n\n我在2024年1月1日购买的洗衣机坏了。\n时间：每天晚上\n地点：家里\n\n请尽快处理，谢谢！",
        "主题：洗衣机坏了\n\n昨天开始不转了。",
        "The date: 3 May\nThe subject: broken door\nThe rest is on the photo.",
        "He said to me: wait. I wrote to foo@example.com and got no answer:\nnothing at all.",
        "On 3 May 2024 I called and your colleague wrote:\nall would be well. It is not.",
        "Am 3.5.2024 schrieb ich Ihnen folgendes:\nDie Tür ist kaputt.",
        "Model: X-1\nSerial: 123\nPurchased: 2024-01-01\nFrom: the shop in Example Street",
        "It shows this:\n\n> Error 17\n\nWhat does it mean?",
        # forms, logs and waybills below a drawn line
        "您好，表单内容：\n\n=====\n姓名：李四\n手机：13900001111\n问题：无法登录",
        "It is this one.\n\n-----\nName: Li\nPhone: +86 139 0000 1111\nModel: XR-200",
        "See below\n\n--------\n2024-05-01 10:00:01 GET https://x.example/a 500\n10:00:02 retry",
        "ログは以下です\n\n----------\n10:02 接続 http://a.example/\n10:03 エラー 500",
        "日志：\n--\n10:02 start http://a.example\n10:03 ERR",
        "包裹信息\n--------\n发件人：王五\n收件人：赵六\n日期：2024-05-01\n物流单号：YT100\n请尽快",
        "运单\n==========\n寄件人：王五\n收件人：赵六\n寄件时间：2024-05-01 10:00\n破损了",
        "Label:\n-----------\nFrom: Li Wei\nTo: Zhao Liu\nDate: 2024-05-01\nTracking: SF100\n"
        "It arrived broken.",
        "日期：2024-05-01\n收件人：赵六\n寄件人：王五\n没收到",
        # tales of what was sent or written
        "Sent by the courier to my office on Monday\nand nobody was there.",
        "Sent from my account to yours, the money never came",
        "Sent by mail on Monday\nNo answer yet",
        "由于手机端一直没有发送验证码\n无法登录",
        "通过邮箱发送的发票没收到\n请重新发送",
        "从手机上发送的图片打不开",
        "来自客户的邮件都收不到\n请看一下",
        "从昨晚开始邮箱里的邮件全部没有发送",
        "アプリからフォームを送信しましたが届きません\n確認してください",
        "您好\n5月3日接到客服来信：\n让我补交押金\n是真的吗",
        "2024年5月1日您在邮件中写道：\n三天内退款\n到现在没退",
        "2024年5月1日商家来信：\n拒绝退款\n请介入",
        "On 3 May 2024 your colleague wrote:\nwe refund in 3 days.\nNothing came.",
        "Am 3.5.2024 schrieb Ihr Kollege:\nWir erstatten.\nNichts kam.",
        "Hi,\n\nthis needs a fix:\n\n1) door\n2) lamp\n\nRegards,\nExample\n\nPS: call at noon, "
        "the other number does not work any more.",
    ],
)
def test_a_mail_without_a_quotation_loses_nothing(text: str) -> None:
    assert strip_reply(text) == text


@pytest.mark.parametrize("history", ["> Old text\n> more of it", "Old text\nmore of it"])
@pytest.mark.parametrize(
    "introduction",
    [
        "El martes, 10 de marzo de 2026,\n09:00:00 CET, A. Nybody <a@example.com> escribió:",
        "Il giorno mar 10 mar 2026 alle\nore 09:00 A. Nybody <a@example.com> ha scritto:",
        "Em ter., 10 de mar. de 2026 às\n09:00, A. Nybody <a@example.com> escreveu:",
        "Em terça-feira, 10 de março de\n2026 09:00:00 BRT, A. Nybody <a@example.com> escreveu:",
        "Wiadomość napisana przez A. Nybody\n<a@example.com> w dniu 10 mar 2026, o godz. 09:00:",
        "A. Nybody <a@example.com> 于2026年3月10日周二\n09:00写道：",
        "A. Nybody <a@example.com> 於 2026年3月10日\n週二 上午9:00寫道：",
        "示例客户服务中心 <customer.service@example.com>\n于2026年3月10日周二 09:00写道：",
        "示例客户服务中心\n<customer.service@example.com>\n于2026年3月10日周二 09:00写道：",
        "示例 <a@example.com>\n于 2026年3月10日周二\n上午9:00写道：",
        "示例 <\na@example.com> 于2026年3月10日周二 09:00写道：",
        "在 2026年3月10日，09:00，\n示例 <a@example.com>\n写道：",
        '2026年3月10日 09:00，"示例"\n<a@example.com> 写道：',
        "Example Desk <a@example.com>\nwrote on Tue, 10 Mar 2026 at 09:00:",
    ],
)
def test_an_introduction_wrapped_before_its_time_is_cut(introduction: str, history: str) -> None:
    answer = "It works now.\nThank you"
    assert strip_reply(f"{answer}\n\n{introduction}\n\n{history}\n") == answer


@pytest.mark.parametrize(
    "text",
    [
        "We met on 10 March 2026\n09:00 works for me:\nplease confirm",
        "来的时间是3月10日\n9:00可以吗",
    ],
)
def test_a_time_below_a_date_is_no_introduction(text: str) -> None:
    assert strip_reply(text) == text


def test_a_date_and_address_before_quoted_lines_are_an_introduction() -> None:
    text = f"{NEW}\n\n2011/4/7 Example Desk <desk@example.com>\n\n> Which model?\n"
    assert strip_reply(text) == NEW


def test_answers_between_quoted_lines_are_kept() -> None:
    text = (
        "On Mon, 1 Jan 2024 at 12:00, Desk <desk@example.com> wrote:\n"
        "> Which model is it?\n\nAn X-1.\n\n> Since when?\n> And how often?\n"
        "Since Monday.\nEach time.\n\n> Regards\n> Desk\n\n-- \nExample Person"
    )
    assert strip_reply(text) == "An X-1.\n\nSince Monday.\nEach time."


def test_an_answer_below_the_quotation_is_kept() -> None:
    text = "On 1 Jan 2024, Desk wrote:\n> Which model is it?\n> Thanks\n\nAn X-1, bought in May."
    assert strip_reply(text) == "An X-1, bought in May."


def test_wrapped_ends_of_quoted_lines_are_cut() -> None:
    text = (
        "Yes.\n\nOn 1 Jan 2024, Desk <desk@example.com> wrote:\n"
        "> A long line that a relay on the way has broken off at a column of\nits own\n> choice.\n"
    )
    assert strip_reply(text) == "Yes."


@pytest.mark.parametrize(
    "signature",
    ["----\nLi Wei\nExample Shop\nTel: +86 571 88888888\nwww.example.com",
     "-----\n李伟\n示例公司\n电话：0571-88888888\n邮箱：a@example.com"],
)  # fmt: skip
def test_a_signature_below_a_drawn_line_is_cut(signature: str) -> None:
    assert strip_reply(f"{NEW}\n\n{signature}") == NEW


def test_text_directly_below_a_device_line_is_kept() -> None:
    text = (
        "Sent from my iPhone\nThe display is broken, and nobody answers the phone.\n\nPlease help."
    )
    assert strip_reply(text) == text.partition("\n")[2]


def test_a_gateway_s_warning_is_cut() -> None:
    banner = "CAUTION: This email originated from outside of the organization."
    assert strip_reply(f"{banner}\n\n{NEW}") == NEW


def test_markup_alone_identifies_history() -> None:
    lines = [
        TextLine("New."),
        TextLine("Anything at all", Kind.HISTORY),
        TextLine("me", Kind.SIGNATURE),
    ]
    assert newly_written(lines).text == "New."


@given(
    st.text(
        alphabet=st.sampled_from(">:-_ \n<@.*,aOn1wrote发件人主题：写道FromSubject"), max_size=400
    )
)
@settings(max_examples=300)
def test_some_text_always_remains(text: str) -> None:
    assert bool(strip_reply(text).strip()) == bool(text.strip("\n").strip())


@given(st.lists(st.text(alphabet="abc de.\n", min_size=1, max_size=60), max_size=10))
def test_ordinary_text_is_never_changed(paragraphs: list[str]) -> None:
    text = "\n\n".join(paragraphs)
    assert strip_reply(text).split() == text.split()


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "On " * 100_000,
        "<" * 250_000,
        "a@" * 125_000 + ":",
        "> \n" * 75_000,
        "On 1 Jan 2024, x <a@example.com>\n" * 8_000,
        "wrote:\n" * 30_000,
        "From: a@example.com\n\n" * 12_000,
        "- - - - " * 30_000,
        "Sent from my " * 20_000,
        "This message " * 20_000,
        ("This message is " * 30 + "\n\n") * 500,
    ],
)
def test_parsing_time_is_linear_for_a_hostile_mail(text: str) -> None:
    assert grows_with_length(strip_reply, text)


@pytest.mark.parametrize(
    "form",
    ["{}", "> {}", "Yes.\n\n{}:", "On 1 Jan 2024 {} wrote:", "From: {}", "{} a@example.com:",
     "-- \n{}", "Yes.\n\n{}?", "---- {} ----"],
)  # fmt: skip
def test_a_long_line_is_parsed_quickly(form: str) -> None:
    units = "a|a |A b |-|- |*|* |1|1.|: |<a@b |a@a.|> |(|'|写道|发件人：|wrote: |x:|this message "
    for unit in [*units.split("|"), "|", "| a ", "best regards ", "Sent from my ", "original "]:
        long, short = (form.format((unit * 500)[:size]) for size in (480, 120))
        whole, part = (
            seconds(partial(strip_reply, long), 2),
            seconds(partial(strip_reply, short), 2),
        )
        assert whole < 4**3 * part, unit
