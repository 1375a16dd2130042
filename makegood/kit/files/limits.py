"""How much of a file is taken."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes as read from the stream, ``pixels`` as declared by the image's own header."""

    file_bytes: int = 20 * MIB
    video_bytes: int = 100 * MIB
    text_bytes: int = 1 * MIB
    pixels: int = 50_000_000
    longest_side: int = 4096

    def bytes_of(self, media_type: str) -> int:
        if media_type.startswith("video/"):
            return self.video_bytes
        return min(self.text_bytes, self.file_bytes) if media_type == "text/plain" else self.file_bytes
