"""Numbers that are not personal: dates, times, amounts, network addresses, references."""

import re

from functions.core.text.masked_text import MaskedText
from functions.core.text.patterns import LazyPattern

_MONTH, _DAY, YEAR = r"(?:1[0-2]|0?[1-9])", r"(?:3[01]|[12]\d|0?[1-9])", r"(?:19|20)\d\d"
ORDINARY = LazyPattern(
    rf"(?<!\d)(?<!\d[-./]){YEAR} ?[-/.年] ?{_MONTH} ?[-/.月] ?{_DAY}(?!\d|[-.]\d)"
    rf"|(?<!\d)(?<!\d[-./])(?:{_DAY}([-/.]){_MONTH}\1|{_MONTH}([-/.]){_DAY}\2){YEAR}(?!\d|[-.]\d)"
    r"|(?<!\d)\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?!\d)"
    r"|(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)"
    r"|(?<!\w)[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?!\w)"
    r"|(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}[-:]){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f])"
    r"|[¥￥$€£] ?\d[\d,.]*"
    r"|(?<![\d.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d|,\d)"
    r"|(?<![\d.])\d{1,9}\.\d\d(?![\d.])"
)
_VALUE = r"[A-Za-z0-9][\w/-]*(?:[,:;=~.、]\d{1,10}(?!\d))*"
_REFERENCE = LazyPattern(
    r"(?:(订单|定单|工单|运单|快递|物流|发票|合同)|流水|交易|序列|批次|单据|投诉|服务单|维修单|退款"
    r"|条形|条|产品|设备|型|单|信用|机构|错误|故障|识别|执照|许可证|备案|货|批|版本|凭证|参考|车架)"
    r"(编号|号码|单号|代码|号|码|ID)?"
    rf"[ :=#是为(\[]{{0,4}}({_VALUE})"
    rf"|(?:税|注册|登记)(?:编号|号(?!码))[ :=#是为(\[]{{0,4}}({_VALUE})"
    r"|(?<![A-Za-z])(?:(order|ticket|case|tracking|invoice)|serial|transaction|shipment|waybill"
    r"|receipt|part|item|model|batch|contract|rma|tax|vat|registration|licen[cs]e|permit|error"
    r"|reference|policy|device|product|version)(?![A-Za-z])"
    r"( ?(?:numbers?|no\.?|num\.?|nr\.?|id|code|#)(?![A-Za-z]))?"
    rf"[ :=#是为(\[]{{0,4}}(?:is )?({_VALUE})"
    r"|(?<![A-Za-z])(?:S/?N|IMEI|ISBN|EAN|UPC|SKU|PO#)(?![A-Za-z])[ :=#]{0,4}([A-Za-z0-9][\w/-]*)",
    re.IGNORECASE,
)


_WRITTEN_PHONE = LazyPattern(r"0|(?:86)?1[3-9]\d{9}$")


def blank_references(masked: MaskedText) -> None:
    """Blank order, ticket and serial numbers, recognised by the word before them.

    "订单号 …" always names one; after a mere "订单 …" a number in the form of a phone stays one.
    """
    spans = []
    for match in _REFERENCE.finditer(masked.folded):
        token = match[match.lastindex or 0]
        loosely = (match[1] or match[5]) and token.isalnum() and not _WRITTEN_PHONE.match(token)
        if match[2] or match[4] or match[6] or match[8] or loosely:
            spans.append((*match.span(match.lastindex or 0), ""))
    masked.blank_spans(spans)
