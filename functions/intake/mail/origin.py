"""Tell a person's mail from automatic replies, bounces and complaints.

Standards come first: RFC 3462/3464 reports, RFC 5965 feedback, RFC 3834 Auto-Submitted, RFC 3798
receipts. Then come the conventions of mail software: its own headers, the empty return path,
senders such as MAILER-DAEMON with the wording of a failed delivery, subjects of absence notes. A
person's mail stays human when a mailing list delivers it.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from functions.intake.mail import mime
from functions.intake.mail.charsets import Note

Origin = Literal["human", "auto_reply", "bounce", "complaint"]

_READ = 64 * 1024


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """The content of a bounce or complaint; unknown strings are empty.

    - `recipients`: the addresses that failed or complained, lowercase.
    - `status`: the enhanced status code (RFC 3463), such as `5.1.1`.
    - `permanent`: whether the address is unusable; a full mailbox, an oversized mail or rejected
      content do not make it so.
    - `message_id`: the id of the returned mail, without angle brackets.
    - `references`: every id in the headers of the returned mail.
    - `feedback`: the type of a complaint (RFC 5965), such as `abuse` or `not-spam`.
    """

    recipients: tuple[str, ...] = ()
    status: str = ""
    permanent: bool = False
    message_id: str = ""
    references: tuple[str, ...] = ()
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The origin, with the report of a bounce or complaint."""

    origin: Origin
    returned: DeliveryReport | None = None


@cache
def _pattern(words: str) -> re.Pattern[str]:
    """Compile on first use: these patterns take longer than importing the module."""
    return re.compile(words, re.IGNORECASE | re.VERBOSE)


_DAEMON = re.compile(
    r"^(mailer[-_.]?daemon|mail[-_.]?daemon|mdaemon|postmaster|post[-_]?master|mail[-_.]?delivery"
    r"|mail[-_.]?system|mail[-_.]?administrator|mailadmin|maildeliverysystem|delivery[-_.]?(failure"
    r"|status|subsystem|agent|reports?)|microsoftexchange[0-9a-f]{8,}|bounces?([-+=].*)?"
    r"|no-?reply[-_.]?bounces?|uucp|smtp[-_.]?gateway|mmdf|x400|ndr|dsn|root)$"
)
_MACHINE = re.compile(
    r"mailer|mdaemon|maildelivery|mail[-_.]?delivery|delivery|microsoftexchange|bounce"
)
_DAEMON_NAME = re.compile(
    r"mail(er)?[ -]?delivery|delivery[ -](sub)?system|mailer[ -]?daemon|^postmaster$|postmaster\b"
    r"|mail ?system|system administrator|mail administrator|internet mail delivery|mail deliver"
    r"|delivery status|non[- ]?delivery|maildelivery|系统退信|退信|郵件系統|邮件系统|postmaster",
    re.IGNORECASE,
)
_RETURN_SUBJECT = r"""^\W{0,3}(\[[^\]]{1,40}\]\s*)?(?:
      (undeliver(ed|able)|non[- ]?deliver(ed|able|y)|un-?deliverable)\b
    | (e-?mail|mail|message|nachricht)?\W{0,2}(delivery|deliver)\W+(fail|status|error|problem|report
        |notif|unsuccess|delay|has\ failed|was\ (not|unsucc)|could\ not|incomplete|subsystem
          |expired|warn)
    | (mail|message|your\ (mail|message|e-?mail))\b.{0,60}\b(fail|not\ (be\ )?deliver|could\ not
        |undeliver|returned|rejected|bounced?|delayed|failure|unable)
    | (failure|failed|warning|error|bounce[d]?|rejected|returned?)\W+(notice|mail|message|delivery
        |sending|to\ deliver|e-?mail|notification)\b
    | (returned\ (e-?)?mail|returned\ to\ sender|return\ receipt\ error|unable\ to\ deliver
        |couldn'?t\ (be\ )?deliver|can(no|')t\ (be\ )?deliver|could\ not\ (be\ )?(deliver|send)
        |not\ delivered|notice:\ mail|nondeliverable|user\ unknown|mail\ could\ not
        |mail\ system\ error|mail\ not\ deliver|address\ not\ found|recipient\ (unknown|not\ found)
        |bounced\ mail|message\ status\ -\ undeliverable|warning:\ (message|could\ not)
        |notification\ de\ (non-?remise|statut)|process\ failed|mail\ transfer|自動返信\ エラー)
    | failure\ report|\[?bounce\b|(mail\ )?loop\ (alert|detected)|not\ member\ article
    | unzustellbar|zustell(ung|fehler)|nicht\ zugestellt|übermittlungsfehler
        |nachricht\ konnte\ nicht
        |fehler\ beim\ (senden|zustellen)|unzustellbare
    | non[- ]remis|échec\ (de|d['’])|e?chec\ de\ (la\ )?(remise|distribution|livraison)
        |message\ non\ (distribu|remis)
        |avis\ de\ non|notification\ d['’]échec
    | (mensaje|correo)?\s*no\ (se\ ha\ podido|se\ pudo|entregad)|no\ entregad|error\ de\ entrega
        |entrega\ fallida|notificaci[oó]n\ de\ (estado|error|no)|devoluci[oó]n|correo\ devuelto
    | mancat[ao]\ (consegna|recapito)|impossibile\ recapitare|errore\ di\ consegna|non\ recapitabile
        |messaggio\ non\ (consegnato|recapitato)
    | n[ãa]o\ (foi\ )?(poss[ií]vel|entreg)|falha\ n[ao]\ entrega|mensagem\ (n[ãa]o|devolvida)
    | onbestelbaar|niet\ (af|be)?(geleverd|bezorgd)|kan\ niet\ worden\ bezorgd|bezorging
    | niedostarcz|nie\ (można|udało\ się)\ dostarczyć|zwrot\ wiadomości|błąd\ dostar
    | kunde?\ (inte|ikke)\ (levereras|leveres)|olevererad|ikke\ leveret|kan\ (inte|ikke)\ lever
        |levering
    | toimitusvirhe|viestiä\ ei\ voitu
    | не\ ?доставлен|недоставлен|не\ удалось\ доставить|ошибка\ доставки|отчет\ о\ недост
        |сообщение\ не
    | nedoručiteln|nedoručen|zpráva\ nebyla|kézbesíthetetlen|teslim\ edilem|iletilemedi
    | 系统退信|退信|邮件(投递|发送)失败|郵件(投遞|傳送|寄送)失敗|未送达|未送達|无法(投递|送达|发送)
        |無法(投遞|傳送|送達)|投递失败
    | 配信(不能|失敗|エラー|できません)|送信(エラー|失敗|できません)|未配信|配達(不能|できません)
        |エラー(メール|通知)|メール(が|を).{0,10}(できません|届)
    | 배달\ ?(실패|못함)|전송\ ?실패|반송|발송\ ?실패
    )"""
_RETURN_WORDS = r"""(?:
      (could|can|was|were|is|be|been|has|have)\s*(not
        |n['’]t)\s*(yet\s+)?(be(en)?\s+)?(\w+\s+)?(deliver|sent\ to|reach|accept)
    | cannot\ (be\ )?deliver|couldn['’]t\ (be\ )?deliver|unable\ to\ (deliver|relay|send|route)
        |undeliver(ed|able)
    | fail(ed|ure)\s+(to\s+deliver|deliver|address|recipient)
        |deliver[a-z]*\s+(to\s+.{3,80}\s+)?(has\s+)?(permanently\s+)?(fail|unsuccess|delay|error)
    | delivery\s+(attempt|to\s+the\s+following|status|problem|notif|report)|not\ deliver(ed|able)
        |error\s+delivering
    | (user|recipient|mailbox|address|account|host|domain)s?\s+(name\s+)?(is\s+|was\s+
        |are\s+)?(unknown|not\ (found|exist|listed|local|recogni|valid)
        |does(\ not|n['’]t)\ exist|rejected|unavailable|disabled|full|over\ quota|inactive
          |has\ been\ (disabled|blocked))
    | (unknown|no\ such|invalid|bad|nonexistent|rejected|unroutable|unrouteable)\s+(user|recipient
        |mailbox|address|host|domain|account|destination)
    | (over|exceed\w*)\s+(its\s+|the\s+)?(storage\s+|disk\s+)?(quota|limit|allowance)
        |mailbox\s+(is\s+)?full|quota\s+exceeded
    | returned\s+(mail|message|to\s+sender|below)|message\s+(was|has\s+been)\s+(rejected|returned
        |refused|blocked)|giving\s+up|gave\s+up
    | permanent\s+(fatal\s+)?(error|failure)|fatal\s+errors?|transcript\s+of\s+(the\s+)?session
        |(smtp|remote|server)\s+(error|host\s+said)|refused\s+to\s+(accept|conversation)
    | duplicated\ message-id|failure\ reasons?|final-recipient|diagnostic-code|remote-mta
        |retry\ timeout|did\ not\ like\ (our|recipient)
        |does\ not\ like\ recipient
    | (hop\ count|too\ many\ hops|mail\ loop|message\ (size\ )?exceeds|access\ denied
        |relay(ing)?\ denied|spam\ (content|message)|blocked\ by)
    | \b[45]\d\d[ -][45]\.\d{1,3}\.\d{1,3}\b|\b5[0-7]\d[ -][<#a-z]|\#[45]\.\d\.\d
        |\b5\.[0-7]\.\d{1,3}\b
    | nicht\s+(zugestellt|zustellbar|ausgeliefert|übermittelt|erreicht)|unzustellbar
        |empfänger\s+unbekannt
    | n['’]a\s+pas\s+(pu\s+)?(été|être|etre)\s+(\w+\s+)?(remis|livr|distribu|envoy|acheminé)
        |destinataire\s+(inconnu|introuvable)|non\s+remis
    | no\s+(se\s+)?(ha\s+podido|pudo|puede)\s+(ser\s+)?(entreg|envia)|no\s+entregad
        |usuario\s+desconocido
    | non\s+(è\s+stato\s+|è\s+)?(possibile\s+)?(consegn|recapit)|utente\s+sconosciuto
        |n[ãa]o\s+(p[ôo]de|foi)\s+(ser\s+)?entreg
    | niet\s+(worden\s+)?(afgeleverd|bezorgd|geleverd)|nie\s+(została|może|można
        |udało)[^.]{0,30}dostarcz
    | не\s+(было|может|удалось|доставлено|доставлен)[^.]{0,40}(достав)?|недоставлен|не\s+существует
    | 无法(投递|送达|送達|发送)|無法(投遞|送達|傳送|寄送|遞送)|退信|投递失败|未能(送达|投递)|不存在
        |被(退回|拒收|拒绝)|郵件.{0,12}(失敗|退回)
    | 配信(でき|不能|されません|に失敗)|届けることができ|送信(でき|に失敗)|送達|見つかりません
        |存在(しま|いた)せん|受信者|宛先|エラー|お届け
    | 배달(되지|할\ 수|하지)|전송(되지|할\ 수|하지)|반송|존재하지
    )"""
# Subjects that automatic replies begin with, followed by nothing or a mark such as a colon: in
# "Automatic reply from your bot was wrong" a person writes about one.
_AUTOMATIC_SUBJECT = r"""^\W{0,3}(?:
      (auto(matic(ally)?|mated)?|out[- ]of[- ](the[- ])?office)[- ]?(reply|response|responder|answer
        |generated|acknowledge?ment)\b
    | autorespon|auto-?repl|away\ from\ (my\ )?(mail|office|desk)
    | (vacation|annual\ leave|holiday)\ (auto-?)?(reply|response|notice|responder)
    | abwesenheits(notiz|meldung|nachricht|assistent|hinweis|info)|urlaubs(notiz|abwesenheit)
    | automatische\ (antwort|e-?mail-?antwort|rückantwort|eingangsbestätigung)|autom\.\ antwort
    | r[ée]ponse\ automatique|absen(ce|te?)\ du\ bureau|message\ (d['’]absence|automatique)
    | accus[ée]\ de\ r[ée]ception\ automatique
    | (respuesta|contestaci[oó]n)\ autom[áa]tica|autorrespuesta|mensaje\ autom[áa]tico
    | risposta\ automatica|assen(za|te)\ dall['’]ufficio|messaggio\ automatico|risponditore
    | (resposta|mensagem)\ autom[áa]tica|aus[êe]ncia\ do\ escrit[óo]rio
    | automatisch(e)?\ (antwoord|reactie|beantwoord)|afwezigheids(bericht|melding|assistent)
    | automatyczna\ odpowied|odpowied[zź]\ automatyczna|autoodpowied|jestem\ poza\ biurem
    | autosvar|automatiskt?\ svar|(frånvaro|fraværs)(meddelande|meddelelse|melding|besked)
    | ikke\ til\ stede|automaattinen\ vastaus|poissaolo(ilmoitus|viesti)|lomavastaa
    | автоответ|автоматическ(ий|ое)\ (ответ|сообщение)|автоматична\ відповідь
    | отсутствие\ на\ рабочем|automatick[áaeé]\ odpov[eě]|automatikus\ válasz
    | r[ăa]spuns\ automat|otomatik\ (yanıt|cevap)|αυτόματη\ απάντηση|samodejni\ odgovor
    | automatski\ odgovor|automatinis\ atsak|automātiskā\ atbilde|automaatvastus
    | 【?自动(回复|答复|回覆|应答|回信)|【?自動(回覆|回復|答覆|應答|応答|返信|配信)|休假(通知|自动
        |中)
    | オートリプライ
    | 자동\ ?(회신|응답|답장)|부재\ ?중\ ?(알림|메시지|응답)|תשובה\ אוטומטית|رد\ تلقائي
    | ตอบกลับอัตโนมัติ|trả\ lời\ tự\ động|balasan\ otomatis
    | o{2,3}f?\b|out[- ]of[- ](the[- ])?office(\ (notice|message|notification|alert))?
    | fuera\ de\ (la\ )?oficina|fuori\ (ufficio|sede)|fora\ d[oe]\ escrit[óo]rio
    | niet\ op\ kantoor|buiten\ kantoor|poza\ biurem|inte\ på\ kontoret|ikke\ på\ kontoret
    | poissa\ toimistolta|вне\ офиса|mimo\ kancelář|házon\ kívül|ofis\ dışı(nda)?
    | εκτός\ γραφείου|מחוץ\ למשרד|خارج\ المكتب|nicht\ im\ büro
    )"""
# Those that people write as well, for example about a parcel; the text has to say so too.
_ABSENCE_SUBJECT = r"""^\W{0,3}(?:
      (i\ am|i['’]m)\ (currently\ )?(away|out\ of\ (the\ )?office|on\ (vacation|holiday|leave))
    | absence|abwesenheit|abwesend|nicht\ im\ hause|außer\ haus|ausente|assenza
    | aus[êe]ncia(\ tempor[áa]ria)?|afwezig(heid)?|nieobecność|frånvaro|frånvarande|fravær
    |fraværende
    | poissa(olo)?|olen\ poissa|нет\ на\ месте|nepřítomnost|távollét
    | 外出(通知|中です|のお知らせ)?|不在(通知|連絡|のお知らせ|です|のため|にしております)?|留守
    |年假中|休假
    | 부재\ ?중|away\ until|auto:|on\ (vacation|holiday|leave)|vacation
    | .{0,200}[(（\[【](auto(matic)?[- ]?reply|自动(回复|答复)|自動(回覆|返信|応答))[)）\]】]\W*$
    )"""
_AUTOMATIC_WORDS = r"""
      \b(i\ am|i['’]m|i\ will\ be|is)\ (currently\ |now\ )?(out\ of|away|absent|unavailable|travel
      |on\ )
    | out\ of\ (the\ )?office|(will|shall)\ (be\ back|return|reply|respond|answer|get\ back|contact)
    | (limited|no)\ access\ to|(auto(matic|mated)|automatically)\ (generated|reply|response|message)
    | do\ not\ (reply|respond)|received\ your|thank\ you\ for\ (your|contacting|writing|reaching)
    | abwesend|nicht\ im\ (büro|hause)|automatisch|im\ urlaub|wieder\ (erreichbar|da|zurück)
    |erhalten
    | absent|de\ retour|bien\ reçu|automatique|ausente|fuera\ de\ la\ oficina|vacaciones
    |autom[áa]tic
    | hemos\ recibido|recebemos|f[ée]rias|fuori\ (ufficio|sede)|abbiamo\ ricevuto|assente|ferie
    | afwezig|vakantie|ontvangen|nieobecn|urlop|otrzyma|semester|ferie|loma|отсутств|отпуск|получен
    | (来信|來信|邮件|郵件|来函|咨询|请求).{0,8}(已收到|收悉|已收悉)
    |已(经)?收到.{0,6}(来信|來信|邮件|郵件|咨询|请求)
    | 感谢(您|你)的(来信|邮件|咨询|联系)|不在办公室|不在辦公室|休假|出差|年假|外出|系统自动|系統自動
    | (尽快|儘快|盡快).{0,6}(回复|回復|回覆|联系|聯絡|处理|處理)|[请請]勿(直接)?(回复|回覆)
    | 不在(に|と|の|で)|休暇|休業|自動(返信|送信|応答|配信)|返信(でき|専用)|受け付けました
    |お問い合わせいただ
    | 부재|휴가|자동"""
# What a person writes about a machine, and none about itself.
_PERSON_WORDS = r"""
      [?？]
      |\b(my|our)\ (order|parcel|mail|e-?mail|message|account|address|invoice|server|customer|name)
    | \bhow\ (can|do|should)\ (i|we)\b
    |\bi\ (tried|wrote|sent|got|cannot|can['’]t|need|want|have|am\ a)\b
    | \b(please|kindly)\ (help|fix|refund|check|tell|advise|explain|let\ me)|refund
    |\b(wrong|broken)\b
    | 请问|请帮|麻烦|帮我|怎么|为什么|吗|退款|失效|坏了|我(的|们|想|要|在|从)?|ですか|ください
    |お願い"""
_FEEDBACK_SUBJECT = re.compile(
    r"^\W{0,3}(complaint (about|from|regarding) (message|e-?mail|spam)"
    r"|(e-?mail )?(abuse|feedback) report|email feedback|abuse (report|complaint)"
    r"|spam (report|complaint)|fw: ?\[?spam report|feedback loop)",
    re.IGNORECASE,
)
_AUTOMATIC_HEADERS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-autoreply-from",
    "x-autoreply-domain",
    "x-auto-reply",
    "x-auto-response",
    "x-auto-respond",
    "x-mail-autoreply",
    "x-autogenerated",
    "x-vacation",
    "x-vacation-message",
    "x-out-of-office",
    "x-aol-autoreply",
    "x-yahoo-autoreply",
    "x-away-message",
    "autoresponder",
)
_LIST_HEADERS = ("list-id", "list-post", "list-help", "mailing-list", "x-mailing-list", "x-loop")
_URL = re.compile(r"https?://\S+")
_HEADERS = re.compile(
    r"^\W{0,4}(message-id|received|return-path|x-mailer)\s*:", re.IGNORECASE | re.MULTILINE
)
_COPY = re.compile(
    r"^[ \t>*#=_-]*+(?:this is a copy of|below this line|original message|"
    r"copy of (?:the |your )?message|the (?:original|body of|header)|message (?:text|header)"
    r"|returned message|unsent message|begin(?:ning)? of|included message|your message reads"
    r"|transcript of)",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS = re.compile(
    r"<?([A-Za-z0-9._%+=/'-]{1,100}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+)>?"
)


_TEMPORARY_STATUS = re.compile(r"4\.|5\.(?:2\.[234]|3\.|6\.|7\.)")
_TEMPORARY_WORDS = re.compile(
    r"quota|(mail)?box\s+(is\s+)?full|too\s+(large|big)|exceeds\s+(the\s+)?(size|limit)|spam"
    r"|容量|已满|已滿|いっぱい",
    re.IGNORECASE,
)
_REPLY_CODE = re.compile(
    r"\b[45]\d\d[ #-]+(?:[45]\.\d{1,3}\.\d{1,3}|<|user|mailbox|no such)", re.IGNORECASE
)


def recognise(root: mime.Part, sender: str, subject: str, text: str, note: Note) -> Verdict:
    """Classify a mail by its parts, sender, decoded subject and text."""
    leaves = list(_leaves(root))
    kinds = {leaf.content_type for leaf in leaves}
    report = root.parameters.get("report-type", "").lower() if root.content_type == \
        "multipart/report" else ""  # fmt: skip
    if _is_complaint(root, sender, subject, text, kinds, report, leaves):
        return Verdict("complaint", _returned(root, leaves, text, note, complaint=True))
    notification = _provider_notification(root, text)
    if notification is not None:
        return notification
    status = _delivery_status(leaves)
    if status is not None or report == "delivery-status":
        actions = set(re.findall(r"^action:\s*(\w+)", status or "", re.IGNORECASE | re.MULTILINE))
        if actions and {a.lower() for a in actions} <= {"delivered", "relayed", "expanded"}:
            return Verdict("auto_reply")
        return Verdict("bounce", _returned(root, leaves, text, note))
    if "message/disposition-notification" in kinds or report == "disposition-notification":
        return Verdict("auto_reply")
    if root.content_type == "multipart/report" or _is_bounce(root, sender, subject, text, leaves):
        return Verdict("bounce", _returned(root, leaves, text, note))
    automatic = _is_automatic(root, sender) or _has_automatic_subject(subject, text)
    return Verdict("auto_reply" if automatic else "human")


def _leaves(root: mime.Part) -> list[mime.Part]:
    leaves: list[mime.Part] = []
    pending = [root]
    while pending:
        part = pending.pop()
        if part.children:
            pending.extend(reversed(part.children))
        else:
            leaves.append(part)
    return leaves


def _is_complaint(
    root: mime.Part, sender: str, subject: str, text: str, kinds: set[str], report: str,
    leaves: list[mime.Part],
) -> bool:  # fmt: skip
    if report == "feedback-report" or "message/feedback-report" in kinds:
        return True
    if root.header("x-hmxmroriginalrecipient") is not None:
        return True
    listed = re.search(r"^feedback-type\s*:", text[:4000], re.IGNORECASE | re.MULTILINE)
    if listed is not None:
        return not _is_personal(text[: listed.start()])
    forwarded = any(leaf.content_type.startswith("message/rfc822") for leaf in leaves)
    if not forwarded and not _HEADERS.search(text[:_READ]):
        # People complain too; only a complaint about a mail comes with that mail.
        return False
    keyword = re.search(r"\b(abuse|complain(t|ed)|spam|unsolicited|feedback)\b", text[:2000], re.I)
    by_subject = _FEEDBACK_SUBJECT.match(subject) is not None
    by_sender = bool(
        keyword
        and re.match(r"(staff@hotmail|fbl|feedback|abuse|complaints?|scomp|jmrp)", sender)
        and not subject.lower().startswith("re:")
    )
    return (by_subject or by_sender) and not _is_personal(text[:2000])


def _is_personal(text: str) -> bool:
    """Return whether a text asks, requests or tells of the writer's own affairs."""
    return _pattern(_PERSON_WORDS).search(_URL.sub("", text)) is not None


def _delivery_status(leaves: list[mime.Part]) -> str | None:
    for leaf in leaves:
        if leaf.content_type in {"message/delivery-status", "message/global-delivery-status"}:
            data = leaf.content(_ignore)[:_READ]
            return data.decode("utf-8", "replace")
    return None


def _ignore(_: str) -> None:
    """Drop defects: they were noted when the parts were read first."""


def _has_null_return_path(root: mime.Part) -> bool:
    values = [*root.all("return-path"), *root.all("x-envelope-from"), *root.all("x-mail-from")]
    return any(value.replace(b" ", b"") in (b"<>", b"<MAILER-DAEMON>") for value in values)


_EVENT = re.compile(r'"(?:notificationType|eventType)"\s*:\s*"(Bounce|Complaint)"')


def _provider_notification(root: mime.Part, text: str) -> Verdict | None:
    """Read SES's bounce and complaint notifications delivered by SNS as mail (SES guide)."""
    text = text[:_READ].replace('\\"', '"') if text.startswith("{") else ""
    event = _EVENT.search(text)
    if event is None or root.header("x-amz-sns-message-id") is None:
        return None
    address = r'"emailAddress"\s*:\s*"[^"@]{0,100}?([^"<@\s]+@[^">\s]+)'
    status = re.search(r'"status"\s*:\s*"([245]\.\d{1,3}\.\d{1,3})"', text)
    own_id = re.search(r'"messageId"\s*:\s*"<?([^"<>@]+@[^"<>@]+)>?"', text)
    complaint = event.group(1) == "Complaint"
    feedback = re.search(r'"complaintFeedbackType"\s*:\s*"([\w-]{1,40})"', text)
    return Verdict(
        "complaint" if complaint else "bounce",
        DeliveryReport(
            recipients=tuple(dict.fromkeys(a.lower() for a in re.findall(address, text)))[:50],
            status=status.group(1) if status else "",
            permanent=not complaint and '"bounceType":"Permanent"' in text.replace(" ", ""),
            message_id=own_id.group(1) if own_id else "",
            references=tuple(dict.fromkeys(re.findall(r"<([^<>\s\"]{1,300})>", text)))[:50],
            feedback=feedback.group(1) if feedback else "",
        ),
    )


def _is_forwarded_report(subject: str, text: str) -> bool:
    """Return whether a person forwarded a delivery report with hardly any text of their own."""
    prefix = re.match(r"(fwd?|wg|tr|rv|i|enc|转发|轉寄|転送)\s*[:：]\s*", subject, re.IGNORECASE)
    if prefix is None or not _pattern(_RETURN_SUBJECT).search(subject[prefix.end() :]):
        return False
    if not re.search(r"^[> \t]*final-recipient\s*:", text[:_READ], re.IGNORECASE | re.MULTILINE):
        return False
    begins = re.search(r"^[^\S\n]*(?:>|begin forwarded|-{3,})", text, re.IGNORECASE | re.MULTILINE)
    return begins is not None and len(text[: begins.start()].split()) <= 6


def _is_bounce(
    root: mime.Part, sender: str, subject: str, text: str, leaves: list[mime.Part]
) -> bool:
    if root.header("x-failed-recipients") or root.header("x-bounce-tracking-info"):
        return True
    if _is_forwarded_report(subject, text):
        return True
    if re.match(r"(re|aw|sv|fwd?|wg|tr|答复|回复|转发|回覆|轉寄)\s*[:：]", subject, re.IGNORECASE):
        return False
    local = sender.partition("@")[0]
    name = mime.header_text(root.header("from"), _ignore)
    is_daemon = bool(_DAEMON.match(local)) or bool(_DAEMON_NAME.search(name))
    by_daemon = is_daemon or _has_null_return_path(root) or not sender
    subject_says = bool(_pattern(_RETURN_SUBJECT).search(subject))
    if not by_daemon and not subject_says:
        return False
    report = _report_text(text, leaves)
    words = _pattern(_RETURN_WORDS).search(report)
    if is_daemon:
        # People have addresses such as postmaster@, too.
        is_person = not _MACHINE.match(local) and _is_personal(report)
        if is_person and not (_has_headers(root, text, leaves) or _is_automatic(root, sender)):
            return False
        return subject_says or (words is not None and not _is_marked_automatic(root, subject))
    if by_daemon:
        return subject_says and (words is not None or not _is_marked_automatic(root, subject))
    copied = _has_headers(root, text, leaves) or _REPLY_CODE.search(text)
    return words is not None and bool(copied) and not _is_personal(report)


def _report_text(text: str, leaves: list[mime.Part]) -> str:
    """The report without the copy of the returned mail."""
    head = text[:12_000]
    if not head.strip():
        head = "\n".join(
            leaf.content(_ignore)[:4000].decode("utf-8", "replace") for leaf in leaves[:3]
        )
    copy = _COPY.search(head, 1)
    return head[: copy.start()] if copy and copy.start() > 40 else head


def _has_headers(root: mime.Part, text: str, leaves: list[mime.Part]) -> bool:
    """Return whether the mail contains the headers of a returned one."""
    if any(leaf.content_type in _RETURNED_PARTS for leaf in leaves if leaf is not root):
        return True
    return _HEADERS.search(text) is not None


def _is_marked_automatic(root: mime.Part, subject: str) -> bool:
    return bool(_pattern(_AUTOMATIC_SUBJECT).match(subject)) or any(
        root.header(name) is not None for name in _AUTOMATIC_HEADERS
    )


def _has_automatic_subject(subject: str, text: str) -> bool:
    """Return whether the subject is that of an automatic reply, and the text no person's."""
    begins = _pattern(_AUTOMATIC_SUBJECT).match(subject)
    absent = None if begins else _pattern(_ABSENCE_SUBJECT).match(subject)
    if begins is None and absent is None:
        return False
    start = text[:2000]
    says_so = _pattern(_AUTOMATIC_WORDS).search(start) is not None
    if absent is not None:
        return says_so and not _is_personal(subject)
    rest = _REST_OF_WORD.sub("", subject[begins.end() :]).strip() if begins else ""
    if not rest or not (rest[0].isalnum() or rest[0] in "\"'“«"):
        return says_so or not _is_personal(start)
    return says_so and not _is_personal(rest + "\n" + start)


_REST_OF_WORD = re.compile(r"^[^\W\d_\u0e00-\u0e7f\u3040-\u9fff\uac00-\ud7af]*")


def _is_automatic(root: mime.Part, sender: str) -> bool:
    submitted = _value(root, "auto-submitted")
    if submitted and not submitted.startswith("no"):
        return True
    for name in _AUTOMATIC_HEADERS:
        value = root.header(name)
        if value is not None and value.strip().lower() not in (b"no", b"false", b"0", b""):
            return True
    precedence = _value(root, "precedence") or _value(root, "x-precedence")
    if precedence in {"auto_reply", "auto-reply", "autoreply"} or _value(root, "preference") == \
            "auto_reply":  # fmt: skip
        return True
    is_list = any(root.header(name) is not None for name in _LIST_HEADERS)
    if precedence in {"bulk", "junk"} and not is_list:
        return True
    if _value(root, "x-fc-machinegenerated") == "true" or _value(root, "x-post-messageclass")[:2] \
            == "9;":  # fmt: skip
        return True
    if _has_null_return_path(root) or re.match(r"(mailer-?daemon|mdaemon|bounces?[@+-])", sender):
        return True
    if (
        "all" in _value(root, "x-auto-response-suppress")
        and not is_list
        and (root.header("in-reply-to") is None)
    ):
        return True
    if "mailbox rules agent" in _value(root, "x-ms-exchange-generated-message-source"):
        return True
    return bool(re.search(r"\b(vacation|auto-?respond|auto-?repl)", _value(root, "x-mailer")))


def _value(root: mime.Part, name: str) -> str:
    return (root.header(name) or b"").decode("ascii", "replace").strip().lower()


# --- delivery reports -----------------------------------------------------------------------


def _returned(
    root: mime.Part, leaves: list[mime.Part], text: str, note: Note, *, complaint: bool = False
) -> DeliveryReport:
    status_text = _delivery_status(leaves) or ""
    for leaf in leaves:
        if leaf.content_type == "message/feedback-report":
            status_text += "\n" + leaf.content(note)[:_READ].decode("utf-8", "replace")
    subject = mime.header_text(root.header("subject"), note)
    if not status_text and _is_forwarded_report(subject, text):
        status_text = re.sub(r"^[> \t]+", "", text[:_READ], flags=re.MULTILINE)
    recipients = [
        address.lower()
        for address in re.findall(
            r"^(?:final|original)-(?:recipient|rcpt-to)\s*:[^@\n]{0,60}?([^\s;<>@]+@[^\s;<>]+)",
            status_text, re.IGNORECASE | re.MULTILINE,
        )
    ]  # fmt: skip
    failed = root.header("x-failed-recipients") or root.header("x-hmxmroriginalrecipient")
    if failed:
        recipients += [a.lower() for a in _ADDRESS.findall(failed.decode("utf-8", "replace"))]
    report = _report_text(text, leaves)
    if not recipients and not complaint:
        recipients = [a.lower() for a in _ADDRESS.findall(report)[:1]]
    codes = re.findall(r"^status\s*:\s*([245]\.\d{1,3}\.\d{1,3})", status_text, re.I | re.M)
    if not codes:
        codes = re.findall(r"(?<![\d.])([45]\.\d\.\d{1,2})(?![\d.])", report)
    status = codes[0] if codes else ""
    delayed = re.search(r"^action\s*:\s*delayed", status_text, re.I | re.M) or re.search(
        r"\b(delayed|will (be )?(retr|keep trying|continue)|temporary|temporarily|not yet)", report
        if not codes else "", re.IGNORECASE)  # fmt: skip
    temporary = delayed or _TEMPORARY_STATUS.match(status) or (
        not status and _TEMPORARY_WORDS.search(report)
    )  # fmt: skip
    permanent = not complaint and not temporary and status[:1] in {"5", ""}
    feedback = re.search(r"^feedback-type\s*:\s*([\w-]{1,40})", status_text, re.I | re.M)
    return DeliveryReport(
        recipients=tuple(dict.fromkeys(recipients))[:50],
        status=status,
        permanent=permanent,
        message_id=_original_id(root, leaves, text),
        references=_original_references(root, leaves, text),
        feedback=feedback.group(1).lower() if feedback else "",
    )


_RETURNED_PARTS = frozenset(
    {"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"}
)


def _original_references(root: mime.Part, leaves: list[mime.Part], text: str) -> tuple[str, ...]:
    """Every id in the headers of the returned mail: relays may replace Message-ID but keep
    References."""
    # Following quoted lines are included; ids that are not ours have no effect.
    field = re.compile(
        rb"^[ \t>]*(?:message-id|in-reply-to|references|x-deskbell-id)[ \t]*:"
        rb"([^\n]*(?:\n[ \t>][^\n]*)*)",
        re.IGNORECASE | re.MULTILINE,
    )
    copies = [leaf for leaf in leaves if leaf is not root and leaf.content_type in _RETURNED_PARTS]
    sources = [leaf.content(_ignore)[:_READ] for leaf in copies]
    sources.append(text[-_READ:].encode("utf-8", "replace"))
    ids: dict[str, None] = {}
    for source in sources:
        for value in field.findall(source):
            for message_id in re.findall(rb"<([^<>\s]{1,300})>", value):
                ids.setdefault(message_id.decode("utf-8", "replace"))
    return tuple(ids)[:50]


def _original_id(root: mime.Part, leaves: list[mime.Part], text: str) -> str:
    """The Message-ID of the returned mail, from its copy or from the report's references."""
    pattern = re.compile(rb"^[ \t>]*message-id\s*:\s*<([^<>\s]{1,300})>", re.I | re.M)
    for leaf in leaves:
        if leaf is not root and leaf.content_type in _RETURNED_PARTS:
            match = pattern.search(leaf.content(_ignore)[:_READ])
            if match:
                return match.group(1).decode("utf-8", "replace")
    match = pattern.search(text[-_READ:].encode("utf-8", "replace"))
    for name in ("in-reply-to", "references"):
        match = match or re.search(rb"<([^<>\s]{1,300})>", root.header(name) or b"")
    return match.group(1).decode("utf-8", "replace") if match else ""
