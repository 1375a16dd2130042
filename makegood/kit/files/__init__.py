"""Files people send: known by their content, cleaned, bounded, kept outside the database under their hash."""

from makegood.kit.files.images import FileUnreadable, ImageTooLarge
from makegood.kit.files.kinds import ACCEPTED, FileTypeRefused
from makegood.kit.files.limits import Limits
from makegood.kit.files.names import content_disposition, display_name, safe_headers
from makegood.kit.files.store import (
    FileDamaged,
    FileEmpty,
    FileMissing,
    FileTooLarge,
    StorageFull,
    Stored,
    clear_leftovers,
    delete_stored,
    keep,
    open_stored,
    store,
)
from makegood.kit.files.thumbnails import THUMBNAIL_TYPE, ThumbnailUnavailable, thumbnail

__all__ = [
    "ACCEPTED",
    "THUMBNAIL_TYPE",
    "FileDamaged",
    "FileEmpty",
    "FileMissing",
    "FileTooLarge",
    "FileTypeRefused",
    "FileUnreadable",
    "ImageTooLarge",
    "Limits",
    "StorageFull",
    "Stored",
    "ThumbnailUnavailable",
    "clear_leftovers",
    "content_disposition",
    "delete_stored",
    "display_name",
    "keep",
    "open_stored",
    "safe_headers",
    "store",
    "thumbnail",
]
