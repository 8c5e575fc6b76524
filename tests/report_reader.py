"""Reads an evaluation's page as its readers do."""

from collections import Counter
from html.parser import HTMLParser

VOID = {"img", "input", "link", "meta"}


class Page(HTMLParser):
    """What a reader gets: text, rows of tables as text, links, ids."""

    def __init__(self, path):
        super().__init__()
        self.text, self.links, self.ids, self.loads = "", [], [], []
        self.rows, self.open, self.tags = [], [], Counter()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.tags[tag] += 1
        self.ids += [told["id"]] if "id" in told else []
        self.links += [told["href"]] if tag == "a" else []
        self.loads += [told[name] for name in ("src", "srcset") if name in told]
        self.rows += [[]] if tag == "tr" else []
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self.open += [] if tag in VOID else [tag]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        words = " ".join(data.split())
        if words and self.open[-1] not in ("style", "script"):
            self.text += words + " "
            if self.open[-1] in ("td", "th"):
                self.rows[-1][-1] = words
