"""Count the parts of a text message, each of which is charged (3GPP TS 23.038 and 23.040).

A text in the GSM alphabet has 160 characters in one part and 153 in each of several, where those of
the extension table count twice. A single other character, such as a Chinese one, makes it UCS-2: 70
UTF-16 units in one part and 67 in each of several. No character is split between two parts.
"""

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")


def sms_parts(text: str) -> int:
    gsm = all(char in _GSM or char in _EXTENSION for char in text)
    widths = [
        2 if (char in _EXTENSION if gsm else ord(char) > 0xFFFF) else 1  # a surrogate pair is two
        for char in text
    ]
    if sum(widths) <= (160 if gsm else 70):
        return 1
    limit, parts, used = 153 if gsm else 67, 1, 0
    for width in widths:
        if used + width > limit:
            parts, used = parts + 1, 0
        used += width
    return parts
