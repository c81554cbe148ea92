#!/usr/bin/env python3
# Builds ../eval (BEIR layout) from the question sources and the manuals; writes nothing if a check fails.
import json
import re
import sys
from collections import Counter, defaultdict

import snowballstemmer

import units as unit_source

FILES = {"LW": "layerwright-lw300.md", "C4": "cairnstor-c4.md", "NR": "netlark-nr60.html",
         "PSU": "ohmstead-bp3205.txt", "P2": "aqualift-p200.pdf", "P3": "aqualift-p350.pdf",
         "S2": "solvara-s2.pdf", "OR": "onsae-or700-ko.pdf", "EB": "velmora-transit.docx",
         "AP": "malgeun-ap45-ko.docx", "RC": "bapddeul-rc10-ko.txt", "TM": "tagmill-tm4.html",
         "SM": "stitchwell-m7.md"}
MINIMUM = {"answerable": 160, "answerable ko": 45, "paraphrase": 25, "unanswerable": 34, "unanswerable ko": 8}
STOP = set("""a about after again all also always am an and another any anything are as at be because been before
being below but by can could did do does doing done down during each either else ever every everything few for from
further get gets getting give given go goes going had has have having he her here how i if in into is it its itself
just let like long many may me mean might more most much must my myself near need needs no not now of off often on
once one only or other our out over own per put same set she should so some someone still such take than that the
their them themselves then there these they this those through to too two under until up upon us use used using very
was way we well were what when where which while who why will with within without would you your""".split())
STOP_KO = set("수 것 등 때 더 잘 다 안 못 왜 및 또는 그 이 저 좀 할 하는 하나요 있나요 얼마나 어떻게 무엇을 무엇인가요 방법은 방법 "
              "있습니다 않습니다 하세요 주세요 합니다 됩니다 으로 에서".split())
stemmer = snowballstemmer.stemmer("english")
problems = []


def content_words(text, language):
    if language == "ko":  # no stemmer: the first two syllables stand for the word
        return {w[:2] for w in re.findall(r"[가-힣]+|[A-Za-z0-9.]+", text) if w not in STOP_KO and len(w) > 1}
    words = [w.strip("'").removesuffix("'s") for w in re.findall(r"[a-z0-9']+", text.lower().replace("’", "'"))]
    return {stemmer.stemWord(w) for w in words if w not in STOP and len(w) > 1}


def fold(text):
    return re.sub(r"\s+", " ", text).casefold()


def parse(path, language):
    questions = []
    for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
        lines = [l for l in block.strip().split("\n") if not l.startswith("#")]
        if not lines:
            continue
        kind, text = re.match(r"\[(.*?)\] (.*)", lines[0]).groups()
        field = {l[0]: l[2:] for l in lines[1:]}
        questions.append(dict(text=text, type=kind, language=language, answer=field[">"],
                              contains=[c.strip() for c in field["="].split(" ; ")],
                              gold=[g.strip() for g in field["@"].split(" ; ")]))
    return questions


def parse_unanswerable(path):
    lines = [l for l in path.read_text(encoding="utf-8").split("\n") if l and not l.startswith("#")]
    return [dict(text=l[3:], type="unanswerable", language=l[:2], answer="", contains=[], gold=[]) for l in lines]


class Resolver:
    """Finds the unit ids of a gold reference like `LW Changing the nozzle`."""

    def __init__(self, units, pieces):
        self.units, self.pieces = {u.id: u for u in units}, pieces

    def __call__(self, reference, contains):
        key, name = reference.split(" ", 1)
        file = FILES[key]
        if name.startswith("p="):
            found = [("%s#%s" % (file, name), None)]
        elif file in self.pieces:
            text = defaultdict(list)  # page label -> what the section prints there
            for label, heading, piece in self.pieces[file]:
                if heading == name:
                    text[label].append(piece)
            found = [("%s#p=%s" % (file, l), "\n".join(t)) for l, t in text.items()]
            hits = [[has(t, c) for c in contains] for _, t in found]
            if contains and any(map(any, hits)):
                best = max(map(sum, hits))
                found = [f for f, h in zip(found, hits) if sum(h) == best]
        else:
            found = [(i, None) for i in self.units if i.startswith(file + "#") and re.split(r" > |#", i)[-1] == name]
        if not found or any(i not in self.units for i, _ in found):
            problems.append("no unit for %r" % reference)
            return []
        if len(found) > 1 and file not in self.pieces:
            problems.append("%r is ambiguous" % reference)
        return [i for i, _ in found]


def has(text, contains):
    alternatives = [contains] if " | " in contains else contains.split("|")
    return any(fold(a) in fold(text) for a in alternatives)


def judge(question, resolve):
    """Adds `qrels` {unit id: grade}; records what is wrong with the question."""
    qrels = {}
    for reference in question["gold"]:
        grade = 1 if reference.startswith("-") else 2
        for unit in resolve(reference.lstrip("-"), question["contains"]):
            qrels[unit] = max(grade, qrels.get(unit, 0))
    question["qrels"] = qrels
    texts = [resolve.units[u].text for u in qrels]
    for c in question["contains"]:
        if not any(has(t, c) for t in texts):
            problems.append("%r: answer string %r is in no gold unit %s" % (question["text"], c, list(qrels)))
    if question["type"] == "paraphrase":
        for unit in qrels:
            path = resolve.units[unit].metadata.get("heading_path", "")
            common = content_words(question["text"], question["language"]) & content_words(
                path + "\n" + resolve.units[unit].text, question["language"])
            if common:
                problems.append("%r shares %s with %s" % (question["text"], sorted(common), unit))


def split(questions):
    """Every other question of each type and language goes to dev, so both splits have the same mix."""
    seen = Counter()
    for q in questions:
        key = q["type"], q["language"]
        q["split"] = ("dev", "test")[(seen[key] + (key[1] == "ko")) % 2]
        seen[key] += 1


def check_counts(questions):
    counts = Counter()
    for q in questions:
        group = "unanswerable" if q["type"] == "unanswerable" else "answerable"
        counts.update({group, group + " " + q["language"], q["type"]})
    for name, least in MINIMUM.items():
        if counts[name] < least:
            problems.append("%s: %d questions, want %d" % (name, counts[name], least))
    doubles = [t for t, n in Counter(fold(q["text"]) for q in questions).items() if n > 1]
    if doubles:
        problems.append("asked twice: %s" % doubles)
    return counts


def write(questions, units, out):
    dump = lambda rows: "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)
    (out / "qrels").mkdir(parents=True, exist_ok=True)
    (out / "corpus.jsonl").write_text(dump(dict(_id=u.id, title=u.title, text=u.text, metadata=u.metadata)
                                           for u in units), encoding="utf-8")
    rows = [dict(_id=q["id"], text=q["text"], metadata=dict(
        type=q["type"], language=q["language"], answer=q["answer"], answer_contains=q["contains"],
        split=q["split"])) for q in questions]
    (out / "queries.jsonl").write_text(dump(rows), encoding="utf-8")
    for name in ("dev", "test"):
        lines = ["query-id\tcorpus-id\tscore"]
        lines += ["%s\t%s\t%d" % (q["id"], u, g) for q in questions if q["split"] == name
                  for u, g in q["qrels"].items()]
        (out / "qrels" / (name + ".tsv")).write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    here = unit_source.HERE / "eval"
    units, pieces = unit_source.load()
    ids = Counter(u.id for u in units)
    problems.extend("unit id twice: %s" % i for i, n in ids.items() if n > 1)
    questions = (parse(here / "questions_en.txt", "en") + parse(here / "questions_ko.txt", "ko")
                 + parse_unanswerable(here / "questions_unanswerable.txt"))
    resolve = Resolver(units, pieces)
    for q in questions:
        judge(q, resolve)
    for n, q in enumerate(questions, 1):
        q["id"] = "q%03d" % n
    split(questions)
    counts = check_counts(questions)
    if problems:
        sys.exit("\n".join(problems))
    write(questions, units, unit_source.MANUALS / "eval")
    print(len(units), "units;", ", ".join("%s %d" % c for c in sorted(counts.items())))


if __name__ == "__main__":
    main()
