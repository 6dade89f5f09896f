"""XML that is only elements and text: a document type, and with it every entity, is refused."""

from __future__ import annotations

from typing import NoReturn
from xml.etree import ElementTree


class NotPlain(ValueError):
    """The XML is damaged, or has a document type."""


class Elements:
    """What the parser tells of a document, element by element; here it only has no document type."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element {name space}name begins."""

    def doctype(self, *_: str | None) -> NoReturn:
        """A document type, which is where entities and other files are named."""
        raise NotPlain("a document type")


class _Tree(ElementTree.TreeBuilder):
    doctype = Elements.doctype


def plain_xml(content: bytes) -> ElementTree.Element:
    """The root element of the document; NotPlain if there is none."""
    tree = _Tree()
    tell(content, tree)
    return tree.close()


def tell(content: bytes, elements: Elements | _Tree) -> None:
    """Tell `elements` what is in the document; NotPlain where it is damaged."""
    parser = ElementTree.XMLParser(target=elements)
    try:
        parser.feed(content)
        parser.close()
    except (ElementTree.ParseError, LookupError, ValueError) as error:  # the last two: an encoding that nobody knows
        raise NotPlain(str(error)) from error
