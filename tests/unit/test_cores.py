"""How many cores there are for workers."""

import os

import pytest

from app.host.cores import cores
from app.host.settings import InvalidSettings, Settings

ALLOWED = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, ALLOWED),
        ({"cpu.max": "max 100000\n"}, ALLOWED),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "100000000 100000\n"}, ALLOWED),
        ({"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, ALLOWED),
        ({"cpu.max": "what\n"}, ALLOWED),
    ],
)
def test_a_quota_of_the_control_group_counts(tmp_path, files, expected):
    """A container sees all the cores of its machine."""
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert cores(tmp_path) == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only some systems have it")
def test_the_affinity_of_the_process_counts():
    """A process that may use one core has one worker."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert Settings.load(workers="auto").workers == 1
    finally:
        os.sched_setaffinity(0, allowed)


@pytest.mark.parametrize("wrong", ["0", "-1", "many", "1.5", "1001"])
def test_another_number_of_workers_is_refused(wrong):
    """In a line that names the variable."""
    with pytest.raises(InvalidSettings, match=r"^WORKERS: .*\d"):
        Settings.load(workers=wrong)
    assert Settings.load(workers="4").workers == 4
