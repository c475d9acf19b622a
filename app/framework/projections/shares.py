"""Shares of the keys of documents, so that not all documents have to be in memory at once."""

import os
from dataclasses import dataclass
from hashlib import blake2b

SPACE = 1 << 64
"""How many values a hash of a key can have."""


@dataclass(frozen=True, slots=True)
class Share:
    """The keys whose hash is at least `first` and below `end`.

    salt: of the hash, so that the shares of different samples have different keys.
    """

    salt: bytes
    first: int
    end: int

    @classmethod
    def sample(cls, percent: float) -> "Share":
        """About `percent` of all keys, other ones each time."""
        return cls(os.urandom(8), 0, round(SPACE * percent / 100))

    def hash(self, key: str) -> int:
        """The same for the same salt and key, in every process."""
        digest = blake2b(key.encode(errors="surrogatepass"), digest_size=8, salt=self.salt)
        return int.from_bytes(digest.digest())

    def __contains__(self, key: str) -> bool:
        return self.first <= self.hash(key) < self.end

    @property
    def width(self) -> int:
        return self.end - self.first

    def beginning(self, width: int) -> "Share":
        """The first `width` values of this share."""
        return Share(self.salt, self.first, min(self.first + width, self.end))

    def after(self, other: "Share") -> "Share":
        """What is left of this share after `other`, a beginning of it."""
        return Share(self.salt, other.end, self.end)
