# The line drawings of the PDF manuals; plain shapes with numbered callouts.
from reportlab.graphics.shapes import Circle, Drawing, Group, Line, Rect, String


def _callout(x, y, tx, ty, number):
    return [Line(x, y, tx, ty, strokeWidth=0.5), Circle(tx, ty, 7, fillColor=None, strokeWidth=0.6),
            String(tx, ty - 3, str(number), fontName="Body", fontSize=8, textAnchor="middle")]


def pump():
    d = Drawing(360, 150)
    shapes = [Rect(60, 40, 90, 60, fillColor=None), Rect(150, 30, 130, 80, rx=8, fillColor=None),
              Rect(30, 60, 30, 20, fillColor=None), Rect(95, 100, 20, 25, fillColor=None),
              Rect(180, 110, 70, 20, fillColor=None), Rect(50, 30, 240, 8, fillColor=None)]
    for c in ((38, 70, 15, 110, 1), (105, 120, 60, 138, 2), (120, 60, 130, 15, 3), (215, 120, 300, 138, 4),
              (270, 60, 325, 60, 5), (60, 34, 20, 20, 6)):
        shapes += _callout(*c)
    d.add(Group(*shapes))
    return d


def espresso():
    d = Drawing(360, 170)
    shapes = [Rect(100, 20, 150, 110, rx=6, fillColor=None), Rect(110, 130, 130, 18, fillColor=None),
              Rect(95, 14, 160, 14, fillColor=None), Circle(140, 112, 9, fillColor=None),
              Rect(150, 74, 50, 10, fillColor=None), Line(200, 79, 235, 79), Line(246, 100, 262, 50)]
    for c in ((175, 140, 175, 162, 1), (140, 112, 70, 140, 2), (170, 78, 60, 90, 3), (258, 60, 310, 70, 4),
              (120, 20, 60, 18, 5)):
        shapes += _callout(*c)
    d.add(Group(*shapes))
    return d


def robot():
    d = Drawing(360, 150)
    shapes = [Circle(120, 75, 60, fillColor=None), Circle(120, 90, 18, fillColor=None),
              Rect(110, 42, 20, 8, rx=3, fillColor=None), Rect(240, 20, 60, 90, fillColor=None)]
    for c in ((120, 90, 30, 120, 1), (120, 46, 25, 30, 2), (175, 75, 205, 130, 3), (270, 60, 330, 90, 4)):
        shapes += _callout(*c)
    d.add(Group(*shapes))
    return d


def draw(name):
    return {"pump": pump, "espresso": espresso, "robot": robot}[name]()
