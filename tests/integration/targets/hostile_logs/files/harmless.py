"""Says what a file would do to who reads it, as a terminal, as a browser or as Markdown: one line each. Nothing when it is harmless."""

from __future__ import annotations

import sys
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

from markdown_it import MarkdownIt

#: Of Markdown nothing that acts.
PLAIN = {"p", "br", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "em", "strong", "code", "pre", "hr", "blockquote"}
PAGE = PLAIN | {"html", "head", "meta", "title", "link", "style", "body", "main", "header", "footer", "section", "article", "time", "div",
                "span", "a", "nav", "small"}  # fmt: skip
OURS = ("https://status.astraldraft.test", "rss.xml", "status.json")


class Reader(HTMLParser):
    def __init__(self, tags: set[str]) -> None:
        super().__init__()
        self.tags, self.found = tags, set[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.tags:
            self.found.add(f"has a tag {tag}")
        for name, value in attrs:
            if name.startswith("on") or name in ("src", "style", "srcset", "action"):
                self.found.add(f"has an attribute {name} in {tag}")
            if name == "href" and not str(value).startswith(OURS):
                self.found.add(f"leads to {value}")

    def handle_comment(self, data: str) -> None:
        self.found.add(f"has a comment {data[:40]!r}")


def characters(text: str) -> set[str]:
    """All that a terminal or a reader acts on: control characters but line ends, directions, what is not seen, what is no character."""
    bad = {one for one in text if one != "\n" and unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\u2060"}
    return {f"has the character U+{ord(one):04X}" for one in bad}


def tags(text: str, known: set[str]) -> set[str]:
    reader = Reader(known)
    reader.feed(text)
    reader.close()
    return reader.found


def main(kind: str, path: str) -> int:
    try:
        text = Path(path).read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        print(f"is no UTF-8: {error}")
        return 1
    found = characters(text)
    if kind == "html":
        found |= tags(text, PAGE)
    if kind == "markdown":
        found |= tags(MarkdownIt("commonmark", {"html": True}).render(text), PLAIN)
    found |= {f"says {word}" for word in ("hunter2", "13434337") if word in text}
    found |= {f"has a line of {len(line)} characters" for line in text.split("\n") if kind == "terminal" and len(line) > 30000}
    print("\n".join(sorted(found)))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
