"""One trace over processes, as a collector gets it, and the lines of the log that belong to it."""

import json

from app.bootstrap import all_projections
from tests.acceptance.collectors import collecting
from tests.acceptance.services import SERVE

TRACE = "0af7651916cd43dd8448eb211c80319c"
ALICE = {"id": "liddell", "name": "Alice Pleasance", "email": "alice.pleasance@example.com"}


def test_one_trace_goes_from_a_write_to_its_documents_over_processes(serve):
    """The worker's part and the projector's; the access log names it, and nothing is personal."""
    with collecting() as collector:
        service = serve(
            command=(*SERVE, "--separate-projector"),
            LOG_FORMAT="json",
            ACCESS_LOG="on",
            **collector.settings,
        )
        with service.client as client:
            headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
            assert client.post("/users", json=ALICE, headers=headers).status_code == 201
            answer = client.put("/users/liddell", json={"name": "Alice"}, headers=headers)
            token = {"Consistency-Token": answer.headers["Consistency-Token"]}
            assert client.get("/users/liddell", headers=token).status_code == 200
        assert service.stop() == 0
        found = [each for each in collector.spans if each.trace_id == TRACE]

    of_worker = {each.name for each in found if each.process == "worker-1"}
    assert of_worker >= {"PUT /users/{user_id}", "message UpdateUserProfile", "decide", "append"}
    of_projector = {each.name for each in found if each.process == "projector"}
    assert of_projector == {f"project {each.name}" for each in all_projections()}
    assert "leasance" not in "".join(collector.texts)
    assert "liddell" not in "".join(collector.texts)

    lines = [json.loads(each) for each in service.log.read_text().splitlines()]
    accesses = [each for each in lines if each["logger"] == "app.access"]
    writes = [each for each in accesses if each["operation"] in {"register_user", "put_user"}]
    assert [each["trace_id"] for each in writes] == [TRACE] * 2
    [read] = [each for each in accesses if each["operation"] == "get_user"]
    assert read["trace_id"] != TRACE
