"""Files that come with a request, and what Telegram does not take for a photo."""

from tests.support.telegram.calls import Call, SentFile
from tests.support.telegram.refusals import RefusalError, bad_request

_LARGEST_PHOTO = 10 * 1024 * 1024
_LARGEST_FILE = 50 * 1024 * 1024
_LONGEST_SIDES = 10_000
_MOST_STRETCHED = 20


def sent_file(call: Call, reference: str, *, is_photo: bool) -> SentFile:
    """The file that a parameter refers to.

    Raises:
        RefusalError: there is none, or it is too large, or it cannot be shown as a photo.
    """
    file = call.files.get(reference.removeprefix("attach://"))
    if file is None or not file.content:
        raise bad_request("file must be non-empty")
    if len(file.content) > _LARGEST_FILE:
        raise RefusalError(413, "Request Entity Too Large")
    if is_photo:
        _check_photo(file.content)
    return file


def _check_photo(content: bytes) -> None:
    if len(content) > _LARGEST_PHOTO:
        raise bad_request(
            f"file of size {len(content)} bytes is too big for a photo; the maximum is 10485760 bytes"
        )
    if not content.startswith(b"\x89PNG\r\n\x1a\n") or len(content) < 24:
        raise bad_request("IMAGE_PROCESS_FAILED")
    width, height = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    if width + height > _LONGEST_SIDES or max(width, height) > _MOST_STRETCHED * min(width, height):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")
