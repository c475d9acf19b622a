"""The read model in MongoDB, its verifications, and the copy of the list of API keys."""

from app.adapters.mongo.api_keys import MongoKeys
from app.adapters.mongo.caching_read_model import CachingReadModel
from app.adapters.mongo.client import load_driver
from app.adapters.mongo.read_model import MongoReadModel
from app.adapters.mongo.urls import checked_url
from app.adapters.mongo.verifications import MongoVerifications

__all__ = [
    "CachingReadModel",
    "MongoKeys",
    "MongoReadModel",
    "MongoVerifications",
    "checked_url",
    "load_driver",
]
