"""The words by which automatic replies, bounces and people's mail are told apart, by language.

Data only: verbose regular expressions, which ``origin`` compiles at their first use.
"""

RETURN_SUBJECT = r"""^\W{0,3}(\[[^\]]{1,40}\]\s*)?(?:
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
RETURN_WORDS = r"""(?:
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
AUTOMATIC_SUBJECT = r"""^\W{0,3}(?:
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
ABSENCE_SUBJECT = r"""^\W{0,3}(?:
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
AUTOMATIC_WORDS = r"""
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
PERSON_WORDS = r"""
      [?？]
      |\b(my|our)\ (order|parcel|mail|e-?mail|message|account|address|invoice|server|customer|name)
    | \bhow\ (can|do|should)\ (i|we)\b
    |\bi\ (tried|wrote|sent|got|cannot|can['’]t|need|want|have|am\ a)\b
    | \b(please|kindly)\ (help|fix|refund|check|tell|advise|explain|let\ me)|refund
    |\b(wrong|broken)\b
    | 请问|请帮|麻烦|帮我|怎么|为什么|吗|退款|失效|坏了|我(的|们|想|要|在|从)?|ですか|ください
    |お願い"""
