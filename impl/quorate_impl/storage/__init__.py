"""What survives a crash: a write-ahead log of checksummed frames, and checkpoints that take its place."""

from quorate_impl.storage.files import Files, OperatingSystemFiles
from quorate_impl.storage.log import Corrupt, Failed, StorageError, WriteAheadLog

__all__ = ["Corrupt", "Failed", "Files", "OperatingSystemFiles", "StorageError", "WriteAheadLog"]
