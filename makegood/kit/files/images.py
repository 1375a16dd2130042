"""Pictures: bounded before they are decoded, turned upright, and written anew without anything else in them.

Writing anew is the whole defence: location, comments, previews and whatever was appended to the
file are not carried over, because only pixels are.
"""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import BinaryIO, NamedTuple

import pillow_heif
from PIL import Image, ImageCms, ImageOps

from makegood.kit import errors
from makegood.kit.files.limits import Limits

pillow_heif.register_heif_opener()

# What is read, and as what it is kept. Moving pictures keep their first frame.
READ_AS = {
    "image/jpeg": ("JPEG", "image/jpeg"),
    "image/png": ("PNG", "image/png"),
    "image/webp": ("WEBP", "image/webp"),
    "image/gif": ("GIF", "image/png"),
    "image/heic": ("HEIF", "image/jpeg"),
}

# Everything that the readers are known to raise on broken input; never MemoryError.
BROKEN = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, AttributeError, OverflowError, RuntimeError),
    *(struct.error, zlib.error),
)
BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)

# Fifty megapixels take 400 to 800 MB for a moment: bounded, however many requests come at once.
DECODING = threading.BoundedSemaphore(2)

SRGB = ImageCms.createProfile("sRGB")


class ImageTooLarge(errors.Malformed):
    code = "image_too_large"
    message = "{field}: an image of {value} pixels is too large ({rule})."


class FileUnreadable(errors.Malformed):
    code = "file_unreadable"
    message = "{field}: {value} is broken or cut off ({rule})."


class Picture(NamedTuple):
    data: bytes
    media_type: str
    width: int
    height: int


def rewrite(file: BinaryIO, media_type: str, limits: Limits, *, field: str) -> Picture:
    """Decode and encode anew: upright, in sRGB, no side above the limit, no metadata.

    Raises ImageTooLarge by the header alone, FileUnreadable.
    """
    reader, kept_as = READ_AS[media_type]
    with DECODING, _opened(file, reader, limits, media_type, field=field) as image:
        return encode(_clean(image, limits.longest_side), kept_as)


@contextmanager
def _opened(file: BinaryIO, reader: str, limits: Limits, media_type: str, *, field: str) -> Iterator[Image.Image]:
    try:
        file.seek(0)
        if reader == "WEBP":
            # Its reader makes room for the whole picture as soon as it is opened.
            _check_pixels(_webp_size(file.read(30)), limits, field=field)
            file.seek(0)
        with Image.open(file, formats=[reader]) as image:
            _check_pixels(image.size, limits, field=field)
            yield image
    except BOMB:
        raise ImageTooLarge("too many", field=field, rule=f"at_most_{limits.pixels}_pixels") from None
    except BROKEN as broken:
        raise FileUnreadable(media_type, field=field, rule="complete_image") from broken


def _check_pixels(size: tuple[int, int], limits: Limits, *, field: str) -> None:
    if size[0] * size[1] > limits.pixels:
        raise ImageTooLarge(f"{size[0]} x {size[1]}", field=field, rule=f"at_most_{limits.pixels}_pixels")


def _webp_size(header: bytes) -> tuple[int, int]:
    """Width and height by the first chunk of a WebP file (RFC 9649, 2.5 to 2.7)."""
    kind, body = header[12:16], header[20:30]
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF


def _clean(image: Image.Image, longest_side: int) -> Image.Image:
    """Small first, then upright, then in the right colours: each step has fewer pixels to copy."""
    if max(image.size) > longest_side:
        image.draft("RGB", (longest_side, longest_side))  # JPEG alone can be decoded smaller at once
    image.load()
    pixels = _in_eight_bits(image)
    pixels.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    # Where the notes are broken the pixels are still whole, and the notes are dropped anyway.
    with suppress(*BROKEN):
        ImageOps.exif_transpose(pixels, in_place=True)
    pixels = _in_srgb(pixels)
    pixels.info.clear()
    return pixels


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """RGBA, RGB, L or CMYK, without a palette."""
    if image.mode.startswith("I"):
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in {"RGB", "L", "CMYK"} else image.convert("RGB")


def _in_srgb(image: Image.Image) -> Image.Image:
    """RGBA, RGB or L in the colours that browsers assume."""
    if profile := image.info.get("icc_profile"):
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        # A broken colour profile is no reason to refuse the picture: it is shown as if it had none.
        with suppress(ImageCms.PyCMSError, ValueError, OSError):
            given = ImageCms.ImageCmsProfile(BytesIO(profile))
            return ImageCms.profileToProfile(image, given, SRGB, outputMode=mode) or image
    return image.convert("RGB") if image.mode == "CMYK" else image


def encode(image: Image.Image, media_type: str) -> Picture:
    """Write a clean picture; the same pixels always give the same bytes."""
    out = BytesIO()
    if media_type == "image/jpeg":
        flatten(image).save(out, "JPEG", quality=88, optimize=True)
    elif media_type == "image/png":
        image.save(out, "PNG")
    else:
        image.save(out, "WEBP", quality=88, method=3)
    return Picture(out.getvalue(), media_type, *image.size)


def flatten(image: Image.Image) -> Image.Image:
    """On white, for formats without transparency."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground
