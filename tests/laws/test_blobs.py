"""Whatever a line does to pieces, the bytes come out as they went in, or not at all."""

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.materials.assembly import Assembly
from protocol import blobs
from protocol.errors import SealError

SIZES = (
    st.integers(0, 3) | st.integers(blobs.SEGMENT - 2, blobs.SEGMENT + 2) | st.integers(0, 3 * blobs.SEGMENT)
)


def opened(blob: bytes, key: bytes) -> bytes:
    return b"".join(blobs.decipher(BytesIO(blob).read, key))


@settings(max_examples=25)
@given(SIZES, st.integers(0, 255))
def test_what_is_enciphered_is_what_is_opened(size: int, first: int) -> None:
    plain, key = bytes((first + at) % 251 for at in range(size)), blobs.new_key()
    blob = blobs.encipher(plain, key)
    assert len(blob) == blobs.blob_size(size)
    assert opened(blob, key) == plain


@settings(max_examples=25)
@given(st.integers(1, 3 * blobs.SEGMENT), st.data())
def test_one_changed_byte_or_a_cut_is_found(size: int, data: st.DataObject) -> None:
    key = blobs.new_key()
    blob = bytearray(blobs.encipher(bytes(size), key))
    at = data.draw(st.integers(0, len(blob) - 1))
    if data.draw(st.booleans()):
        blob[at] ^= 1
    else:
        del blob[at:]
    with pytest.raises(SealError):
        opened(bytes(blob), key)


def test_segments_cannot_be_moved_dropped_or_repeated() -> None:
    key, step = blobs.new_key(), blobs.SEGMENT + blobs.TAG
    blob = blobs.encipher(bytes(range(256)) * 768, key)
    head, a, b, c = blob[:4], blob[4 : 4 + step], blob[4 + step : 4 + 2 * step], blob[4 + 2 * step :]
    assert opened(head + a + b + c, key)
    for spoiled in (head + b + a + c, head + a + c, head + a + b, head + a + a + b + c, head + a + b + c + c):
        with pytest.raises(SealError):
            opened(spoiled, key)


@given(st.binary(min_size=1, max_size=400), st.data())
def test_pieces_in_any_order_often_and_overlapping(whole: bytes, data: st.DataObject) -> None:
    """Drawn pieces come first, in any order; then whatever is missing is asked for and comes in any order too."""
    assembly, written = Assembly(len(whole), room=data.draw(st.integers(0, 500))), bytearray()
    span = st.tuples(st.integers(0, len(whole)), st.integers(0, 60))
    for at, size in data.draw(st.lists(span, max_size=30)):
        written += assembly.add(at, whole[at : at + size])
        assert written == whole[: assembly.have]
    while not assembly.complete:
        asked = assembly.missing(data.draw(st.integers(1, 100)))
        assert asked
        assert asked[0][0] == assembly.have
        for first, end in data.draw(st.permutations(asked)):
            written += assembly.add(first, whole[first:end])
    assert bytes(written) == whole
    assert assembly.missing(100) == ()


@given(st.binary(min_size=1, max_size=300), st.lists(st.integers(1, 80), min_size=1, max_size=20))
def test_a_restart_goes_on_from_what_is_on_the_disk(whole: bytes, windows: list[int]) -> None:
    disk = bytearray()
    for window in [*windows, *[80] * 4]:
        assembly = Assembly(len(whole), len(disk))
        assembly.add(
            min(len(disk) + window, len(whole) - 1), whole[len(disk) + window :][:5]
        )  # lost with the restart
        for first, end in assembly.missing(window)[:1]:
            disk += assembly.add(first, whole[first:end])
    for first, end in Assembly(len(whole), len(disk)).missing(len(whole)):
        disk += whole[first:end]
    assert bytes(disk) == whole


def test_what_lies_outside_the_blob_is_not_taken() -> None:
    assembly = Assembly(10)
    assert assembly.add(8, b"abcd") == b""
    assert assembly.add(-1, b"ab") == b""
    assert assembly.missing(100) == ((0, 10),)
