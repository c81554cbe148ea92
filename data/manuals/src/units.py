# Cuts the manuals into the units of the question set: pages of paged files, sections of the others.
"""A unit is (id, title, text, metadata). PDF pages are taken from typesetting the sources again, so
that their text is exactly what was printed on the page, in reading order, without running heads."""
import io
import re
from collections import namedtuple
from multiprocessing import Pool
from pathlib import Path

from bs4 import BeautifulSoup, Comment
from docx import Document
from docx.table import Table
from docx.text.paragraph import Paragraph

import markup
import pdf_writer

HERE = Path(__file__).parent
MANUALS = HERE.parent
Unit = namedtuple("Unit", "id title text metadata")


def clean(text):
    return re.sub(r"\n{2,}", "\n", re.sub(r"[ \t\xa0]+", " ", text)).strip()


def section_units(name, language, title, sections):
    """sections: [(level, heading, text)], level 0 for the text before the first heading."""
    units, path = [], {}
    for level, heading, text in sections:
        path = {l: h for l, h in path.items() if l < level}
        if level:
            path[level] = heading
        joined = " > ".join(h for _, h in sorted(path.items()))
        if clean(text):
            full = title + (" - " + heading if level else "")
            units.append(Unit("%s#%s" % (name, joined), full, clean(text),
                              dict(file=name, language=language, heading_path=joined)))
    return units


def markdown_units(path):
    title, sections, code = "", [[0, "", ""]], False
    for line in path.read_text(encoding="utf-8").split("\n"):
        code ^= line.startswith("```")
        m = None if code else re.match(r"(#+) (.*)", line)
        if m and len(m.group(1)) == 1:
            title = m.group(2)
        elif m:
            sections.append([len(m.group(1)) - 1, m.group(2), ""])
        elif not re.match(r"\|[-|]+\|$|```", line):
            line = re.sub(r"\[(.*?)\]\(#.*?\)", r"\1", line)
            line = re.sub(r"[*`]", "", line).lstrip("> ")
            sections[-1][2] += re.sub(r"\s*\|\s*", " | ", line).strip(" |") + "\n"
    return section_units(path.name, "en", title, sections)


def html_units(path):
    soup = BeautifulSoup(path.read_bytes(), "html.parser")
    for node in soup(["script", "style", "nav", "header", "footer", "title"]):
        node.decompose()
    for node in soup.find_all(style=re.compile("display:none")):
        node.decompose()
    for node in soup.find_all(string=lambda s: isinstance(s, Comment)):
        node.extract()
    for row in soup("tr"):
        row.replace_with(" | ".join(c.get_text() for c in row(["td", "th"])) + "\n")
    for number, item in ((n, i) for l in soup("ol") for n, i in enumerate(l("li"), 1)):
        item.insert(0, "%d. " % number)
    title, sections = "", [[0, "", ""]]
    for node in soup.body.descendants:
        if node.name == "h1":
            title = node.get_text()
        elif node.name in ("h2", "h3"):
            sections.append([int(node.name[1]) - 1, node.get_text(), ""])
        elif isinstance(node, str) and not node.find_parent(["h1", "h2", "h3"]):
            sections[-1][2] += node
    return section_units(path.name, "en", title, sections)


def docx_units(path, language):
    title, sections, number = "", [[0, "", ""]], 0
    for node in Document(str(path)).element.body.iterchildren():
        if node.tag.endswith("}tbl"):
            for row in Table(node, None).rows:
                sections[-1][2] += " | ".join(c.text for c in row.cells) + "\n"
        elif node.tag.endswith("}p"):
            style = (node.pPr.pStyle.val if node.pPr is not None and node.pPr.pStyle is not None else "")
            text = Paragraph(node, None).text
            number = number + 1 if style == "ListNumber" else 0
            if style == "Title":
                title = text
            elif m := re.match(r"Heading(\d)", style):
                sections.append([int(m.group(1)), text, ""])
            else:
                sections[-1][2] += ("%d. " % number if number else "") + text + "\n"
    return section_units(path.name, language, title, sections)


def text_units(path):
    """Korean text in CP949 with underlined headings."""
    lines = path.read_bytes().decode("cp949").split("\r\n")
    title, sections = lines[1], [[0, "", ""]]
    for n, line in enumerate(lines[3:], 3):
        under = lines[n + 1][:2] if n + 1 < len(lines) else ""
        if under in ("--", "~~") and line and not line.startswith(" "):
            sections.append([1 if under == "--" else 2, line, ""])
        elif not re.match(r"\s*(--|~~|==)", line):
            sections[-1][2] += re.sub(r"(?<=\S)\s{2,}", " | ", line) + "\n"
    return section_units(path.name, "ko", title, sections)


def form_feed_units(path):
    units = []
    for n, page in enumerate(path.read_text(encoding="utf-8").split("\f"), 1):
        lines = [l for l in page.split("\n") if not re.match(r"\s*- \d+ -$|Ohmstead BP-3205\s{5}", l)]
        text = clean("\n".join(re.sub(r"(?<=\S)\s{2,}", " | ", l) if l.startswith("  ") else l
                               for l in lines if not re.match(r"\s*---", l)))
        units.append(Unit("%s#p=%d" % (path.name, n), "Ohmstead BP-3205 Laboratory Power Supply", text,
                          dict(file=path.name, language="en", page=str(n))))
    return units


def typeset(meta, blocks):
    """[(label, heading, text)] of a PDF manual, with the hyphens of line ends taken out again."""
    words = set(re.findall(r"\w+(?:-\w+)+", " ".join(b.text + str(b.items) for b in blocks)))
    join = lambda m: m.group(0) if m.group(0) in words else m.group(0).replace("-", "")
    pieces = pdf_writer.write(meta, blocks, io.BytesIO())
    return [(l, h, re.sub(r"\w+(?:-\w+)+", join, t)) for l, h, t in pieces]


def pdf_units(meta, blocks, pieces):
    pages, name = {}, meta["out"]
    for label, _, text in pieces:
        pages.setdefault(label, []).append(text)
    return [Unit("%s#p=%s" % (name, label), meta["title"], clean("\n".join(texts)),
                 dict(file=name, language=meta["language"], page=label)) for label, texts in pages.items()]


def sources():
    """(meta, blocks) of each manual written in our markup."""
    for source in sorted(HERE.glob("*.md")):
        if source.name != "README.md":
            text = source.read_text(encoding="utf-8")
            for index in range(2 if "{{" in text else 1):
                yield markup.parse(markup.variant_text(text, index))


def load():
    """Returns (units in file order, {pdf name: pieces})."""
    pdf = [(m, b) for m, b in sources() if m["out"].endswith(".pdf")]
    units, pieces = [], {}
    with Pool(1, maxtasksperchild=1) as pool:  # a process per file: reportlab's font names are global
        for (meta, blocks), result in zip(pdf, pool.starmap(typeset, pdf, chunksize=1)):
            pieces[meta["out"]] = result
            units += pdf_units(meta, blocks, result)
    for meta, _ in sources():
        if meta["out"].endswith(".docx"):
            units += docx_units(MANUALS / meta["out"], meta["language"])
    for path in MANUALS.iterdir():
        if path.suffix == ".md" and path.name != "README.md":
            units += markdown_units(path)
        elif path.suffix == ".html":
            units += html_units(path)
        elif path.name == "ohmstead-bp3205.txt":
            units += form_feed_units(path)
        elif path.suffix == ".txt":
            units += text_units(path)
    return sorted(units, key=lambda u: u.metadata["file"]), pieces
