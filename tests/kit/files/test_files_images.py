"""Pictures are bounded before they are decoded and keep nothing but their pixels."""

from __future__ import annotations

import struct
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from textwrap import dedent

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from makegood.kit import files

OWNER = "01hq-merchant"
Keep = Callable[..., files.Stored]
Content = Callable[[files.Stored], bytes]
Picture = Callable[..., bytes]


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def colour(image: Image.Image, at: tuple[int, int]) -> tuple[int, ...]:
    value = image.getpixel(at)
    assert isinstance(value, tuple)
    return tuple(int(part) for part in value)


def exif(*, orientation: int = 1) -> Image.Exif:
    """Taken with a phone at a place."""
    notes = Image.Exif()
    notes[0x0112] = orientation
    notes[0x010F] = "PhoneMaker"
    notes.get_ifd(0x8825).update({1: "N", 2: (31.0, 13.0, 49.0), 3: "E", 4: (121.0, 28.0, 25.0)})
    return notes


@pytest.mark.parametrize(
    ("kind", "kept_as"),
    [("JPEG", "JPEG"), ("PNG", "PNG"), ("WEBP", "WEBP"), ("GIF", "PNG"), ("HEIF", "JPEG")],
)
def test_pictures_are_known_by_content_whatever_they_are_called(
    keep: Keep, content: Content, picture: Picture, kind: str, kept_as: str
) -> None:
    stored = keep(picture(kind), "report.pdf")

    image = opened(content(stored))
    assert (image.format, image.size) == (kept_as, (64, 32))
    assert (stored.width, stored.height, stored.size) == (64, 32, len(content(stored)))
    assert stored.media_type == Image.MIME[kept_as]
    red, green, blue = colour(image.convert("RGB"), (8, 16))
    assert red > 200
    assert green < 60
    assert blue < 60


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG", "HEIF"])
def test_row_40_the_place_where_a_picture_was_taken_is_stripped(
    keep: Keep, content: Content, picture: Picture, kind: str
) -> None:
    taken = picture(kind, exif=exif())
    assert opened(taken).getexif().get_ifd(0x8825)
    assert b"PhoneMaker" in taken

    kept = content(keep(taken))

    assert not opened(kept).getexif()
    assert b"PhoneMaker" not in kept
    assert b"Exif" not in kept


def test_row_40_comments_and_texts_are_stripped(keep: Keep, content: Content, picture: Picture) -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_itxt("XML:com.adobe.xmp", "<x>home address</x>")
    notes.add_text("Comment", "home address", zip=False)

    for written in (
        picture("PNG", pnginfo=notes),
        picture("JPEG", comment=b"home address"),
        picture("GIF", comment=b"home address"),
        picture("WEBP", xmp=b"home address"),
    ):
        assert b"home address" in written
        assert b"home address" not in content(keep(written))


def test_pictures_are_turned_upright(keep: Keep, content: Content, picture: Picture) -> None:
    stored = keep(picture(exif=exif(orientation=6)))  # held upright: turn right to see it

    image = opened(content(stored)).convert("RGB")
    assert (stored.width, stored.height) == image.size == (32, 64)
    assert colour(image, (16, 5))[0] > 200
    assert colour(image, (16, 60))[2] > 200


def test_colours_are_converted_to_srgb(keep: Keep, content: Content, picture: Picture) -> None:
    laboratory = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    assert "icc_profile" not in opened(content(keep(picture(icc_profile=laboratory)))).info
    assert opened(content(keep(picture(icc_profile=b"broken profile")))).size == (64, 32)
    assert opened(content(keep(picture(mode="CMYK")))).mode == "RGB"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_mode_of_png_is_kept(keep: Keep, content: Content, mode: str) -> None:
    out = BytesIO()
    grey = Image.new("I;16", (8, 8), 0x8000) if mode == "I;16" else Image.new("L", (8, 8), 128).convert(mode)
    grey.save(out, "PNG")

    kept = opened(content(keep(out.getvalue())))

    assert kept.mode in {"L", "RGB", "RGBA"}
    assert kept.convert("L").getpixel((4, 4)) in ({255, 0} if mode == "1" else {127, 128, 129})


def test_transparency_is_kept_where_the_format_has_it_and_white_elsewhere(keep: Keep, content: Content) -> None:
    glass = Image.new("RGBA", (16, 16), (255, 0, 0, 0))
    png, heic = BytesIO(), BytesIO()
    glass.save(png, "PNG")
    glass.save(heic, "HEIF")

    assert colour(opened(content(keep(png.getvalue()))), (8, 8))[3] == 0
    assert min(colour(opened(content(keep(heic.getvalue()))), (8, 8))) > 250


def test_of_moving_pictures_the_first_frame_is_kept(keep: Keep, content: Content) -> None:
    out = BytesIO()
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "green", "blue")]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])

    kept = opened(content(keep(out.getvalue())))

    assert getattr(kept, "n_frames", 1) == 1
    assert colour(kept.convert("RGB"), (8, 8)) == (255, 0, 0)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_large_pictures_are_scaled_down(keep: Keep, picture: Picture, kind: str) -> None:
    stored = keep(picture(kind, (600, 200)), limits=files.Limits(longest_side=150))

    assert (stored.width, stored.height) == (150, 50)


# Row 40: image bombs


def png_declaring(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10_000)))
        + chunk(b"IEND", b"")
    )


def jpeg_declaring(picture: bytes, width: int, height: int) -> bytes:
    frame = picture.index(b"\xff\xc0") + 5
    return picture[:frame] + struct.pack(">HH", height, width) + picture[frame + 4 :]


def webp_declaring(width: int, height: int) -> bytes:
    canvas = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + canvas
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_row_40_image_bombs_are_refused_before_decoding(keep: Keep, picture: Picture) -> None:
    gif = bytearray(picture("GIF"))
    gif[6:10] = struct.pack("<HH", 50_000, 50_000)
    bombs = [
        png_declaring(50_000, 50_000),
        png_declaring(9_000, 9_000),
        jpeg_declaring(picture(), 50_000, 50_000),
        webp_declaring(16_000, 16_000),
        bytes(gif),
    ]

    for bomb in bombs:
        began = time.process_time()
        with pytest.raises(files.ImageTooLarge) as refused:
            keep(bomb)
        assert time.process_time() - began < 0.5
        assert (refused.value.code, refused.value.rule) == ("image_too_large", "at_most_50000000_pixels")


def test_row_40_an_image_bomb_takes_no_memory() -> None:
    # In a process of its own with 400 MB of address space more than it starts with; the picture would need 7,500 MB.
    script = dedent(
        """
        import resource, sys
        from io import BytesIO
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from makegood.kit import files
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 400_000_000, -1))
        with TemporaryDirectory() as folder:
            try:
                files.store(sys.stdin.buffer, declared_name="a.png", uploads=Path(folder), owner="m")
            except files.ImageTooLarge as refused:
                print(refused.code)
        """
    )

    ran = subprocess.run(
        [sys.executable, "-c", script], input=png_declaring(50_000, 50_000), capture_output=True, check=True
    )

    assert ran.stdout == b"image_too_large\n"


def test_a_limit_counts_pixels_not_sides(keep: Keep, picture: Picture) -> None:
    assert keep(picture("PNG", (100, 10)), limits=files.Limits(pixels=1000)).width == 100
    with pytest.raises(files.ImageTooLarge) as refused:
        keep(picture("PNG", (101, 10)), limits=files.Limits(pixels=1000))
    assert (refused.value.field, refused.value.value) == ("file", "101 x 10")


# Row 40: polyglots


def archive() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("run.js", "alert(1)")
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_row_40_what_is_appended_to_a_picture_is_lost(
    keep: Keep, content: Content, picture: Picture, kind: str
) -> None:
    page, packed = picture(kind) + b"<script>alert(1)</script>", picture(kind) + archive()
    assert zipfile.is_zipfile(BytesIO(packed))

    assert b"<script>" not in content(keep(page))
    assert not zipfile.is_zipfile(BytesIO(content(keep(packed))))


def test_row_40_a_page_inside_a_gif_comment_is_lost(keep: Keep, content: Content, picture: Picture) -> None:
    assert b"<script" not in content(keep(picture("GIF", comment=b"*/<script>alert(1)</script>")))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "HEIF"])
def test_row_40_cut_off_and_broken_pictures_are_refused(keep: Keep, uploads: Path, kind: str) -> None:
    noise = BytesIO()
    Image.effect_noise((200, 200), 90).convert("RGB").save(noise, kind)
    whole = noise.getvalue()

    parts = [whole[: len(whole) // 2], whole[:64]]
    if kind != "WEBP":  # where any stretch of zeros is a valid picture
        parts.append(whole[:40] + bytes(len(whole) - 40))

    for part in parts:
        with pytest.raises(files.FileUnreadable) as refused:
            keep(part)
        assert (refused.value.code, refused.value.rule) == ("file_unreadable", "complete_image")
    assert [path for path in uploads.rglob("*") if path.is_file()] == []


# Previews


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_thumbnail_fits_its_square(keep: Keep, uploads: Path, picture: Picture, kind: str) -> None:
    stored = keep(picture(kind, (600, 200)))

    small = opened(files.thumbnail(uploads=uploads, owner=OWNER, sha256=stored.sha256, side=120))

    assert (small.format, small.size) == ("WEBP", (120, 40))
    assert files.THUMBNAIL_TYPE == "image/webp"


def test_what_is_no_picture_has_no_thumbnail(keep: Keep, uploads: Path, pdf: bytes) -> None:
    stored = keep(pdf, "receipt.pdf")

    with pytest.raises(files.ThumbnailUnavailable):
        files.thumbnail(uploads=uploads, owner=OWNER, sha256=stored.sha256)
    with pytest.raises(files.FileMissing):
        files.thumbnail(uploads=uploads, owner=OWNER, sha256="0" * 64)
