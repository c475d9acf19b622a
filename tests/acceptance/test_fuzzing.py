"""A short run of schemathesis; `make fuzz` is a long one."""

from tests.acceptance.fuzzing import fuzz

PHASES = ("Examples", "Coverage", "Fuzzing", "Stateful")


def test_the_api_does_as_its_document_says(serve, folder):
    """A thousand requests made of the document, be they valid or not, are answered as it says."""
    service = serve(AUTH="", LOG_LEVEL="error", AUDIT_LOG="/dev/null")
    # While a projection is paused, each read with a token waits in vain.
    paused = ("--exclude-operation-id", "pause_projection")
    options = ("--max-examples", "10", "--seed", "1", *paused)
    found = fuzz(service, *options, cwd=folder, capture_output=True)
    assert found.returncode == 0, found.stdout + found.stderr
    assert all(f"\u2705  {phase}" in found.stdout for phase in PHASES), found.stdout
    assert service.stop() == 0
    assert service.log.read_text() == ""
