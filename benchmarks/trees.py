"""The gate's job done by readers that take a whole page: builders of trees, and the standard library's parser."""

from __future__ import annotations

import importlib
from html import escape, unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.policy import ANYWHERE, NAMES, SELECTOR, Policy, marker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class _Tree(Protocol):
    """What an engine that builds a tree must say of it."""

    def elements(self) -> Iterable[tuple[Any, str, Mapping[bytes, bytes]]]: ...
    def text(self, node: Any) -> bytes: ...
    def replace(self, node: Any, slug: str) -> None: ...
    def drop(self, node: Any, attribute: str) -> None: ...


def _gate_tree(tree: _Tree, policy: Policy) -> None:
    """Ask for each element in document order."""
    for node, name, attributes in tree.elements():
        if name == "style":
            slug = policy.sheet(tree.text(node))
        else:
            slug = policy.tag(name.encode(), attributes)
            if slug is None and name == "script" and b"src" not in attributes and not policy.judge.is_inert(attributes):
                slug = policy.script(tree.text(node), attributes)
        if slug:
            tree.replace(node, slug)
        else:
            for gone, _ in policy.parts(name.encode(), attributes):
                tree.drop(node, gone.decode())


def _escaped(pairs: Iterable[tuple[str, object]]) -> dict[bytes, bytes]:
    """The attributes of a tree, whose character references are read already, as the judge expects them."""
    return {name.encode(): str(value or "").replace("&", "&amp;").encode("utf-8", "replace") for name, value in pairs}


class Soup:
    """BeautifulSoup over the standard library's parser."""

    streams = False

    def __init__(self) -> None:
        self.module = importlib.import_module("bs4")
        self.policy = Policy()

    def run(self, page: bytes, chunk: int) -> bytes:
        self.policy.next_page()
        soup = self.module.BeautifulSoup(page.decode("utf-8", "replace"), "html.parser", multi_valued_attributes=None)
        self.soup = soup
        _gate_tree(self, self.policy)
        return str(soup).encode("utf-8", "replace")

    def elements(self) -> Iterator[tuple[Any, str, Mapping[bytes, bytes]]]:
        wanted = NAMES | {"style"}
        for node in self.soup.find_all(lambda tag: tag.name in wanted or not ANYWHERE.isdisjoint(tag.attrs)):
            yield node, node.name, _escaped(node.attrs.items())

    def text(self, node: Any) -> bytes:
        return str(node.string or "").encode("utf-8", "replace")

    def replace(self, node: Any, slug: str) -> None:
        node.replace_with(self.module.Comment(f"privacy:{slug}"))

    def drop(self, node: Any, attribute: str) -> None:
        del node[attribute]


class Lexbor:
    """Selectolax over lexbor (C)."""

    streams = False

    def __init__(self) -> None:
        self.module = importlib.import_module("selectolax.lexbor")
        self.policy = Policy()

    def run(self, page: bytes, chunk: int) -> bytes:
        self.policy.next_page()
        self.tree = self.module.LexborHTMLParser(page)
        _gate_tree(self, self.policy)
        return (self.tree.html or "").encode("utf-8", "replace")

    def elements(self) -> Iterator[tuple[Any, str, Mapping[bytes, bytes]]]:
        nodes = {node.mem_id: node for node in self.tree.css(f"{SELECTOR}, style")}  # one for each selector that fits
        for node in nodes.values():
            yield node, node.tag, _escaped(node.attributes.items())

    def text(self, node: Any) -> bytes:
        return (node.text() or "").encode("utf-8", "replace")

    def replace(self, node: Any, slug: str) -> None:
        node.insert_before(f"[privacy:{slug}]")  # it cannot make comments
        node.decompose()

    def drop(self, node: Any, attribute: str) -> None:
        del node.attrs[attribute]


class Lxml:
    """lxml over libxml2 (C)."""

    streams = False

    def __init__(self) -> None:
        self.module = importlib.import_module("lxml.html")
        self.policy = Policy()

    def run(self, page: bytes, chunk: int) -> bytes:
        self.policy.next_page()
        self.tree = self.module.document_fromstring(page, parser=self.module.HTMLParser(encoding="utf-8"))
        _gate_tree(self, self.policy)
        written: bytes = self.module.tostring(self.tree, encoding="utf-8", include_meta_content_type=True)
        return written

    def elements(self) -> Iterator[tuple[Any, str, Mapping[bytes, bytes]]]:
        wanted = NAMES | {"style"}
        for node in list(self.tree.iter("*")):
            if node.tag in wanted or not ANYWHERE.isdisjoint(node.keys()):
                yield node, node.tag, _escaped(node.items())

    def text(self, node: Any) -> bytes:
        return (node.text or "").encode("utf-8", "replace")

    def replace(self, node: Any, slug: str) -> None:
        comment = self.module.HtmlComment(f"privacy:{slug}")
        comment.tail = node.tail
        parent = node.getparent()
        if parent is not None:
            parent.replace(node, comment)

    def drop(self, node: Any, attribute: str) -> None:
        del node.attrib[attribute]


class Stdlib:
    """html.parser of the standard library, writing what it reads."""

    streams = False

    def __init__(self) -> None:
        self.policy = Policy()

    def run(self, page: bytes, chunk: int) -> bytes:
        self.policy.next_page()
        writer = _Writer(self.policy)
        writer.feed(page.decode("utf-8", "replace"))
        writer.close()
        return "".join(writer.out).encode("utf-8", "replace")


class _Writer(HTMLParser):
    def __init__(self, policy: Policy) -> None:
        super().__init__(convert_charrefs=False)
        self.policy = policy
        self.out: list[str] = []
        self.opening: tuple[str, str, Mapping[bytes, bytes]] | None = None  # of a script or style whose text comes
        self.dropping = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        source = self.get_starttag_text() or ""
        if tag not in NAMES and tag != "style" and ANYWHERE.isdisjoint(name for name, _ in attrs):
            self.out.append(source)
            return
        attributes = _escaped(reversed(attrs))
        slug = self.policy.tag(tag.encode(), attributes)
        if slug:
            self.out.append(marker(slug))
            self.dropping = tag if tag in {"script", "iframe"} else ""
        elif tag == "style" or (
            tag == "script" and b"src" not in attributes and not self.policy.judge.is_inert(attributes)
        ):
            self.opening = tag, source, attributes
        else:
            gone = [name for name, _ in self.policy.parts(tag.encode(), attributes)]
            self.out.append(_without(tag, attributes, gone) if gone else source)

    handle_startendtag = handle_starttag

    def handle_data(self, data: str) -> None:
        if self.opening:
            tag, source, attributes = self.opening
            self.opening = None
            body = data.encode("utf-8", "replace")
            slug = self.policy.sheet(body) if tag == "style" else self.policy.script(body, attributes)
            self.out.append(marker(slug) if slug else source + data)
            self.dropping = tag if slug else ""
        elif not self.dropping:
            self.out.append(data)

    def handle_endtag(self, tag: str) -> None:
        if self.opening:
            self.out.append(self.opening[1])
            self.opening = None
        if self.dropping == tag:
            self.dropping = ""
        elif not self.dropping:
            self.out.append(f"</{tag}>")

    def handle_entityref(self, name: str) -> None:
        self.out.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.out.append(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        self.out.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.out.append(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        self.out.append(f"<?{data}>")


def _without(tag: str, attributes: Mapping[bytes, bytes], gone: list[bytes]) -> str:
    kept = (
        f' {name.decode()}="{escape(unescape(value.decode()))}"'
        for name, value in attributes.items()
        if name not in gone
    )
    return f"<{tag}{''.join(kept)}>"
