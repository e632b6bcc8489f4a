"""The guard of the campaign of kills ends what would wait for ever."""

import time
from itertools import count

import pytest
from slurm.guard import Guard, StuckError


def test_a_campaign_in_which_nothing_moves_is_given_up():
    with (
        pytest.raises(StuckError, match=r"nothing has moved for 0\.3 s"),
        Guard(patience=0.3, limit=60, pause=0.1),
    ):
        time.sleep(60)


def test_a_campaign_that_takes_too_long_is_given_up():
    guard = Guard(patience=60, limit=0.3, pause=0.1)
    guard.sign = count().__next__
    with pytest.raises(StuckError, match=r"not complete after 0\.3 s"), guard:
        time.sleep(60)


def test_a_campaign_that_moves_is_left_alone():
    with Guard(patience=0.3, limit=60, pause=0.1) as guard:
        guard.sign = count().__next__
        time.sleep(0.8)
    assert guard.returned == []
