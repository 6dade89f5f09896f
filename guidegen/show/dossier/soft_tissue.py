"""The dossier on the soft tissue: where tunnels and wires leave the skin, and how long drill and wires must be."""

from __future__ import annotations

from guidegen.show.dossier.reader import Block, Cell, Reader, Row, table, text

PLACE = "guide/soft_tissue"
HEAD = ("to_skin", "top_beyond", "opened_by", "from_end", "in_front_of", "length_needed", "length_there", "spare")


def skin_blocks(read: Reader) -> list[Block]:
    """One table of every tunnel and wire, and what limits it; or that the skin is not known."""
    if not read.has(PLACE):
        return [text([read.say("skin_unknown")], read.say("to_the_skin"))]
    rows = [_tunnel_row(read, number) for number in read.count(f"{PLACE}/tunnels")]
    rows += [_wire_row(read, number) for number in read.count(f"{PLACE}/pins")]
    head = ["", *(read.say(key) for key in HEAD)]
    return [
        table(rows, read.say("to_the_skin"), head, align="lrrlrrrrr", widths=[1.2, 1, 1, 1.6, 1, 1, 1, 1, 1]),
        text([read.say("skin_note")]),
    ]


def way_in_row(read: Reader) -> Row:
    """Through which opening each tunnel is drilled, in one line."""
    if not read.has(PLACE):
        return [read.say("ways_in"), read.say("way_unknown")]
    places = [f"{PLACE}/tunnels/{number}" for number in read.count(f"{PLACE}/tunnels")]
    ways = [read.quote(f"{place}/through") if read.has(place) else read.say("not_known") for place in places]
    return [read.say("ways_in"), {"parts": ways, "join": ", "}]


def _tunnel_row(read: Reader, number: int) -> Row:
    name, place = read.say("tunnel_n", number=number + 1), f"{PLACE}/tunnels/{number}"
    if not read.has(place):
        return _unknown(read, name)
    return [
        name,
        read.figure(f"{place}/depth_mm", 0),
        read.figure(f"{place}/top_beyond_mm", 0),
        read.quote(f"{place}/through"),
        read.figure(f"{place}/from_end_mm", 0),
        read.figure(f"{place}/in_front_mm", 0),
        *_lengths(read, place, "drill"),
    ]


def _wire_row(read: Reader, number: int) -> Row:
    name, place = read.say("wire_n", number=number + 1), f"{PLACE}/pins/{number}"
    if not read.has(place):
        return _unknown(read, name)
    return [name, read.figure(f"{place}/depth_mm", 0), "", "", "", "", *_lengths(read, place, "wire")]


def _lengths(read: Reader, place: str, tool: str) -> list[Cell]:
    return [read.figure(f"{place}/{tool}_{what}_mm", 0) for what in ("needed", "length", "spare")]


def _unknown(read: Reader, name: str) -> Row:
    return [name, read.say("not_known"), *[""] * (len(HEAD) - 1)]
