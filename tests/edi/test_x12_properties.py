"""The tokenizer and the envelope checks, for any separators, any padding and any damage."""

import string

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.edi.envelope import interchanges
from connectors.edi.x12 import read_separators, segments

SPECIAL = [c for c in map(chr, range(1, 256)) if not c.isalnum() and c not in " \r\n\t\x1a\x00" and c not in "\xad"]
words = st.text(alphabet=string.ascii_letters + string.digits + " ", max_size=8)


@st.composite
def layouts(draw):
    element, component, terminator = draw(st.lists(st.sampled_from(SPECIAL), min_size=3, max_size=3, unique=True))
    return element, component, terminator, draw(st.sampled_from(["", "\n", "\r\n", " \n"]))


bodies = st.lists(st.tuples(st.sampled_from(["N1", "REF", "W12"]), st.lists(words, min_size=1, max_size=4)), max_size=5)


def build(layout, control: int, groups: list[list[list]]) -> str:
    """A sound interchange: groups of transactions of segments."""
    e, c, t, pad = layout
    isa = e.join(["ISA", "00", " " * 10, "00", " " * 10, "ZZ", "EWR".ljust(15), "ZZ", "CROSSDOCK".ljust(15), "240301"])
    lines = [isa + e + e.join(["1430", "U", "00401", f"{control:09d}", "0", "P", c])]
    for number, transactions in enumerate(groups, 1):
        lines.append(e.join(["GS", "SW", "EWR", "CROSSDOCK", "20240301", "1430", str(number), "X", "004010"]))
        for index, body in enumerate(transactions, 1):
            lines += [e.join(["ST", "945", f"{index:04d}"]), *(e.join([tag, *parts]) for tag, parts in body)]
            lines.append(e.join(["SE", str(len(body) + 2), f"{index:04d}"]))
        lines.append(e.join(["GE", str(len(transactions)), str(number)]))
    lines.append(e.join(["IEA", str(len(groups)), f"{control:09d}"]))
    return "".join(line + t + pad for line in lines)


sound = st.lists(st.lists(bodies, min_size=1, max_size=3), min_size=1, max_size=2)


@given(layouts(), sound)
def test_what_was_built_is_what_is_read(layout, groups):
    (found,) = interchanges(build(layout, 7, groups))
    assert not found.faults and found.control == "000000007" and not found.is_cut
    read = [[[(s.tag, list(s.elements[1:])) for s in t.body[1:-1]] for t in g.transactions] for g in found.groups]
    assert read == [[[(tag, parts) for tag, parts in body] for body in group] for group in groups]


@given(layouts(), sound)
def test_segments_put_together_again_are_the_file(layout, groups):
    text = build(layout, 7, groups)
    pieces = list(segments(text, 0, read_separators(text, 0)))
    assert "".join(text[s.start : s.end] for s in pieces) == "".join(c for c in _without_padding(text, layout))


def _without_padding(text: str, layout) -> str:
    return text.replace(layout[2] + layout[3], layout[2])


@settings(max_examples=300)
@given(layouts(), sound, st.data())
def test_no_damage_crashes_and_no_byte_is_lost(layout, groups, data):
    text = build(layout, 7, groups) + build(layout, 8, groups)
    at = data.draw(st.integers(0, len(text) - 1))
    kind = data.draw(st.sampled_from(["cut", "drop", "change", "insert", "swap"]))
    other = data.draw(st.characters(min_codepoint=0, max_codepoint=255))
    damaged = {
        "cut": text[:at],
        "drop": text[:at] + text[at + 1 :],
        "change": text[:at] + other + text[at + 1 :],
        "insert": text[:at] + other + text[at:],
        "swap": text[at:] + text[:at],
    }[kind]
    covered = 0
    for found in interchanges(damaged):
        assert found.start >= covered and damaged[covered : found.start].strip("\r\n\t \x00\x1a") == ""
        assert found.end > found.start or not damaged.strip("\r\n\t \x00\x1a")
        covered = found.end
        assert found.groups or found.faults
    assert damaged[covered:].strip("\r\n\t \x00\x1a") == ""


@given(st.binary(max_size=400))
def test_any_bytes_end_in_faults_not_in_an_exception(data):
    for found in interchanges(data.decode("latin-1")):
        assert found.faults and not found.groups


@given(layouts(), sound, st.data())
def test_a_file_cut_before_the_end_of_its_iea_is_never_taken_for_whole(layout, groups, data):
    text = build((*layout[:3], ""), 7, groups)
    found = list(interchanges(text[: data.draw(st.integers(0, len(text) - 2))]))
    assert found[-1].is_cut and not any(one.groups for one in found)
