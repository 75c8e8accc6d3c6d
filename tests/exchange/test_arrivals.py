"""Files that people bring: on their way to the disk, and looked at by their beginning."""

import errno
import os

import pytest

from service.exchange import arrivals
from service.exchange.arrivals import Arrival, NoRoom, TooLarge
from service.exchange.record import Addresses, Unreadable


def test_what_is_not_kept_is_gone(tmp_path):
    arrival = Arrival(tmp_path, 100)
    arrival.write(b"words")
    arrival.settle()
    assert arrival.path.read_bytes() == b"words"
    arrival.discard()
    assert list(tmp_path.glob("*/*")) == []
    arrival.discard()  # once more does no harm


def test_what_is_kept_stays(tmp_path):
    arrival = Arrival(tmp_path, 100)
    arrival.write(b"words")
    arrival.settle()
    arrival.let_go()
    arrival.discard()
    assert arrival.path.read_bytes() == b"words"
    arrivals.remove(tmp_path, arrival.stored_as)
    assert not arrival.path.exists()


def test_of_one_that_is_too_large_nothing_lies_there_while_the_rest_comes(tmp_path):
    arrival = Arrival(tmp_path, 10)
    for _ in range(5):
        assert arrival.write(b"1234") == 4
    arrival.settle()
    assert isinstance(arrival.fault, TooLarge)
    assert (arrival.size, arrival.path.stat().st_size) == (20, 0)
    arrival.discard()


def test_the_disk_is_never_filled_by_a_file_whose_length_nobody_knew(tmp_path, monkeypatch):
    arrival = Arrival(tmp_path, 1_000)
    arrival.write(b"so far")
    monkeypatch.setattr(arrivals, "SPARED", 10**18)
    assert arrival.write(b"and on") == 6
    assert isinstance(arrival.fault, NoRoom)
    assert arrival.path.stat().st_size == 0
    arrival.discard()


def test_a_disk_that_is_full_is_a_fault_and_no_end(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    arrival = Arrival(tmp_path, 100)
    arrival.write(b"words")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        arrival.settle()
    assert isinstance(arrival.fault, NoRoom)
    assert arrival.path.stat().st_size == 0
    arrival.discard()


@pytest.mark.parametrize("name", ["../secrets.toml", "", "/etc/passwd", "a" * 31])
def test_it_removes_files_of_its_own_alone(tmp_path, name):
    (tmp_path / "secrets.toml").write_text("kept")
    arrivals.remove(tmp_path, name)
    assert (tmp_path / "secrets.toml").exists()


def test_only_the_beginning_of_a_large_file_is_looked_at(tmp_path, monkeypatch):
    """What is wrong further behind is the rehearsal's to say."""
    monkeypatch.setattr(arrivals, "LOOKED_AT", 300)
    path = tmp_path / "large.xml"
    path.write_bytes(b'<?xml version="1.0"?><rss xmlns:wp="w"><channel>' + b" " * 70_000 + b"<oh")
    arrivals.look(path, "wordpress", Addresses())
    monkeypatch.setattr(arrivals, "LOOKED_AT", 100_000)
    with pytest.raises(Unreadable):
        arrivals.look(path, "wordpress", Addresses())


def test_the_beginning_is_looked_at_no_longer_than_somebody_waits(tmp_path, monkeypatch):
    monkeypatch.setattr(arrivals, "LOOKED_AT_SECONDS", 0)
    path = tmp_path / "table.csv"
    path.write_text("article,author,text\nhttps://a.example/b,Rita,x\n" + '\n"' + "x" * 9)
    arrivals.look(path, "csv", Addresses())
