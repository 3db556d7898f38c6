"""Files in a request, and Telegram's rules for photos."""

from tests.support.telegram.api_calls import Call, SentFile
from tests.support.telegram.refusals import RefusalError, build_bad_request

_MAX_PHOTO_SIZE = 10 * 1024 * 1024
_MAX_FILE_SIZE = 50 * 1024 * 1024
_MAX_PHOTO_SIDES_SUM = 10_000
_MAX_ASPECT_RATIO = 20


def find_sent_file(call: Call, reference: str, *, is_photo: bool) -> SentFile:
    """Return the file that a parameter refers to.

    Raises:
        RefusalError: There is no file, it is too large, or it can't be a photo.
    """
    file = call.files.get(reference.removeprefix("attach://"))
    if file is None or not file.content:
        raise build_bad_request("file must be non-empty")
    if len(file.content) > _MAX_FILE_SIZE:
        raise RefusalError(413, "Request Entity Too Large")
    if is_photo:
        _check_photo(file.content)
    return file


def _check_photo(content: bytes) -> None:
    if len(content) > _MAX_PHOTO_SIZE:
        raise build_bad_request(
            f"file of size {len(content)} bytes is too big for a photo; the maximum is 10485760 bytes"
        )
    if not content.startswith(b"\x89PNG\r\n\x1a\n") or len(content) < 24:
        raise build_bad_request("IMAGE_PROCESS_FAILED")
    width, height = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    if width + height > _MAX_PHOTO_SIDES_SUM or max(width, height) > _MAX_ASPECT_RATIO * min(width, height):
        raise build_bad_request("PHOTO_INVALID_DIMENSIONS")
