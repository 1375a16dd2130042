"""Small previews of stored pictures."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, UnidentifiedImageError

from makegood.kit import errors
from makegood.kit.files import images
from makegood.kit.files.store import FileDamaged, open_stored

THUMBNAIL_TYPE = "image/webp"


class ThumbnailUnavailable(errors.Refused):
    code = "thumbnail_unavailable"
    message = "{field}: there is no preview of {value} ({rule})."


def thumbnail(*, uploads: Path, owner: str, sha256: str, side: int = 320) -> bytes:
    """A WebP of a stored picture which fits a square of ``side`` pixels; never larger than the picture.

    Raises FileMissing, FileDamaged, ThumbnailUnavailable for what is no picture.
    """
    with open_stored(uploads=uploads, owner=owner, sha256=sha256) as file, images.DECODING:
        try:
            picture = Image.open(file, formats=["JPEG", "PNG", "WEBP"])
        except UnidentifiedImageError:
            raise ThumbnailUnavailable(sha256, field="file", rule="stored_image") from None
        try:
            with picture:
                picture.thumbnail((side, side), Image.Resampling.LANCZOS)
                return images.encode(picture, THUMBNAIL_TYPE).data
        except images.BROKEN as broken:
            raise FileDamaged(sha256, field="file", rule="readable_image") from broken
