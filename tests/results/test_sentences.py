from hypothesis import given
from hypothesis import strategies as st
from study_operator.results.sentences import LONGEST, clean, sentence


def test_terminal_escapes_line_breaks_and_surrogates_are_taken_out():
    assert clean("a\x1b[31mred\r\n\tline\ud800\u202e!") == "a [31mred line !"


@given(st.text(st.characters(), max_size=3000))
def test_any_text_becomes_one_bounded_line_that_can_be_stored(text):
    line = clean(text)
    assert len(line) <= LONGEST
    assert line.isprintable() or any(character.isspace() for character in line)
    assert line.encode("utf-8").decode("utf-8").splitlines() in ([line], [])


def test_a_sentence_ends_once():
    assert (sentence("It failed"), sentence("It failed."), sentence("")) == ("It failed.", "It failed.", "")
