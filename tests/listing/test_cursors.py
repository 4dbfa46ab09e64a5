"""Cursors of lists: whatever a reader types into the address, a list answers."""

from hypothesis import given
from hypothesis import strategies as st

from crm.listing.lists import read_cursor, write_cursor


@given(st.one_of(st.none(), st.text(max_size=80)), st.integers(min_value=-(2**61), max_value=2**61))
def test_a_cursor_comes_back(value, pk):
    if len(write_cursor(value, pk)) <= 600:
        assert read_cursor(write_cursor(value, pk)) == (value, pk)


@given(st.text(max_size=700))
def test_anything_else_is_no_cursor(text):
    result = read_cursor(text)
    assert result is None or isinstance(result[1], int)
