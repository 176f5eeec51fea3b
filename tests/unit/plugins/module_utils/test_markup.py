from __future__ import annotations

import html.parser

import markdown_it
import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _markup

HOSTILE = [
    "<script>alert(1)</script>",
    "</p></li><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    "\x1b[31mred\x1b[0m \x07bell \x00 \x9b31m",
    "left \u202egnp.exe right",
    "{{ 7 * 7 }} {% raw %} {# comment #} {{{triple}}}",
    "| a | b |",
    "`code` ``more`` *bold* __under__ ~~struck~~",
    "[link](javascript:alert(1)) ![image](http://x.test/y.png) <http://x.test>",
    "http://x.test/ https://x.test and www.x.test",
    "# heading",
    "## heading",
    "- item",
    "+ item",
    "1. item",
    "12) item",
    "> quotation",
    "=== and ---",
    "--- rule",
    "line\n# another\n- and\r\nanother\u2028line",
    "<!-- end of answer lessons -->",
    "&lt;script&gt; &amp; &#60;b&#62;",
    "back\\slash \\` \\[ \\|",
    "$x^2$ and $$y$$",
    "a" * 100000,
    "<" * 10000,
]


class Page(html.parser.HTMLParser):
    """The tags of a piece of HTML, and its text."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _value in attrs]

    def handle_comment(self, data):
        self.tags.append(f"comment {data}")

    def handle_data(self, data):
        self.text += data


def said(text):
    """What a reader should see: one line, without what does something."""
    return _markup.shortened(_markup.one_line(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_in_html_it_is_nothing_but_text(text):
    page = Page(f'<p title="{_markup.in_html(text)}">{_markup.in_html(text)}</p>')
    assert (page.tags, page.attributes) == (["p"], ["title"])
    assert " ".join(page.text.split()) == " ".join(_markup.shortened(_markup.harmless(text)).split())
    for template in ("{{", "{%", "{#"):
        assert template not in _markup.in_html(text)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("where", ["| {0} |", "- **What:** {0}", "- {0}", "# {0}"])
def test_in_markdown_it_is_nothing_but_text(text, where):
    line = _markup.in_markdown(text)
    source = where.format(line)
    source = f"| a |\n| --- |\n{source}" if where.startswith("|") else source
    assert "\n" not in line
    page = Page(markdown_it.MarkdownIt("gfm-like", {"linkify": False}).render(source))
    plain = Page(markdown_it.MarkdownIt("gfm-like", {"linkify": False}).render(source.replace(line, "word")))
    assert page.tags == plain.tags
    assert " ".join(page.text.split()) == " ".join(plain.text.split()).replace("word", said(text))
    for template in ("{{", "{%", "{#", "<!--", "http:", "https:"):
        assert template not in line


def test_a_flood_is_cut_and_says_so():
    assert _markup.in_html("x" * 5000, 10) == "xxxxxxxxxx… (4990 characters more)"
    assert _markup.in_markdown("x" * 5000, 10) == "xxxxxxxxxx… (4990 characters more)"


def test_a_page_needs_nothing_from_elsewhere():
    page = Page(_markup.page_of("a <b>", "", ["<main></main>"]))
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert "a <b>" in page.text
