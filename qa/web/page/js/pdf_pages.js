// The pages of one PDF, drawn by pdf.js as they come into view: picture, text layer, highlights.
import {h} from './dom.js';
import {findQuote} from './fold.js';
import {loadPdf, startPdfWorker} from './vendor.js';
import {t} from './strings.js';

const kMaxCanvasPixels = 16e6;  // larger ones are refused or blank on phones

/// Gives pdf.js the character maps it names; only maps it knows itself are ever asked for.
class CharacterMaps {
  async fetch({name}) {
    const response = await fetch(`/vendor/cmaps/${encodeURIComponent(name)}.cmap`);
    if (!response.ok) throw new Error(`no character map ${name}`);
    return {cMapData: new Uint8Array(await response.arrayBuffer()), compressionType: 0};
  }
}

export class PdfPages {
  #container;
  #pdf = null;
  #task = null;
  #worker = null;
  #pages = [];
  #observer;
  #closed = false;
  #zoom = 1;
  #target = null;  // {page, quote, done}
  #onPage;
  #onFound;

  /// onPage(n): page n is the one being looked at. onFound(boolean): whether the quote was found.
  constructor(container, {onPage, onFound}) {
    this.#container = container;
    this.#onPage = onPage;
    this.#onFound = onFound;
  }

  /// Opens a document. Returns its number of pages; throws when it cannot be read.
  async open(bytes) {
    const pdfjs = await loadPdf();
    if (!pdfjs) throw new Error(t('reader.noPdf'));
    pdfjs.GlobalWorkerOptions.workerPort = null;
    this.#worker = new pdfjs.PDFWorker({port: startPdfWorker()});
    this.#task = pdfjs.getDocument({data: bytes, worker: this.#worker, isEvalSupported: false, enableXfa: false,
      standardFontDataUrl: '/vendor/fonts/', useWorkerFetch: false, CMapReaderFactory: CharacterMaps, maxImageSize: 64e6, verbosity: 0});
    this.#pdf = await this.#task.promise;
    await this.#layOut();
    return this.#pdf.numPages;
  }

  close() {
    this.#closed = true;
    this.#observer?.disconnect();
    this.#task?.destroy();
    this.#worker?.port?.terminate();
    this.#pages = [];
  }

  get numPages() {
    return this.#pages.length;
  }

  async #layOut() {
    this.#observer?.disconnect();
    const first = await this.#pdf.getPage(1);
    if (this.#closed) return;
    const natural = first.getViewport({scale: 1});
    // Whole pixels: a picture of another size than its frame is blurred.
    const width = Math.floor(Math.max(200, this.#container.clientWidth - 32) * this.#zoom);
    this.#pages = Array.from({length: this.#pdf.numPages}, (_, i) => {
      const node = h('div', {class: 'pdf-page', data: {page: i + 1}, role: 'group', 'aria-label': t('page.plain', {n: i + 1})});
      node.style.inlineSize = `${width}px`;
      node.style.blockSize = `${width * natural.height / natural.width}px`;
      return {node, number: i + 1, width, drawn: null, found: false};
    });
    this.#container.replaceChildren(...this.#pages.map((page) => page.node));
    this.#observer = new IntersectionObserver((entries) => this.#see(entries),
      {root: this.#container, rootMargin: '60% 0px', threshold: 0});
    for (const page of this.#pages) this.#observer.observe(page.node);
    this.#container.onscroll = () => this.#tellPage();
  }

  #see(entries) {
    for (const entry of entries) {
      const page = this.#pages[Number(entry.target.dataset.page) - 1];
      if (!page) continue;
      if (entry.isIntersecting) this.#draw(page);
      else if (page.drawn && this.#target?.page !== page.number) {
        page.drawn = null;  // far away: its picture is given back
        page.node.replaceChildren();
      }
    }
  }

  #tellPage() {
    const middle = this.#container.scrollTop + this.#container.clientHeight / 3;
    const current = this.#pages.findLast((page) => page.node.offsetTop <= middle) || this.#pages[0];
    if (current) this.#onPage(current.number);
  }

  #draw(page) {
    page.drawn ??= this.#drawNow(page).catch((error) => {
      page.node.replaceChildren(h('p', {class: 'notice bad', text: t('reader.pageFailed', {reason: error.message})}));
    });
    return page.drawn;
  }

  async #drawNow(page) {
    const pdfjs = await loadPdf();
    const source = await this.#pdf.getPage(page.number);
    const scale = page.width / source.getViewport({scale: 1}).width;
    const viewport = source.getViewport({scale});
    page.node.style.blockSize = `${Math.floor(viewport.height)}px`;
    const density = Math.min(globalThis.devicePixelRatio || 1, Math.sqrt(kMaxCanvasPixels / (viewport.width * viewport.height)));
    const canvas = h('canvas', {width: Math.floor(viewport.width * density), height: Math.floor(viewport.height * density), 'aria-hidden': 'true'});
    const layer = h('div', {class: 'text-layer'});
    const marks = h('div', {class: 'marks', 'aria-hidden': 'true'});
    page.node.replaceChildren(canvas, marks, layer);
    const content = await source.getTextContent();
    const drawing = source.render({canvasContext: canvas.getContext('2d', {alpha: false}), viewport,
      transform: density === 1 ? null : [density, 0, 0, density, 0, 0]}).promise;
    const divs = [];
    await pdfjs.renderTextLayer({textContent: content, container: layer, viewport, textDivs: divs}).promise;
    page.divs = divs;
    this.#mark(page, marks);
    await drawing;
  }

  /// Puts boxes over the words of the quote on this page.
  #mark(page, marks) {
    marks.replaceChildren();
    page.found = false;
    const target = this.#target;
    if (!target?.quote || page.number < target.page || page.number > target.page + 1) return;
    let text = '';
    const starts = page.divs.map((div) => {
      const start = text.length;
      text += `${div.textContent}\n`;
      return start;
    });
    // A quote that goes on over the page break: its beginning is looked for here, its end there.
    const ranges = findQuote(text, target.quote);
    if (page.number > target.page && target.whole) return;
    const origin = page.node.getBoundingClientRect();
    for (const {begin, end} of ranges) {
      page.divs.forEach((div, i) => {
        const node = div.firstChild;
        const from = Math.max(begin, starts[i]) - starts[i];
        const to = Math.min(end, starts[i] + div.textContent.length) - starts[i];
        if (!node || from >= to) return;
        const range = document.createRange();
        range.setStart(node, from);
        range.setEnd(node, to);
        for (const box of range.getClientRects()) {
          const mark = h('span', {class: 'pdf-mark'});
          Object.assign(mark.style, {left: `${box.left - origin.left - 1}px`, top: `${box.top - origin.top - 1}px`,
            width: `${box.width + 2}px`, height: `${box.height + 2}px`});
          marks.append(mark);
        }
      });
    }
    page.found = marks.childElementCount > 0;
    if (page.number === target.page) {
      target.whole = ranges.length === 1;
      this.#onFound(page.found);
    }
  }

  /// Goes to a page, and to the quote on it when there is one.
  async goTo(number, quote = '') {
    const page = this.#pages[Math.min(Math.max(1, number), this.#pages.length) - 1];
    if (!page) return;
    this.#target = quote ? {page: page.number, quote, whole: true} : null;
    for (const other of this.#pages) other.node.querySelector('.marks')?.replaceChildren();
    page.node.scrollIntoView({block: 'start'});
    const wasDrawn = Boolean(page.drawn);
    await this.#draw(page);
    if (wasDrawn && page.divs) this.#mark(page, page.node.querySelector('.marks'));
    const next = this.#pages[page.number];
    if (quote && !this.#target?.whole && next?.drawn) {
      await next.drawn;
      if (next.divs) this.#mark(next, next.node.querySelector('.marks'));
    }
    const first = page.node.querySelector('.pdf-mark');
    if (first) {
      const place = page.node.offsetTop + first.offsetTop;
      this.#container.scrollTop = place - this.#container.clientHeight / 3;
    } else this.#container.scrollTop = page.node.offsetTop - 12;
    this.#onPage(page.number);
  }

  /// Draws everything again at another size: factor 1 fills the width.
  async setZoom(zoom, current) {
    this.#zoom = Math.min(3, Math.max(0.5, zoom));
    const quote = this.#target;
    await this.#layOut();
    await this.goTo(current, quote?.page === current ? quote.quote : '');
    return this.#zoom;
  }

  get zoom() {
    return this.#zoom;
  }
}
