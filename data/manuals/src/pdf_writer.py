# Sets blocks of markup.py as a PDF: cover, contents, page labels, outline, running heads, columns.
import io
import re
from xml.sax.saxutils import escape

from PIL import Image as PilImage, ImageDraw, ImageFont
from reportlab.lib import colors
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A4, A5
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (BaseDocTemplate, CondPageBreak, Flowable, Frame, Image, KeepTogether,
                                LongTable, NextPageTemplate, PageBreak, PageTemplate, Paragraph, Spacer,
                                Table, TableStyle)

import figures

FONTS = {  # files by name, looked up where Debian's fonts-liberation and fonts-nanum put them
    "en": ("/usr/share/fonts/truetype/liberation/LiberationSans-%s.ttf", "Regular", "Bold"),
    "ko": ("/usr/share/fonts/truetype/nanum/NanumGothic%s.ttf", "", "Bold"),
}
CONTENTS = {"en": "Contents", "ko": "차례"}
PAPER = {"a4": A4, "a5": A5}


def font_file(language, bold=False):
    pattern, regular, heavy = FONTS[language]
    return pattern % (heavy if bold else regular)


class TocLine(Flowable):
    """Heading, dots, page label."""

    def __init__(self, level, text, label, size):
        super().__init__()
        self.level, self.text, self.label, self.size = level, text, label, size

    def wrap(self, width, _):
        self.width, self.height = width, self.size * (1.7 if self.level == 1 else 1.25)
        return width, self.height

    def draw(self):
        font = "Body-Bold" if self.level == 1 else "Body"
        c, x = self.canv, (self.level - 1) * 6 * mm
        c.setFont(font, self.size)
        c.drawString(x, 0, self.text)
        right = self.width - pdfmetrics.stringWidth(self.label, font, self.size)
        c.drawString(right, 0, self.label)
        left = x + pdfmetrics.stringWidth(self.text, font, self.size) + 4
        dots = int((right - 4 - left) / pdfmetrics.stringWidth(".", "Body", self.size))
        c.setFont("Body", self.size)
        c.drawRightString(right - 4, 0, "." * max(dots, 0))


class Anchor(Flowable):
    """Marks where a heading is; reports its page to the document."""

    def __init__(self, block, key):
        super().__init__()
        self.block, self.key = block, key

    def wrap(self, *_):
        return 0, 0

    def draw(self):
        doc, level = self.canv._doctemplate, self.block.level
        self.canv.bookmarkPage(self.key)
        self.canv.addOutlineEntry(self.block.text, self.key, level - 1, closed=level > 1)
        doc.found.append((level, self.block.text, doc.label()))
        if level == 1:
            doc.chapter = self.block.text


class Manual(BaseDocTemplate):
    def __init__(self, target, meta, columns_gap=7 * mm):
        self.meta, self.chapter, self.found, self.first_body = meta, "", [], None
        self.pieces = []  # (page label, heading, text) in reading order, for the questions' corpus
        super().__init__(target, pagesize=PAPER[meta.get("paper", "a4")], title=meta["title"],
                         author=meta["maker"], subject=meta["document"], invariant=1, lang=meta["language"])
        w, h = self.pagesize
        side, top, bottom = 20 * mm, 24 * mm, 22 * mm
        box = (side, bottom, w - 2 * side, h - top - bottom)
        half = (box[2] - columns_gap) / 2
        plain = dict(leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
        one = Frame(*box, **plain)
        two = [Frame(side + i * (half + columns_gap), bottom, half, box[3], **plain) for i in (0, 1)]
        self.addPageTemplates([
            PageTemplate("cover", [Frame(*box, **plain)]),
            PageTemplate("front", [Frame(*box, **plain)], onPageEnd=self.running),
            PageTemplate("body", [one], onPage=self.mark_body, onPageEnd=self.running),
            PageTemplate("columns", two, onPageEnd=self.running),
            PageTemplate("scan", [Frame(0, 0, w, h, **plain)]),
        ])

    def mark_body(self, *_):
        if self.first_body is None:
            self.first_body = self.page

    def label(self):
        if self.first_body is None:
            return ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"][self.page - 1]
        return str(self.page - self.first_body + 1)

    def running(self, canvas, _):
        w, h = self.pagesize
        canvas.saveState()
        canvas.setFont("Body", 8)
        canvas.drawString(20 * mm, h - 15 * mm, self.meta["running"])
        canvas.drawRightString(w - 20 * mm, h - 15 * mm, self.chapter)
        canvas.line(20 * mm, h - 17 * mm, w - 20 * mm, h - 17 * mm)
        canvas.drawString(20 * mm, 12 * mm, self.meta["document"])
        canvas.drawRightString(w - 20 * mm, 12 * mm, self.label())
        canvas.restoreState()

    def afterFlowable(self, flowable):
        if text := plain_text(flowable):
            heading = self.found[-1][1] if self.found else ""
            self.pieces.append((self.label(), heading, text))

    def afterPage(self):
        if self.first_body == self.page:
            self.canv.addPageLabel(self.page - 1, "ARABIC", 1)


def plain_text(flowable):
    """Text of a flowable as it was drawn (a part, if it was split over pages)."""
    if isinstance(flowable, Paragraph):
        bullet = flowable.bulletText + " " if flowable.bulletText else ""
        return bullet + flowable.getPlainText(identify=True).strip()
    if isinstance(flowable, Table):
        return "\n".join(" | ".join(plain_text(c) for c in row) for row in flowable._cellvalues)
    if isinstance(flowable, (list, tuple)):
        return " ".join(filter(None, map(plain_text, flowable)))
    if isinstance(flowable, KeepTogether):
        return "\n".join(filter(None, map(plain_text, flowable._content)))
    return ""


def styles(meta):
    ko = meta["language"] == "ko"
    size = float(meta.get("size", 10))
    hyphens = {} if ko else dict(hyphenationLang="en_GB", embeddedHyphenation=1)
    body = ParagraphStyle("body", fontName="Body", fontSize=size, leading=size * (1.6 if ko else 1.35),
                          alignment=TA_JUSTIFY, spaceAfter=size * 0.6, **hyphens)
    cell = ParagraphStyle("cell", fontName="Body", fontSize=size - 1, leading=(size - 1) * 1.3)
    head = {n: ParagraphStyle("h%d" % n, fontName="Body-Bold", fontSize=s, leading=s * 1.25,
                              spaceBefore=s * b, spaceAfter=s * 0.4, keepWithNext=1)
            for n, s, b in ((1, 18, 0.2), (2, 13, 0.9), (3, 11, 0.8))}
    return dict(body=body, cell=cell, head=head,
                item=ParagraphStyle("item", body, spaceAfter=2, leftIndent=16, bulletFontName="Body", bulletFontSize=size),
                cell_head=ParagraphStyle("cell_head", cell, fontName="Body-Bold"),
                caption=ParagraphStyle("caption", cell, fontName="Body-Bold", spaceBefore=4, spaceAfter=3))


def inline(text, labels):
    text = escape(text)
    text = re.sub(r"\{p:(.*?)\}", lambda m: labels.get(m.group(1), "0"), text)
    text = re.sub(r"\*\*(.*?)\*\*", r"<b>\1</b>", text)
    return re.sub(r"`(.*?)`", r'<font face="Mono">\1</font>', text)


def column_widths(rows, width, size):
    """Shares the width by content, but never less than a column's longest word."""
    least = [max(pdfmetrics.stringWidth(w, "Body-Bold", size) for c in col for w in c.split() or [""]) + 13
             for col in zip(*rows)]
    want = [min(max(len(c) for c in col), 46) for col in zip(*rows)]
    spare = max(width - sum(least), 0)
    return [l + spare * w / sum(want) for l, w in zip(least, want)]


def table(block, st, width, labels):
    rows = [[Paragraph(inline(c, labels), st["cell_head"] if r == 0 else st["cell"]) for c in row]
            for r, row in enumerate(block.items)]
    flow = LongTable(rows, colWidths=column_widths(block.items, width, st["cell"].fontSize), repeatRows=1)
    flow.setStyle(TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.black),
                              ("BACKGROUND", (0, 0), (-1, 0), colors.Color(.88, .88, .88)),
                              ("VALIGN", (0, 0), (-1, -1), "TOP"),
                              ("TOPPADDING", (0, 0), (-1, -1), 2), ("BOTTOMPADDING", (0, 0), (-1, -1), 3)]))
    parts = [Paragraph(inline(block.caption, labels), st["caption"])] if block.caption else []
    return parts + [flow, Spacer(1, 8)]


def scan_page(text, language, pagesize):
    """A page as a crooked photocopy: grey, rotated by a degree, no text layer."""
    w, h = 827, 1169
    page = PilImage.new("L", (w, h), 246)
    draw, y = ImageDraw.Draw(page), 110
    for line in text.split("\n"):
        big = line.startswith("# ")
        font = ImageFont.truetype(font_file(language, big), 30 if big else 19)
        draw.text((95, y), line.lstrip("# "), font=font, fill=40)
        y += 52 if big else 30
    page = page.rotate(1.3, fillcolor=225, resample=PilImage.BICUBIC).quantize(8)
    data = io.BytesIO()
    page.save(data, "PNG", optimize=True)
    data.seek(0)
    return Image(data, pagesize[0], pagesize[1] - 1)


def room(blocks):
    """Space a heading needs so that it is not left behind by what it announces."""
    kinds = [b.kind for b in blocks]
    headings = next((i for i, k in enumerate(kinds) if k != "heading"), 0)
    return (headings * 13 + {"table": 32, "figure": 75}.get(kinds[headings], 15)) * mm


def story(meta, blocks, labels, toc, doc):
    st, out, width, front = styles(meta), [], doc.pagesize[0] - 40 * mm, True
    big = ParagraphStyle("cover", fontName="Body-Bold", fontSize=26, leading=34)
    sub = ParagraphStyle("sub", fontName="Body", fontSize=14, leading=22)
    high = doc.pagesize[1]
    out += [Spacer(1, 0.2 * high), Paragraph(meta["cover"], big), Spacer(1, 6 * mm), Paragraph(meta["subtitle"], sub),
            Spacer(1, 0.25 * high), Paragraph(meta["maker"] + "<br/>" + meta["document"], st["body"]),
            NextPageTemplate("front"), PageBreak(),
            Paragraph(CONTENTS[meta["language"]], st["head"][1])]
    out += [TocLine(l, t, p, st["body"].fontSize) for l, t, p in toc if l <= 2]
    columns = False
    for n, block in enumerate(blocks):
        if block.kind == "heading":
            out.append(CondPageBreak(room(blocks[n:])))
            out.append(KeepTogether([Anchor(block, "h%d" % n), Paragraph(escape(block.text), st["head"][block.level])]))
        elif block.kind == "para":
            out.append(Paragraph(inline(block.text, labels), st["body"]))
        elif block.kind == "list":
            for i, item in enumerate(block.items, 1):
                out.append(Paragraph(inline(item, labels), st["item"], bulletText="%d." % i if block.ordered else "•"))
            out.append(Spacer(1, 5))
        elif block.kind == "note":
            box = Table([[Paragraph(inline(block.text, labels), st["cell"])]],
                        colWidths=[(width - 7 * mm) / 2 if columns else width])
            box.setStyle(TableStyle([("BOX", (0, 0), (-1, -1), 1.2, colors.black)]))
            out += [box, Spacer(1, 8)]
        elif block.kind == "table":
            out += table(block, st, (width - 7 * mm) / 2 if columns else width, labels)
        elif block.kind == "figure":
            out.append(KeepTogether([figures.draw(block.text), Paragraph(escape(block.caption), st["caption"])]))
        elif block.kind == "scan":
            out += [NextPageTemplate("scan"), PageBreak(), scan_page(block.text, meta["language"], doc.pagesize),
                    NextPageTemplate("body"), PageBreak()]
        elif block.text == "newpage":
            out.append(PageBreak())
        else:
            columns = block.text == "columns"
            name = {"front": "front", "columns": "columns"}.get(block.text, "body")
            out += [NextPageTemplate(name), PageBreak()]
    return out


def write(meta, blocks, target):
    for name, heavy in (("Body", False), ("Body-Bold", True)):
        pdfmetrics.registerFont(TTFont(name, font_file(meta["language"], heavy)))
    pdfmetrics.registerFont(TTFont("Mono", "/usr/share/fonts/truetype/liberation/LiberationMono-Regular.ttf"
                                   if meta["language"] == "en" else font_file("ko")))
    pdfmetrics.registerFontFamily("Body", normal="Body", bold="Body-Bold", italic="Body", boldItalic="Body-Bold")
    toc, labels = [(b.level, b.text, "0") for b in blocks if b.kind == "heading"], {}
    for _ in range(6):  # until the page numbers in contents and references no longer move
        doc = Manual(target, meta)
        doc.build(story(meta, blocks, labels, toc, doc), canvasmaker=labelled_canvas)
        if doc.found == toc:
            break
        toc, labels = doc.found, {t: p for _, t, p in doc.found}
    missing = {m for b in blocks for s in [b.text, *map(str, b.items)]
               for m in re.findall(r"\{p:(.*?)\}", s)} - set(labels)
    if missing:
        raise SystemExit("%s: no such heading: %s" % (target, missing))
    return doc.pieces


def labelled_canvas(*args, **kwargs):
    from reportlab.pdfgen.canvas import Canvas
    canvas = Canvas(*args, **kwargs)
    canvas.addPageLabel(0, "ROMAN_LOWER", 1)
    canvas.showOutline()
    return canvas
