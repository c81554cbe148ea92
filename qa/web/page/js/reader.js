// The document beside the answer: PDFs as pages, the others as text, the quoted words highlighted.
import {announce, fill, h, iconButton} from './dom.js';
import {bytes, explain, get} from './api.js';
import {cutAtBytes} from './fold.js';
import {pageName} from './format.js';
import {PdfPages} from './pdf_pages.js';
import {t} from './strings.js';

const kWholeTextBytes = 1500000;  // above this a document without pages is shown in part

export class Reader {
  #node;
  #workspace;
  #opener = null;   // gets the focus back
  #step = null;
  #document = null; // record of the open document
  #target = null;
  #pdf = null;
  #loading = null;  // pages that are not ready yet
  #mode = 'pages';
  #page = 1;
  #turnings = 0;    // counts openings: a slow one must not overwrite a later one

  constructor(node, workspace) {
    this.#node = node;
    this.#workspace = workspace;
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.isOpen && !document.querySelector('dialog[open]')) {
        event.preventDefault();
        this.close();
      }
    });
    let width = 0;
    new ResizeObserver(() => {
      const now = this.#node.clientWidth;
      if (this.#pdf && width && Math.abs(now - width) > 24) this.#pdf.setZoom(this.#pdf.zoom, this.#page);
      width = now;
    }).observe(node);
  }

  get isOpen() {
    return !this.#node.hidden;
  }

  /// Shows a place: {document, page: {number,label}|null, quote, begin, end, title, path}.
  /// step(±1) goes to the neighbouring citation; null when there is none to go to.
  async open(target, opener, step = null) {
    const turning = ++this.#turnings;
    this.#opener = opener || this.#opener;
    this.#step = step;
    this.#target = target;
    const wasOpen = this.isOpen;
    this.#node.hidden = false;
    this.#workspace.classList.add('with-reader');
    const same = this.#document?.id === target.document && (this.#pdf || this.#mode === 'text');
    if (!same) {
      this.#drop();
      this.#frame(target.title || target.path || '');
      this.#say(t('reader.loading'));
    }
    try {
      if (!same) {
        const record = await get(`/api/v1/documents/${target.document}`);
        if (turning !== this.#turnings) return;
        this.#document = record;
        this.#mode = isPdf(record) ? 'pages' : 'text';
      }
      await this.#show(turning);
      if (turning === this.#turnings) this.#announceOpen(wasOpen);
    } catch (error) {
      if (turning === this.#turnings) this.#say(explain(error), true);
    }
  }

  #announceOpen(wasOpen) {
    announce(t('reader.opened', {title: this.#document.title || this.#document.path, page: pageName(this.#target.page)}));
    if (!wasOpen && matchMedia('(max-width: 760px)').matches) this.#node.querySelector('.reader-close').focus();
  }

  close() {
    if (!this.isOpen) return;
    this.#turnings += 1;
    this.#drop();
    this.#node.hidden = true;
    this.#workspace.classList.remove('with-reader');
    for (const cite of document.querySelectorAll('.cite[aria-current]')) cite.removeAttribute('aria-current');
    if (this.#opener?.isConnected) this.#opener.focus({preventScroll: true});
    this.#opener = null;
  }

  #drop() {
    this.#dropPdf();
    this.#document = null;
  }

  #dropPdf() {
    this.#loading?.close();
    this.#pdf?.close();
    this.#loading = null;
    this.#pdf = null;
  }

  #frame(title) {
    const walk = (by) => iconButton(by < 0 ? 'left' : 'right', t(by < 0 ? 'reader.previousPage' : 'reader.nextPage'), () => this.#turnPage(by), {class: 'icon-button page-turn'});
    this.#node.setAttribute('aria-label', t('reader.name', {title}));
    fill(this.#node,
      h('header', {class: 'reader-head'},
        h('div', {class: 'reader-title'}, h('h2', {text: title, title}), h('p', {class: 'soft small reader-place'})),
        iconButton('close', t('reader.close'), () => this.close(), {class: 'icon-button reader-close', 'aria-keyshortcuts': 'Escape'})),
      h('div', {class: 'reader-tools', role: 'toolbar', 'aria-label': t('reader.tools')},
        walk(-1), h('span', {class: 'reader-page', 'aria-live': 'off'}), walk(1),
        h('span', {class: 'grow'}),
        h('span', {class: 'reader-zoom'},
          iconButton('minus', t('reader.smaller'), () => this.#zoomBy(1 / 1.2)),
          iconButton('plus', t('reader.larger'), () => this.#zoomBy(1.2))),
        h('div', {class: 'segments', role: 'group', 'aria-label': t('reader.mode')},
          ['pages', 'text'].map((mode) => h('button', {type: 'button', class: 'segment', data: {mode}, text: t(`reader.${mode}`),
            on: {click: () => this.#setMode(mode)}})))),
      h('p', {class: 'reader-note', role: 'status', hidden: true}),
      h('div', {class: 'reader-body', tabindex: 0, 'aria-label': t('reader.body')}));
  }

  get #body() {
    return this.#node.querySelector('.reader-body');
  }

  #say(text, bad = false) {
    fill(this.#body, h('p', {class: bad ? 'notice bad' : 'reader-wait', role: bad ? 'alert' : null, text}));
  }

  #note(text) {
    const note = this.#node.querySelector('.reader-note');
    note.hidden = !text;
    note.textContent = text;
  }

  async #show(turning) {
    const record = this.#document;
    const pdf = isPdf(record);
    this.#node.querySelector('h2').textContent = record.title || record.path;
    this.#node.querySelector('.reader-place').textContent = [record.path, this.#target.heading_path].filter(Boolean).join(' · ');
    this.#node.querySelector('.segments').hidden = !pdf;
    this.#node.querySelector('.reader-zoom').hidden = !pdf || this.#mode !== 'pages';
    for (const button of this.#node.querySelectorAll('.segment')) button.setAttribute('aria-pressed', String(button.dataset.mode === this.#mode));
    this.#note(this.#target.match === 'absent' ? t('cite.absent') : '');
    this.#page = this.#target.page?.number || this.#pageAt(this.#target.begin) || 1;
    if (this.#mode === 'pages' && pdf) {
      try {
        return await this.#showPdf(turning);
      } catch (error) {
        if (turning !== this.#turnings) return undefined;
        this.#dropPdf();
        this.#mode = 'text';
        await this.#show(turning);
        this.#note(t('reader.asText', {reason: error.status ? explain(error) : error.message}));
        return undefined;
      }
    }
    return this.#showText(turning);
  }

  async #showPdf(turning) {
    const {quote} = this.#target;
    if (!this.#pdf) {
      const data = await bytes(`/api/v1/documents/${this.#document.id}/file`);
      if (turning !== this.#turnings) return;
      fill(this.#body);
      const pages = new PdfPages(this.#body, {
        onPage: (page) => this.#tellPage(page),
        onFound: (found) => this.#note(found || !this.#target.quote ? '' : t('reader.notFound'))});
      this.#loading = pages;
      await pages.open(data);
      if (this.#loading !== pages) return;  // another document took its place
      this.#loading = null;
      this.#pdf = pages;
    }
    await this.#pdf.goTo(this.#page, quote || '');
  }

  async #showText(turning) {
    const record = this.#document;
    const paged = record.pages?.length > 1;
    let part;
    if (paged) part = await get(`/api/v1/documents/${record.id}/pages/${this.#page}`);
    else part = await get(`/api/v1/documents/${record.id}/text`);
    if (turning !== this.#turnings) return;
    this.#tellPage(paged ? this.#page : null);
    const {begin, end} = this.#target;
    const quoted = end > begin && begin < part.end && end > part.begin;
    let [before, words, after] = quoted ? cutAtBytes(part.text, begin - part.begin, end - part.begin) : [part.text, '', ''];
    if (before.length + after.length > kWholeTextBytes) {
      before = before.slice(-kWholeTextBytes / 2);
      after = after.slice(0, kWholeTextBytes / 2);
      this.#note(t('reader.part'));
    }
    const mark = words ? h('mark', {class: 'text-mark', tabindex: -1, text: words}) : null;
    fill(this.#body, h('div', {class: 'text-page', lang: record.language || null},
      part.text.trim() ? [before, mark, after] : h('p', {class: 'soft', text: t('reader.noText')})));
    if (mark) this.#body.scrollTop = mark.offsetTop - this.#body.offsetTop - this.#body.clientHeight / 3;
    else this.#body.scrollTop = 0;
  }

  #pageAt(offset) {
    if (offset === undefined || offset === null) return null;
    return this.#document.pages?.find((page) => offset >= page.begin && offset < page.end)?.number ?? null;
  }

  #tellPage(number) {
    const place = this.#node.querySelector('.reader-page');
    const total = this.#document?.pages?.length || this.#pdf?.numPages || 0;
    for (const button of this.#node.querySelectorAll('.page-turn')) button.hidden = !number || total < 2;
    place.textContent = '';
    if (!number) return;
    this.#page = number;
    const page = this.#document.pages?.find((other) => other.number === number) || {number};
    place.textContent = t('reader.pageOf', {page: page.label || number, n: number, total});
  }

  #turnPage(by) {
    const total = this.#document.pages?.length || 1;
    const to = Math.min(total, Math.max(1, this.#page + by));
    if (this.#pdf && this.#mode === 'pages') this.#pdf.goTo(to);
    else {
      this.#target = {...this.#target, page: {number: to}, begin: undefined, end: undefined, quote: ''};
      this.#show(this.#turnings).catch((error) => this.#say(explain(error), true));
    }
  }

  #zoomBy(factor) {
    this.#pdf?.setZoom(this.#pdf.zoom * factor, this.#page);
  }

  #setMode(mode) {
    if (mode === this.#mode) return;
    this.#mode = mode;
    this.#dropPdf();
    this.#say(t('reader.loading'));
    this.#show(this.#turnings).catch((error) => this.#say(explain(error), true));
  }

  /// The neighbouring citation, for the arrow keys. Returns whether there is one.
  step(by) {
    return this.#step ? this.#step(by) : false;
  }
}

function isPdf(record) {
  return /pdf/i.test(record.type || '') || /\.pdf$/i.test(record.path || '');
}
