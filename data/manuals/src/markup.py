# The small markup the PDF and DOCX manuals are written in, parsed into blocks.
"""A source file is `key: value` lines, a line `---`, and blocks separated by blank lines:

  # / ## / ###         headings
  1. text              numbered list, "- " bullets; continuation lines are indented
  | a | b |            table, the row after the header is |---|---|; an optional line "^ caption" before it
  > **Warning** text   boxed note
  ::: front|body|columns|onecolumn|newpage     page layout (PDF only)
  ::: scan ... :::     a page that is only a picture of its text (PDF only)
  ::: figure NAME | caption

Inline: **bold**, `code`, {p:Heading} = the page label the heading is on (PDF) or its name (DOCX),
{{one||two}} = the text of the first or second variant (two models from one source).
"""
import re
from dataclasses import dataclass, field


@dataclass
class Block:
    kind: str  # heading para list table note layout scan figure
    text: str = ""
    level: int = 0
    ordered: bool = False
    items: list = field(default_factory=list)  # list items, or table rows
    caption: str = ""


def variant_text(text, index):
    """Picks one side of every {{one||two}}; a line that becomes empty by it disappears."""
    if index == 0:
        text = re.sub(r"^\{\{\|\|[^{}]*\}\}\n", "", text, flags=re.M)
    return re.sub(r"\{\{(.*?)\|\|(.*?)\}\}", lambda m: m.group(1 + index), text, flags=re.S)


def parse(text):
    """Returns (front matter dict, blocks)."""
    head, body = text.split("\n---\n", 1)
    meta = dict(re.split(r":\s*", line, maxsplit=1) for line in head.splitlines() if line.strip())
    blocks, lines, i = [], body.split("\n"), 0
    while i < len(lines):
        line = lines[i]
        if not line.strip():
            i += 1
        elif line.startswith("::: scan"):
            end = next(k for k in range(i + 1, len(lines)) if lines[k].strip() == ":::")
            blocks.append(Block("scan", "\n".join(lines[i + 1:end])))
            i = end + 1
        elif line.startswith("::: figure"):
            name, caption = line[10:].split("|", 1)
            blocks.append(Block("figure", name.strip(), caption=caption.strip()))
            i += 1
        elif line.startswith(":::"):
            blocks.append(Block("layout", line[3:].strip()))
            i += 1
        elif m := re.match(r"(#+) (.*)", line):
            blocks.append(Block("heading", m.group(2).strip(), len(m.group(1))))
            i += 1
        else:
            start = i
            while i < len(lines) and lines[i].strip() and not lines[i].startswith((":::", "# ", "## ", "### ")):
                i += 1
            blocks.append(_block(lines[start:i]))
    return meta, blocks


def _block(lines):
    caption = ""
    if lines[0].startswith("^ "):
        caption, lines = lines[0][2:], lines[1:]
    if lines[0].startswith("|"):
        rows = [[c.strip() for c in l.strip().strip("|").split("|")] for l in lines]
        return Block("table", items=[rows[0]] + rows[2:], caption=caption)
    if lines[0].startswith("> "):
        return Block("note", " ".join(l.lstrip("> ") for l in lines))
    if re.match(r"(\d+\.|-) ", lines[0]):
        items = []
        for l in lines:
            if m := re.match(r"(\d+\.|-) (.*)", l):
                items.append(m.group(2))
            else:
                items[-1] += " " + l.strip()
        return Block("list", ordered=lines[0][0].isdigit(), items=items)
    return Block("para", " ".join(l.strip() for l in lines))
