"""Senders of what is refused are left unread for a while, in turn."""

from app.host.server.backpressure import Backpressure
from tests.unit.bounded import until


class Sender:
    """Counts how often it was left unread, and read again."""

    def __init__(self) -> None:
        self.paused = 0
        self.resumed = 0

    def pause(self) -> None:
        """Count it."""
        self.paused += 1

    def resume(self) -> None:
        """Count it."""
        self.resumed += 1


async def test_a_sender_has_one_place_however_many_requests_a_packet_holds():
    """Else its first turn would have it read again, and the line grow with each of its packets."""
    pressure = Backpressure(100)
    pushy, patient = Sender(), Sender()
    for _ in range(1000):
        pressure.refused(pushy)
    pressure.refused(patient)
    assert (pushy.paused, patient.paused) == (1, 1)
    await until(lambda: patient.resumed)
    assert (pushy.resumed, patient.resumed) == (1, 1)
