"""The read model in MongoDB."""

from app.adapters.mongo.read_model import MongoReadModel
from app.adapters.mongo.urls import checked_url

__all__ = ["MongoReadModel", "checked_url"]
