"""The calls and codes of both WeChat and WeCom: 获取 access_token, 全局返回码, 获取临时素材."""

from collections.abc import Mapping

from functions.core.channels.base import (
    ErrorCodes,
    HttpCall,
    MediaFile,
    ProviderResult,
    Token,
    attached_name,
    get_text,
    media_request,
    response_object,
    result_of_status,
    url_part,
)


def token(status: int, body: bytes, codes: ErrorCodes) -> Token | ProviderResult:
    """Read the response to a request for an access token."""
    content = response_object(body)
    value, seconds = get_text(content, "access_token"), get_text(content, "expires_in")
    if status == 200 and value and seconds.isdigit():
        return Token(value, int(seconds))
    return refusal(status, body, codes)


def outcome(status: int, body: bytes, codes: ErrorCodes) -> ProviderResult:
    """Read the response to a message."""
    content = response_object(body)
    if status == 200 and get_text(content, "errcode") == "0":
        return ProviderResult("sent", id=get_text(content, "msgid"))
    return refusal(status, body, codes)


def media_call(base: str, media: str, token: str) -> HttpCall:
    """Return the call that fetches a file."""
    query = f"access_token={url_part(token)}&media_id={url_part(media)}"
    return media_request(f"{base}/cgi-bin/media/get?{query}")


def media(
    status: int, headers: Mapping[str, str], body: bytes, codes: ErrorCodes
) -> MediaFile | HttpCall | ProviderResult:
    """Read the response with a file; of a video it has the address."""
    content = response_object(body)
    if status == 200 and (url := get_text(content, "video_url")):
        return media_request(url.replace("http://", "https://", 1))
    if status != 200 or not body or "errcode" in content:
        return refusal(status, body, codes)
    return MediaFile(body, headers.get("content-type", ""), attached_name(headers))


def refusal(status: int, body: bytes, codes: ErrorCodes) -> ProviderResult:
    """Return the reason why a call was refused."""
    if status != 200:
        return result_of_status(status, f"from {codes.provider}")
    content = response_object(body)
    return codes.result(get_text(content, "errcode"), get_text(content, "errmsg"))
