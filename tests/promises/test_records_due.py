"""A day that is over: said until it is gone, destroyed once, whoever purges at the same time."""

from __future__ import annotations

import subprocess

from tests.promises.test_records_hard_times import on_a_full_disk
from tests.visits.place import SCRIPT, Place
from tests.visits.test_visit_purge import Expired, exists, old

__all__ = ["old"]


def test_purges_at_the_same_time_destroy_a_day_once_and_check_fails_until_then(place: Place, old: Expired) -> None:
    failed = place.run("check")
    assert failed.returncode != 0
    assert str(old.day) in failed.stdout + failed.stderr
    line = [SCRIPT, "purge", "cookiegate.toml"]
    purges = [
        subprocess.Popen(line, cwd=place.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = [purge.communicate(timeout=120) for purge in purges]
    ends = [purge.returncode for purge in purges]
    assert 0 in ends, said
    late = [err for end, (_, err) in zip(ends, said, strict=True) if end]
    assert all(err.startswith("Still there and overdue") for err in late), said  # another was at it
    assert [row["day"] for row in place.ledger("destruction")] == [str(old.day)]
    assert not exists(place, old.day)
    assert place.run("check").returncode == 0
    assert place.run("verify").returncode == 0


def test_a_purge_on_a_full_disk_says_so_or_destroys_and_the_next_one_finishes(place: Place, old: Expired) -> None:
    run = on_a_full_disk(place, "purge", "cookiegate.toml")
    assert "Traceback" not in run.stderr
    assert (run.returncode == 0) <= (not exists(place, old.day)), run.stdout + run.stderr
    again = place.run("purge")
    assert again.returncode == 0, again.stderr
    assert not exists(place, old.day)
    assert [row["day"] for row in place.ledger("destruction")] == [str(old.day)]
    assert len(place.paths()) > 20
