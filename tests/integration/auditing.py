"""The read model that a service left behind, held against the log."""

from app.adapters.mongo import MongoReadModel
from app.adapters.postgres import PostgresEventStore
from app.bootstrap import all_projections
from app.framework.projections import audit
from app.host.settings import Settings


async def differences(log: PostgresEventStore, settings: Settings) -> list[str]:
    """How the documents of every projection differ from a fold of the whole log.

    The projector must have reached the head of the log, and nobody may write meanwhile.
    """
    assert settings.mongodb_url
    head = await log.head()
    read_model = MongoReadModel(settings.mongodb_url, settings.mongodb_database, "motor")
    try:
        serving = {each.name: each.serving for each in await read_model.projections()}
        found = [
            await audit(log, read_model, each, build=serving[each.name] or "")
            for each in all_projections()
        ]
    finally:
        await read_model.close()
    assert {each.events for each in found} == {head}
    return [str(difference) for each in found for difference in each.differences]
