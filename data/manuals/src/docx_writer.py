# Writes blocks of markup.py as a DOCX with Word's own styles: Title, Heading 1-3, lists, tables.
import re
import zipfile
from datetime import datetime

from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt


def add_inline(paragraph, text):
    text = re.sub(r"\{p:(.*?)\}", "“\\1”", text)
    for part in re.split(r"(\*\*.*?\*\*|`.*?`)", text):
        run = paragraph.add_run(part.strip("*`") if part[:1] in "*`" else part)
        run.bold = part.startswith("**") or None
        if part.startswith("`"):
            run.font.name = "Courier New"


def restart_numbering(document, paragraph):
    """Gives the list this paragraph starts a number sequence of its own; returns its id."""
    numbering = document.part.numbering_part.element
    style_num = document.styles["List Number"].element.pPr.numPr.numId.val
    abstract = numbering.num_having_numId(style_num).abstractNumId.val
    num = numbering.add_num(abstract)
    num.add_lvlOverride(ilvl=0).add_startOverride(1)
    return num.numId


def number(paragraph, num_id):
    properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
    properties.get_or_add_ilvl().val = 0
    properties.get_or_add_numId().val = num_id


def add_table(document, block):
    if block.caption:
        document.add_paragraph(block.caption, style="Caption")
    table = document.add_table(len(block.items), len(block.items[0]), style="Table Grid")
    for r, row in enumerate(block.items):
        for c, text in enumerate(row):
            add_inline(table.cell(r, c).paragraphs[0], "**%s**" % text if r == 0 else text)
    repeat = OxmlElement("w:tblHeader")
    repeat.set(qn("w:val"), "true")
    table.rows[0]._tr.get_or_add_trPr().append(repeat)
    document.add_paragraph()


def add_page_number(paragraph):
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        run = paragraph.add_run()
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = text
        run._r.append(element)


def write(meta, blocks, target):
    document = Document()
    properties = document.core_properties
    properties.title, properties.author, properties.language = meta["title"], meta["maker"], meta["language"]
    properties.created = properties.modified = datetime(2025, 1, 1)
    properties.comments = ""
    font = document.styles["Normal"].font
    font.size = Pt(10.5)
    if meta["language"] == "ko":
        document.styles["Normal"].element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "NanumGothic")
    section = document.sections[0]
    section.left_margin = section.right_margin = Cm(2.2)
    section.header.paragraphs[0].text = meta["running"]
    add_page_number(section.footer.paragraphs[0])
    document.add_paragraph(meta["title"], style="Title")
    document.add_paragraph(meta["subtitle"], style="Subtitle")
    for block in blocks:
        if block.kind == "heading":
            document.add_heading(block.text, block.level)
        elif block.kind == "para":
            add_inline(document.add_paragraph(), block.text)
        elif block.kind == "note":
            add_inline(document.add_paragraph(style="Intense Quote"), block.text)
        elif block.kind == "table":
            add_table(document, block)
        elif block.kind == "list":
            num_id = None
            for item in block.items:
                p = document.add_paragraph(style="List Number" if block.ordered else "List Bullet")
                add_inline(p, item)
                if block.ordered:
                    num_id = num_id or restart_numbering(document, p)
                    number(p, num_id)
    document.save(target)
    make_reproducible(target)


def make_reproducible(path):
    """Rewrites the zip with fixed times and without the template's thumbnail picture."""
    with zipfile.ZipFile(path) as z:
        parts = {n: z.read(n) for n in z.namelist() if "thumbnail" not in n}
    parts["_rels/.rels"] = re.sub(rb'<Relationship [^>]*thumbnail[^>]*/>', b"", parts["_rels/.rels"])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in parts.items():
            z.writestr(zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
