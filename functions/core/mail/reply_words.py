"""The words with which mail clients mark quoted history and signatures, by language.

Data only: ``replies`` holds the rules. A language is added by adding its words to each table.
"""

# Labels of the header block that Outlook, Apple Mail, Foxmail and others put above an earlier
# message. Compared in lowercase, without spaces and emphasis.
HEADER_LABELS: dict[str, tuple[str, ...]] = {
    "from": (
        "from", "von", "de", "da", "van", "fra", "från", "lähettäjä", "od", "nadawca", "от",
        "откого", "отправитель", "від", "odesílatel", "odosielateľ", "feladó", "gönderen", "kimden",
        "expéditeur", "remitente", "mittente", "remetente", "afzender", "avsändare", "afsender",
        "dela", "expeditor", "από", "šalje", "pošiljatelj", "saatja", "nuo", "no", "מאת", "من",
        "จาก", "từ", "dari", "发件人", "從", "从", "自", "寄件者", "寄件人", "發件人", "发送人",
        "发自", "差出人", "送信者", "送信元", "보낸사람", "보낸이", "발신", "발신자", "발신인",
    ),
    "date": (
        "sent", "date", "senton", "datesent", "sentat", "gesendet", "gesendetam", "datum", "envoyé",
        "envoyéle", "envoyée", "messagedu", "enviado", "enviadoel", "enviadael", "enviadoem",
        "enviadaem", "enviada", "fecha", "data", "inviato", "inviatoil", "inviata", "datainvio",
        "verzonden", "verzondenop", "verstuurd", "sendt", "dato", "skickat", "skickad", "lähetetty",
        "päivämäärä", "päiväys", "pvm", "wysłano", "wysłane", "wysłana", "dnia", "дата",
        "отправлено", "датаотправки", "надіслано", "odesláno", "odoslané", "elküldve", "dátum",
        "küldve", "gönderildi", "gönderilmetarihi", "gönderim", "tarih", "trimis", "trimisă",
        "στάλθηκε", "ημερομηνία", "poslano", "saadetud", "נשלח", "תאריך", "تاريخ", "التاريخ",
        "วันที่", "ngày", "đãgửi", "tanggal", "发送时间", "发送日期", "日期", "时间", "寄件日期",
        "傳送時間", "寄件時間", "發送時間", "發送日期", "已傳送", "已发送", "送信日時", "日時",
        "日付", "送信日", "보낸날짜", "보낸시간", "보낸일시", "날짜", "일시", "발송일",
    ),
    "to": (
        "to", "an", "à", "a", "para", "pour", "aan", "til", "till", "vastaanottaja", "do",
        "adresat", "кому", "получатель", "komu", "címzett", "kime", "alıcı", "destinatario",
        "destinataire", "destinatário", "către", "catre", "προς", "za", "prima", "kellele", "kam",
        "אל", "إلى", "ถึง", "đến", "kepada", "收件人", "收件者", "发送至", "宛先", "받는사람",
        "받는이", "수신", "수신자", "수신인",
    ),
    "cc": (
        "cc", "bcc", "kopie", "kopiean", "copieà", "copie", "cópia", "copia", "conoscenza", "kopia",
        "kopi", "копия", "másolat", "másolatotkap", "bilgi", "κοιν", "抄送", "副本", "密送", "참조",
        "reply-to", "replyto", "antwortan", "répondreà", "responderа", "rispondia", "回复",
        "importance", "priority", "attachments", "anlagen", "附件", "添付ファイル", "organization",
    ),
    "subject": (
        "subject", "betreff", "betr", "objet", "sujet", "asunto", "assunto", "oggetto", "onderwerp",
        "emne", "ämne", "aihe", "temat", "тема", "předmět", "predmet", "tárgy", "konu", "subiect",
        "θέμα", "naslov", "teema", "tema", "נושא", "الموضوع", "เรื่อง", "chủđề", "perihal",
        "subjek", "主题", "主旨", "標題", "主題", "标题", "件名", "题目", "제목",
    ),
}  # fmt: skip

# Verbs of "wrote" in the line above a quotation.
WROTE = (
    "wrote", "writes", "has written", "quoting", "zitat von", "schrieb", "schrieben",
    "hat geschrieben", "geschrieben", "a écrit", "a ecrit", "écrivait", "a envoyé", "escribió",
    "escribio", "ha escrito", "va escriure", "escreveu", "ha scritto", "scrive", "scriveva",
    "schreef", "heeft geschreven", "het volgende geschreven", "skrev", "skreiv", "har skrevet",
    "kirjoitti", "kirjoittaa", "wiadomość napisana przez", r"napisał(?:\(a\))?", "napisała",
    "pisze", r"писал(?:\(а\))?", r"написал(?:\(а\))?", "написала", "пишет", "пише", "написав",
    "написа", r"napsal(?:\(a\))?", "napsala", "napísal", "napísala", "írta", "a scris",
    r"şun(?:u|ları) yazdı", "yazdı", "έγραψε", "napisao", "napisala", "napisao/la", "je napisal",
    "kirjutas", "rašė", "rakstīja", "כתב", "כתבה", "كتب", "تمت كتابة ما يلي بواسطة", "đã viết",
    "menulis", "เขียนว่า", "写道", "寫道", "写到", "来信", "來信", "写信", "撰写", "のメール",
    "は書きました", "さんは書きました", "書きました", "님이 작성", "작성", "썼습니다", "쓰셨습니다",
    "님이 보낸 메시지",
)  # fmt: skip

# Words that begin the line above a quotation, besides a date or a name.
OPENERS = (
    "wiadomość napisana przez", "on", "at", "am", "den", "um", "le", "el", "il", "in data",
    "il giorno", "em", "no dia", "op", "w dniu", "dnia", "dne", "dňa", "på", "la", "pe", "în data",
    "στις", "vào", "pada", "ngày", "ב", "בתאריך", "في", "в", "во", "дана", "на", "u", "dana", "a",
    "quoting", "zitat von", "citando", "在", "于", "於", "自", "il y a", "le jour", "ca",
)  # fmt: skip

# Words between dashes, or alone before a colon, that begin an earlier message.
ORIGINAL_MESSAGE = (
    r"original(?: |-)?(?:e-?)?(?:message|mail|appointment|post)?", r"replied (?:message|mail)",
    r"reply (?:message|mail)",
    r"(?:begin |start(?: of)? )?forward(?:ed)?(?: (?:message|e-?mail|mail|by|from|letter))?.{0,40}",
    r"end of forwarded message", r"previous (?:message|mail|conversation)",
    r"urspr(?:ü|ue)ngliche (?:nachricht|mail|e-?mail)", r"original-?nachricht",
    r"originalnachricht", r"(?:anfang der )?weitergeleitete(?:n)? (?:nachricht|mail|e-?mail)",
    r"weiterleitung",
    r"message (?:d['’]origine|original|d['’]origine|initial|transféré|transfere|réexpédié)",
    r"d[ée]but du message (?:réexpédié|transféré)", r"courriel original",
    r"mensaje (?:original|reenviado|remitido)", r"inicio del mensaje reenviado",
    r"messaggio (?:originale|inoltrato)", r"inizio messaggio inoltrato", r"messaggio originario",
    r"mensagem (?:original|encaminhada|reencaminhada)", r"in[íi]cio da mensagem (?:re)?encaminhada",
    r"oorspronkelijk(?:e)? bericht", r"(?:begin )?doorgestuurd bericht", r"origineel bericht",
    r"oprindelig (?:meddelelse|besked|mail)",
    r"(?:start på )?videresendt (?:besked|meddelelse|melding|mail)",
    r"opprinnelig (?:melding|e-?post|beskjed)", r"opphavleg melding",
    r"urspr(?:ung|ungligt|ungliga) ?(?:meddelande|mail|brev)?", r"original ?meddelande",
    r"vidarebefordrat (?:meddelande|brev|mail)", r"alkuperäinen viesti",
    r"välitetty viesti(?: alkaa)?", r"(?:oryginalna )?wiadomość(?: oryginalna| przekazana)?",
    r"oryginalna wiadomość", r"(?:treść )?przekazan(?:a|ej) wiadomoś(?:ć|ci)",
    r"początek (?:przekazywanej|przekazanej) wiadomości",
    r"(?:исходное|оригинальное|первоначальное) сообщение",
    r"(?:пересылаемое|пересланное) (?:сообщение|письмо)", r"конец пересылаемого сообщения",
    r"(?:начало )?(?:переадресованно(?:го|е)|пересылаемо(?:го|е)) сообщени(?:я|е)",
    r"původní (?:zpráva|e-?mail)", r"přeposlaná zpráva", r"pôvodná správa", r"eredeti üzenet",
    r"továbbított (?:üzenet|levél)", r"orijinal (?:mesaj|ileti)", r"özgün ileti",
    r"(?:iletilen|yönlendirilen) (?:ileti|mesaj)(?: başlangıcı)?",
    r"mesaj(?:ul)? (?:original|redirecționat|inițial)", r"αρχικό μήνυμα", r"izvorna poruka",
    r"originalna poruka", r"tin nhắn gốc", r"הודעה מקורית", r"الرسالة الأصلية", r"原始邮件",
    r"原始信件", r"原邮件", r"原信件", r"原始郵件", r"原始訊息", r"邮件原(?:件|文)",
    r"回复的(?:原)?邮件", r"回复邮件", r"转发(?:的)?(?:原)?邮件(?:信息|开始)?",
    r"轉寄(?:的)?(?:郵件|信件|訊息)", r"轉發(?:的)?郵件", r"(?:下面|以下)是(?:被)?转发的邮件",
    r"(?:开始)?转发的(?:邮件|信息)", r"原文", r"原信", r"已轉寄的郵件", r"元のメッセージ",
    r"元のメール", r"オリジナル ?メッセージ",
    r"転送(?:された)? ?(?:メッセージ|メール)(?: ?\w{0,4})?", r"원본 ?(?:메시지|메일|내용)",
    r"전달된 ?(?:메시지|메일)", r"원래 ?메시지", r"받은 메일",
)  # fmt: skip

# Lines with which help desks ask to reply above them.
ANSWER_ABOVE = (
    r"(?:please )?(?:type|write|enter|add|put|reply|respond|answer)[^.\n]{0,40}above this line",
    r"(?:in replies )?all text above this line", r"reply above(?: this line)?",
    r"bitte (?:antworten|schreiben) sie (?:oberhalb|über) dieser (?:zeile|linie)",
    r"(?:répondez|répondre|écrivez|veuillez répondre)[^.\n]{0,30}au-dessus de cette ligne",
    r"(?:responda|escriba|conteste)[^.\n]{0,30}(?:encima|arriba) de esta línea",
    r"(?:responda|escreva)[^.\n]{0,30}acima desta linha",
    r"rispond[^.\n]{0,30}sopra questa (?:riga|linea)",
    r"(?:typ|schrijf|antwoord)[^.\n]{0,30}boven deze (?:lijn|regel)",
    r"请在此?(?:行|线|横线)?(?:以上|之上|上方)(?:回复|输入|填写)[^\n]{0,10}",
    r"請在此?(?:行|線)?(?:以上|之上|上方)(?:回覆|輸入)[^\n]{0,10}",
)  # fmt: skip

ABOVE = (
    "above", "oberhalb", "über dies", "au-dessus", "encima", "arriba", "acima", "sopra", "boven",
    "以上", "之上", "上方",
)  # fmt: skip

# A device line must name one of these: a device, a program, or "my".
DEVICES = (
    "iphon", "i-phon", "sparrow", "inbox", "ipad", "ipod", "android", "samsung", "galaxy", "huawei",
    "honor", "xiaomi", "redmi", "wiko", "nokia", "sony", "motorola", "pixel", "oneplus", "oppo",
    "vivo", "htc", "lumia", "blackberry", "handy", "phone", "mobil", "móvil", "celular",
    "cellulare", "portable", "tablet", "telefon", "teléfono", "téléphone", "телефон", "смартфон",
    "outlook", "gmail", "mail", "windows", "thunderbird", "spark", "proton", "typeapp", "aol",
    "yahoo", "vodafone", "verizon", "手机", "手機", "邮箱", "郵箱", "邮件", "大师", "휴대", "我的",
    "小米", "华为", "荣耀", "三星", "魅族", "苹果", "客户端", "почт", "アプリ", "微信", "qq",
    "平板", "电脑", "電腦", "スマ", "携帯", "モバイル",
)  # fmt: skip
OWN = frozenset(
    [
        "my", "meinem", "meiner", "mon", "ma", "mi", "mis", "meu", "minha", "mio", "mia", "mijn",
        "min", "mitt", "mój", "mojego", "моего", "моей", "mého", "minu", "app", "t-mobile", "lg",
    ]
)  # fmt: skip

_DEVICE_ZH = (
    r"(?:[a-z0-9 ._+()（）-]|版|型|系列|网页|移动|安卓|苹果|小米|红米|华为|荣耀|三星|魅族|一加|真我"
    r"|中兴|联想|新浪|搜狐|网易|阿里|企业|微软|腾讯){0,24}"
    r"(?:iphone|ipad|android|安卓|苹果|小米|红米|华为|荣耀|三星|魅族|一加|vivo|oppo|huawei|xiaomi"
    r"|honor|samsung|windows|outlook|foxmail|qq|手机|手機|平板|电脑|電腦|邮箱|郵箱|微信|客户端|mail"
    r"|mac)"
    r"(?:[a-z0-9 ._+()（）-]|版|端|上|型|系列|手机|手機|客户端|邮箱|郵箱|邮件|应用|大师|移动"
    r"){0,24}"
)
"""A device or a mail program by name; no other words are in a Chinese device line."""

# Words that are in no device line: they tell what was sent, where or when.
NOT_OF_DEVICE = (
    r"(?<![\w-])(?:to|into|but|was|were|is|are|has|have|had|not|never|because|since|yesterday|today|last"
    r"|ago|week|month|monday|tuesday|wednesday|thursday|friday|saturday|sunday|order|parcel|package"
    r"|letter|courier|post|postal|address|home|shop|store|account|bank|warehouse|company|invoice"
    r"|refund|receipt|form|website|page|screenshot"
    r"|nach|zur|zum|gestern|aber|nicht|paket|adresse|konto|büro|bestellung|rechnung\w*|versand"
    r"|vers|poste|colis|compte|bureau|commande|mais|pas|correos|paquete|cuenta|oficina|pedido|ayer"
    r"|pero|posta|pacco|ufficio|ordine|ieri|correio|pacote|conta|escritório|ontem|mas|postnl"
    r"|kantoor|gisteren|maar|pakket)(?![\w-])",
)

# Device lines that phones and mail programs add; matched against the whole line.
SENT_FROM = (
    r"签名由 ?网易邮箱大师 ?定制",
    r"(?:sent|send|envoy[ée]) (?:from|via|using|by|through|on) (?:my|the|an?) [^,;]{2,60}",
    r"sent (?:from|via|with|using|by|through) (?-i:[A-Z0-9])[^,;?]{1,60}",
    r"sent (?:from|via|with|using) (?:outlook|yahoo|gmail|aol|mail|samsung|proton|mailbird|typeapp|"
    r"blackberry|iphone|ipad|android|mobile|windows|huawei|xiaomi|spark|airmail|newton|edison|"
    r"zoho)[^,;?]{0,50}",
    r"(?:get|download|try) (?:the )?(?:all new )?(?:outlook|bluemail|yahoo mail|aol|blue mail|"
    r"spark|mymail|zoho mail)\b[^,;?]{0,50}",
    r"(?:this (?:e-?mail|message) was )?sent (?:using|from) (?:a |my )?(?:mobile|cell ?phone|"
    r"handheld|smart ?phone)[^,;?]{0,40}",
    r"(?:gesendet|verschickt|versendet|geschrieben) (?:von|mit|über|via|vom) [^,;?]{2,60}",
    r"von (?:meinem|meiner|unterwegs)\b[^,;?]{0,40} (?:gesendet|verschickt|versendet|geschrieben)",
    r"von (?:iphone|ipad|handy|unterwegs|android)[^,;?]{0,20} gesendet",
    r"diese (?:nachricht|mail|e-?mail) wurde (?:von|mit) [^,;?]{2,60} (?:gesendet|versendet|"
    r"verschickt)",
    r"(?:holen sie sich |outlook )[^,;?]{0,20}(?:outlook für|für) (?:ios|android)[^,;?]{0,20}",
    r"envoy[ée]e? (?:de|depuis|à partir de|via|avec|par|du) [^,;?]{2,60}",
    r"(?:obten(?:ir|ez)|télécharge[rz]|provenance :) (?:outlook|courrier|yahoo)[^,;?]{0,50}",
    r"enviad[oa] (?:desde|de|do|da|a partir|con|com|pelo|mediante|por) [^,;?]{2,60}",
    r"(?:obtener|obtenga|descarga[r]?|obter|obtenha|baixe|baixar) (?:o |el )?(?:outlook|"
    r"bluemail|yahoo)[^,;?]{0,50}",
    r"inviat[oa] (?:da|dal|dall['’]|con|tramite|via)[^,;?]{2,60}",
    r"(?:ottieni|scarica|scarica) (?:outlook|bluemail)[^,;?]{0,50}",
    r"(?:verzonden|verstuurd|gestuurd) (?:vanaf|vanuit|met|via|van|door)[^,;?]{2,60}",
    r"(?:outlook (?:voor|für|til|for|för) (?:ios|android)[^,;?]{0,30}|(?:download|haal|"
    r"krijg) outlook[^,;?]{0,40})",
    r"(?:sendt|sent) (?:fra|via|med)[^,;?]{2,60}", r"(?:hent|få|skaff deg) outlook[^,;?]{0,50}",
    r"skickat (?:från|via|med)[^,;?]{2,60}", r"(?:hämta|skaffa) outlook[^,;?]{0,50}",
    r"lähetetty (?:[^,;?]{0,40}(?:sta|stä|lta|ltä|lla|llä)\b[^,;?]{0,20}|iphonesta|ipadista)",
    r"(?:hanki|lataa) outlook[^,;?]{0,50}",
    r"wysłan[oae] (?:z|ze|przez|za pomocą)[^,;?]{2,60}",
    r"(?:pobierz|uzyskaj) (?:program |aplikację )?outlook[^,;?]{0,50}",
    r"(?:отправлено|послано|отправил[аи]?) (?:с|со|из|через|от)[^,;?]{2,60}",
    r"надіслано (?:з|із|через)[^,;?]{2,60}",
    r"(?:скачать|получить|загрузить) outlook[^,;?]{0,50}", r"изпратено (?:от|с)[^,;?]{2,60}",
    r"odesláno (?:z|ze|pomocí)[^,;?]{2,60}",
    r"odoslané (?:z|zo)[^,;?]{2,60}",
    r"(?:získat|získejte|stáhnout) outlook[^,;?]{0,50}",
    r"(?:elküldve|küldve|a levelet)[^,;?]{2,60}", r"iphone(?:-|om)?\w{0,8} küldve",
    r"[^,;?]{2,40}(?:dan|den|tan|ten)\s+gönderildi",
    r"[^,;?]{2,40}(?:edinin|indirin)",
    r"trimis (?:de pe|din|cu)[^,;?]{2,60}",
    r"στάλθηκε από[^,;?]{2,60}", r"poslano (?:s|sa|z|iz)[^,;?]{2,60}", r"saadetud minu[^,;?]{2,60}",
    r"נשלח מ[^,;?]{2,50}",
    r"أ?ُ?رسلت من[^,;?]{2,50}",
    r"gửi từ[^,;?]{2,50}",
    r"dikirim (?:dari|menggunakan)[^,;?]{2,50}",
    r"ส่งจาก[^,;?]{2,50}",
    r"(?:此?邮件)?(?:发自|發自|发送自|来自|來自|寄自|傳送自|传送自) ?[:：]? ?(?:我的|本人的)? ?"
    rf"{_DEVICE_ZH}",
    r"(?:发自|發自|来自|來自)我的 ?[a-z0-9][a-z0-9 ._+-]{1,30}",
    rf"(?:从|從|由|用|通过|透過) ?(?:我的|本人的)? ?{_DEVICE_ZH}"
    r"(?:发送|發送|傳送|传送|发出|寄出|寄送|发来)(?:的)?",
    r"(?:获取|下载|取得|下載)(?:适用于 ?(?:ios|android) ?的 ?)?outlook[^，。；？]{0,40}",
    r"(?:获取|下载|取得)[^，。；？]{0,20}(?:outlook|邮箱大师|foxmail)[^，。；？]{0,20}",
    r"(?:私の|自分の)?(?:スマートフォン|スマホ|携帯(?:電話)?|モバイル|タブレット|アプリ"
    r"|[a-z][a-z0-9!._+-]{2,20})"
    r"(?:[a-z0-9 !._+-]|用|版|メール|アプリ){0,30}"
    r"(?:から|より)送信(?:されました|しました|しています)?",
    r"(?:outlook|gmail)[^、。]{0,20}(?:を入手|を取得)",
    r"(?:나의|내|저의)? ?[^,;?]{1,30}(?:에서|로) ?(?:보냄|보냈습니다|전송|보낸 메일|"
    r"발송)[^,;?]{0,10}",
    r"[^,;?]{0,20}outlook[^,;?]{0,20}(?:다운로드|받기)",
)  # fmt: skip

# Formal closings above the writer's name.
GREETINGS = (
    r"(?:(?:with |my )?(?:best|kind(?:est)?|warm(?:est)?|very best|many)?,? ?(?:wishes|"
    r"regards)|(?:thanks|thank you|thx|tks)(?: (?:and|&|\+)|,)? ?(?:best |kind |"
    r"warm )?regards|rgds|br|brgds|kr|cheers|best|all the best)",
    r"(?:mit )?(?:freundlich(?:en|er|em|e)?|best(?:en|er|em|e)?|lieb(?:en|er|em|e)?|"
    r"herzlich(?:en|er|e)?|viel(?:en|e)?|schön(?:en|er|e)?|sonnig(?:en|e)?) (?:gr(?:ü|ue)(?:ß|"
    r"ss)e?n?|gruss|gruß|empfehlungen)(?: aus \w+)?|mfg|lg|vg|bg|hochachtungsvoll|gruß|gruss|"
    r"viele liebe grüße",
    r"(?:bien |très )?cordialement(?: vôtre)?|(?:bien à (?:vous|toi)|cdlt|cdt|"
    r"salutations(?: distinguées)?|(?:meilleures|sincères|cordiales) salutations|"
    r"bien amicalement|amicalement|amitiés)",
    r"(?:un |con un )?(?:cordial(?:es)?|atento[s]?|muchos) ?saludos?|saludos?(?: cordiales|"
    r" atentos)?|atentamente|(?:un )?(?:cordial )?saludo|un abrazo|abrazos",
    r"(?:com os )?(?:melhores|meus) cumprimentos|cumprimentos|atenciosamente|att\.?|abraços?|"
    r"(?:com )?cordiais saudações|saudações",
    r"(?:cordiali|distinti|tanti|cari|i migliori|porgo) ?(?:distinti )?saluti|saluti|"
    r"cordialmente|un (?:caro |cordiale )?saluto|buona (?:giornata|serata)",
    r"(?:met )?(?:vriendelijke|hartelijke|vriendelijk|beste|warme|lieve) ?groet(?:en|jes)?|"
    r"groet(?:en|jes)?|mvg|hoogachtend|gr\.?",
    r"(?:med )?(?:venlig(?:e)?|vennlig(?:e)?|kærlig(?:e)?|bedste|beste|de bedste|mange|"
    r"hjertelig(?:e)?|vänlig(?:a)?|bästa|varma|hjärtliga) ?(?:hilsen|hilsner|hälsning(?:ar)?)|"
    r"mvh|vh|kh|dbh|hilsen|hälsningar|hilsener|med hilsen|vänligen",
    r"(?:ystävällisin |parhain |lämpimin )?terveisin|terveiset|terv\.?|t\.",
    r"(?:serdecznie |z )?(?:pozdrawiam(?:y)?|poważaniem|powazaniem|"
    r"wyrazami szacunku)(?: serdecznie)?|pozdrowienia|pozdr\.?",
    r"с (?:наилучшими пожеланиями|уважением|приветом|почтением)|всего (?:доброго|хорошего|"
    r"наилучшего)|з повагою|с уважение",
    r"s (?:pozdravem|přáním hezkého dne|úctou|pozdravom)|(?:hezký|pěkný) den|zdravím",
    r"(?:tisztelettel|üdvözlettel|üdv)|(?:saygılarımla|saygılarımızla|"
    r"iyi çalışmalar(?:\s+dilerim)?|selamlar|iyi günler)",
    r"(?:cu (?:stimă|respect|drag)|o zi (?:bună|frumoasă))|(?:με εκτίμηση|φιλικά)|"
    r"(?:s poštovanjem|lijep pozdrav|lp|lep pozdrav)",
    r"(?:此致|敬礼|敬禮|此致 ?敬[礼禮]|祝好|祝您?(?:生活愉快|工作顺利|工作順利|一切顺利|商祺|"
    r"安好|顺利|健康)|顺祝商祺|順祝商祺|顺颂商祺|順頌商祺|商祺|敬上|谨启|敬启|谨上|敬具|草々|"
    r"以上)",
    r"(?:감사합니다|수고하세요|안녕히 계세요)[.!]?",
)  # fmt: skip

# Beginnings of legal disclaimers and virus scanners' notes.
DISCLAIMERS = (
    r"(?:e-?mail )?disclaimer\b",
    r"(?:e-?mail )?confidentiality(?: (?:notice|note|statement|warning))?\s*(?::|$|-)",
    r"(?:legal|important|privacy|privileged)[ /&a-z]{0,30} notice\s*(?::|$)",
    r"confidential(?:ity)?(?: and privileged)? (?:notice|communication|information)",
    r"notice of confidentiality",
    r"(?:the )?(?:this|information|contents?)[^.]{0,80}(?:e-?mail|message|communication|"
    r"transmission|mail)[^.]{0,200}(?:confidential|privileged|intended (?:solely|only|"
    r"recipient|for)|proprietary|legally)",
    r"this (?:e-?mail|message|mail) (?:has been|was) (?:scanned|checked|sent by|"
    r"sent to)[^.]{0,120}(?:virus|malware|avast|antivir|security)",
    r"virus[- ]free\b[^.]{0,60}$",
    r"(?:scanned|checked) (?:by|for)[^.]{0,60}(?:virus|malware|spam)",
    r"if you (?:are not|have received this)[^.]{0,80}(?:recipient|addressee|in error)",
    r"(?:please )?(?:consider|think of|think about|save|protect)[^.]{0,30}(?:environment|"
    r"paper|planet|tree)[^.]{0,60}print",
    r"(?:before|think before you) print",
    r"(?:diese|die|der inhalt dieser)[^.]{0,60}(?:e-?mail|nachricht|"
    r"mail)[^.]{0,160}(?:vertraulich|rechtlich geschützt|ausschließlich für|bestimmt)",
    r"(?:bitte )?(?:denken|prüfen|schonen|beachten)[^.]{0,40}(?:umwelt|ausdruck|papier)",
    r"rechtlicher hinweis\b",
    r"vertraulichkeitshinweis",
    r"(?:ce|cet|le présent|les informations|le contenu|"
    r"l['’]int[ée]grit[ée])[^.]{0,60}(?:message|courriel|mail|e-mail|"
    r"courrier)[^.]{0,160}(?:confidentiel|destin[ée]|pièces jointes|garanti)",
    r"(?:pensez|avant d['’]imprimer)[^.]{0,60}(?:environnement|imprimer)",
    r"avis de confidentialité",
    r"l['’]absence de virus",
    r"(?:este|esta|la información|el contenido|el presente)[^.]{0,60}(?:mensaje|correo|"
    r"e-?mail|mensagem|comunicaci[óo]n)[^.]{0,160}(?:confidencial|privilegiad|dirigid|"
    r"destinad|exclusiv)",
    r"(?:aviso (?:legal|de confidenci\w+|de privacidad))",
    r"antes de imprimir",
    r"(?:as informações|o conteúdo|esta)[^.]{0,60}(?:mensagem|"
    r"e-?mail)[^.]{0,160}(?:confidencia|destinat|privilegiad|exclusiv)",
    r"(?:le informazioni|il contenuto|questo|la presente|il presente|"
    r"questa)[^.]{0,60}(?:messaggio|e-?mail|comunicazione|mail)[^.]{0,160}(?:riservat|"
    r"confidenzial|destinat|esclusiv)",
    r"(?:ai sensi del|avviso di riservatezza|prima di stampare)",
    r"(?:dit|deze|de informatie|de inhoud)[^.]{0,60}(?:bericht|e-?mail|"
    r"mail)[^.]{0,160}(?:vertrouwelijk|uitsluitend|bestemd|persoonlijk)",
    r"(?:denk aan het milieu)",
    r"(?:denne|indholdet|informasjonen|innholdet)[^.]{0,60}(?:mail|e-?mail|e-?post|besked|"
    r"meddelelse|melding)[^.]{0,160}(?:fortrolig|konfidensiel|bestemt|tiltenkt)",
    r"(?:detta|informationen|innehållet)[^.]{0,60}(?:meddelande|mail|e-post|"
    r"e-brev)[^.]{0,160}(?:konfidenti|avsett|sekretess)",
    r"tämä (?:viesti|sähköposti)[^.]{0,160}(?:luottamukselli|tarkoitettu)",
    r"(?:niniejsz[ay]|treść|ta|informacje)[^.]{0,60}(?:wiadomoś|e-?mail|korespondencj|"
    r"przekaz)[^.]{0,160}(?:poufn|przeznaczon|wyłącznie)",
    r"(?:настоящее|данное|это|информация)[^.]{0,80}(?:сообщени|письм)[^.]{0,160}(?:конфиденц|"
    r"предназнач)",
    r"(?:tato|tento|obsah)[^.]{0,60}(?:zpráv|e-?mail)[^.]{0,160}(?:důvěrn|určen)",
    r"bu (?:e-?posta|mesaj|ileti)[^.]{0,200}(?:gizli|özel|yalnızca)",
    r"(?:本|此|该|這|这)(?:封)?(?:电子)?(?:邮件|電郵|电邮|信件|郵件|訊息|"
    r"電子郵件)[^。]{0,80}(?:保密|机密|機密|秘密|仅供|僅供|专供|收件人|特权)",
    r"(?:免责|免責|保密)(?:声明|聲明|条款)",
    r"(?:この|本)(?:電子)?メール[^。]{0,80}(?:機密|秘密|宛先|名宛|受信者)",
    r"(?:이|본) ?(?:메일|전자우편|이메일)[^.]{0,80}(?:기밀|비밀|수신인)",
)  # fmt: skip

# Banners that gateways put above external mail.
BANNERS = (
    r"\W{0,4}(?:caution|warning|attention|external(?: (?:e-?mail|sender|message))?|notice|"
    r"be careful|alert|security notice|this (?:e-?mail|message))\b[^\n]{0,80}(?:originat|"
    r"external|outside|unknown sender|not (?:originate|from)|came from|do not click)[^\n]*",
    r"\W{0,4}\[?external(?: (?:e-?mail|sender|message))?\]?\W{0,4}",
    r"\W{0,4}(?:achtung|warnung|vorsicht|hinweis|externe (?:e-?mail|"
    r"nachricht))\b[^\n]{0,60}(?:extern|außerhalb|unbekannt)[^\n]*",
    r"\W{0,4}(?:attention|prudence|avertissement)\b[^\n]{0,60}(?:externe|extérieur)[^\n]*",
    r"\W{0,4}(?:precauci[óo]n|atenci[óo]n|aten[çc][ãa]o|attenzione|let op|waarschuwing|uwaga|"
    r"varning|advarsel|внимание)\b[^\n]{0,60}(?:extern|fuera|fora|esterna|extérn|buiten|zewn|"
    r"utanför|ekstern|внешн)[^\n]*",
    r"\W{0,4}(?:外部(?:邮件|郵件|メール|电邮)|此邮件来自(?:外部|公司外)|注意[:：]?此邮件|"
    r"【外部[^】\n]{0,10}】|このメールは(?:社外|外部))[^\n]*",
)  # fmt: skip
