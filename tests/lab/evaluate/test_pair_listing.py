"""Listings of pairs in every shape that people save them in."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.errors import RefusedError, UnavailableError
from agent.lab.evaluate.pair_listing import ListedPair, read_pairs, require_files


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    return tmp_path / "pairs.csv"


@pytest.mark.parametrize(
    "text",
    [
        b"file_x,file_y,decision\na/1.jpg,b/2.jpg,Yes\na/1.jpg,c.jpg,No\n",
        b"file_x,file_y,decision\na/1.jpg,b/2.jpg,YES\na/1.jpg,c.jpg,no",
        b"\xef\xbb\xbffile_x,file_y,decision\r\na/1.jpg,b/2.jpg,yes\r\na/1.jpg,c.jpg,NO\r\n",
        b"  File_X , FILE_Y,Decision \n a/1.jpg ,b/2.jpg , yEs \na/1.jpg,  c.jpg,No  \n",
        b"n,decision,file_y,file_x\n1,yes,b/2.jpg,a/1.jpg\n2,no,c.jpg,a/1.jpg\n",
        b'"file_x","file_y","decision"\n"a/1.jpg","b/2.jpg","Yes"\n"a/1.jpg", "c.jpg","No"\n',
        b"file_x,file_y,decision\na\\1.jpg,b\\2.jpg,Yes\na\\1.jpg,c.jpg,No\n",
    ],
)
def test_a_listing_is_read_however_it_was_saved(listing: Path, text: bytes) -> None:
    listing.write_bytes(text)
    assert read_pairs(listing) == [
        ListedPair("a/1.jpg", "b/2.jpg", same=True, line=2),
        ListedPair("a/1.jpg", "c.jpg", same=False, line=3),
    ]


def test_empty_lines_are_no_pairs(listing: Path) -> None:
    listing.write_text("file_x,file_y,decision\n\n,,\na,b,Yes\n  ,,\n\n")
    assert read_pairs(listing) == [ListedPair("a", "b", same=True, line=4)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "lacks the column file_x"),
        (b"file_x,file_y\na,b\n", "lacks the column decision"),
        (b"file_x,file_y,decision\n", "names no pairs"),
        (b"file_x,file_y,decision\na,b,Yes\na,b,maybe\n", "pairs.csv:3:"),
        (b"file_x,file_y,decision\na,,Yes\n", "pairs.csv:2:"),
        (b"file_x,file_y,decision\na,b\n", "pairs.csv:2:"),
        (b"file_x,file_y,decision\na,b,\xff\n", "cannot be read"),
        (b"\xff\xfef\x00i\x00l\x00e\x00", "lacks the column file_x"),
    ],
)
def test_a_listing_that_is_none_is_refused(listing: Path, text: bytes, said: str) -> None:
    listing.write_bytes(text)
    with pytest.raises(RefusedError, match=said) as refused:
        read_pairs(listing)
    assert refused.value.reason == "bad_csv"


def test_a_listing_that_is_not_there_is_unavailable(listing: Path) -> None:
    with pytest.raises(UnavailableError, match=r"cannot be read: No such file or directory$"):
        read_pairs(listing)
    with pytest.raises(RefusedError, match="cannot be read: it is no file"):
        read_pairs(listing.parent)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_read_or_refused(listing: Path, text: bytes) -> None:
    for head in (b"", b"file_x,file_y,decision\n"):
        listing.write_bytes(head + text)
        try:
            pairs = read_pairs(listing)
        except RefusedError:
            continue
        assert pairs
        assert all(pair.one and pair.other for pair in pairs)


def test_files_that_are_not_there_are_named_with_their_line(listing: Path) -> None:
    (listing.parent / "here.png").write_bytes(b"x")
    (listing.parent / "folder").mkdir()
    here = ListedPair("here.png", "here.png", same=True, line=2)
    require_files(listing.parent, listing, [here])
    for name in ("gone.png", "folder", "x" * 5000, "a\0b"):
        pairs = [here, ListedPair("here.png", name, same=True, line=3)]
        with pytest.raises(RefusedError, match=r"pairs.csv:3: .* is not in") as refused:
            require_files(listing.parent, listing, pairs)
        assert name in str(refused.value)
    with pytest.raises(RefusedError, match=r"2 such files"):
        require_files(listing.parent, listing, [ListedPair("gone", "lost", same=False, line=2)])
    with pytest.raises(UnavailableError, match="no folder"):
        require_files(listing.parent / "gone", listing, [here])


@pytest.mark.parametrize("device", [None, "/dev/zero"])
def test_what_has_no_end_is_no_listing(listing: Path, device: str | None) -> None:
    if device is None:
        os.mkfifo(listing)
    else:
        listing.symlink_to(device)
    with pytest.raises(RefusedError) as refused:
        read_pairs(listing)
    assert refused.value.reason == "bad_csv"
