#!/usr/bin/env python3
# Builds the PDF and DOCX manuals from the .md sources beside it: build.py [NAME ...]
import sys
from multiprocessing import Process
from pathlib import Path

import docx_writer
import markup
import pdf_writer

HERE = Path(__file__).parent


def main(names):
    for source in sorted(HERE.glob("*.md")):
        if source.name == "README.md" or names and source.stem not in names:
            continue
        text = source.read_text(encoding="utf-8")
        for index in range(2 if "{{" in text else 1):
            meta, blocks = markup.parse(markup.variant_text(text, index))
            target = HERE.parent / meta["out"]
            writer = pdf_writer if target.suffix == ".pdf" else docx_writer
            # A process each, because reportlab's font names are global.
            job = Process(target=writer.write, args=(meta, blocks, str(target)))
            job.start()
            job.join()
            if job.exitcode:
                raise SystemExit("%s: failed" % target.name)
            print(target.name, target.stat().st_size)


if __name__ == "__main__":
    main(sys.argv[1:])
