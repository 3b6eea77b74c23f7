"""Folder of articles -> archive of sentences and passages that can be searched."""

from index.errors import (
    ArchiveBusyError,
    ArchiveWriteError,
    FolderError,
    ModelFileError,
    PinciteError,
    QuestionError,
)

__all__ = [
    "ArchiveBusyError",
    "ArchiveWriteError",
    "FolderError",
    "ModelFileError",
    "PinciteError",
    "QuestionError",
]
