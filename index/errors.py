"""The errors of Pincite. Each says what is wrong, where, and how to mend it, in one line."""


class PinciteError(Exception):
    """Something that a person can mend. Entry points print it as one line and exit with code 2."""


class FolderError(PinciteError):
    """The articles folder is missing, empty, or holds nothing that can be read."""


class ArchiveBusyError(PinciteError):
    """Another process is building this archive, and there is no earlier build to use meanwhile."""


class ArchiveWriteError(PinciteError):
    """The archive cannot be written: read-only place, full disk."""


class ModelFileError(PinciteError):
    """A shipped model file is missing or is not the file that was shipped."""


class QuestionError(PinciteError):
    """The question is empty or too long."""
