// The Library view: collections, indexing jobs, documents, and what was read of each page.
import {confirmAction, every, fill, h, icon, iconButton, toast} from './dom.js';
import {explain, get, post, remove} from './api.js';
import {moment, number, size, span} from './format.js';
import {t} from './strings.js';

const kPageSize = 50;

export class LibraryView {
  #reader;
  #collections = h('div', {class: 'cards'});
  #jobs = h('div', {class: 'jobs', 'aria-live': 'polite'});
  #table = h('div', {class: 'scroll', tabindex: 0});
  #pager = h('div', {class: 'row pager'});
  #report = h('section', {class: 'panel report', hidden: true});
  #status = h('p', {class: 'soft'});
  #search;
  #chosen = h('select', {class: 'select', 'aria-label': t('library.collection')});
  #offset = 0;
  #stop = null;
  #running = false;
  #turn = 0;

  constructor(reader) {
    this.#reader = reader;
    let typing = 0;
    this.#search = h('input', {class: 'input', type: 'search', placeholder: t('library.search'), 'aria-label': t('library.search'), on: {input: () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.#load(0), 200);
    }}});
    this.#chosen.addEventListener('change', () => this.#load(0));
    this.element = h('div', {class: 'page'},
      h('h1', {text: t('nav.library')}), this.#status, this.#collections, this.#jobs,
      h('section', {class: 'panel'},
        h('div', {class: 'row'}, h('h2', {text: t('library.documents')}), h('span', {class: 'grow'}), this.#chosen, this.#search),
        this.#table, this.#pager),
      this.#report);
  }

  show() {
    this.#refresh();
    this.#stop = every(1500, () => this.#poll());
  }

  hide() {
    this.#stop?.();
  }

  async #refresh() {
    try {
      const [status, {collections}] = await Promise.all([get('/api/v1/status'), get('/api/v1/collections')]);
      this.#status.textContent = t('library.status', {documents: number(status.documents), pages: number(status.pages),
        chunks: number(status.chunks), size: size(status.file_bytes), embedder: (status.embedder || '–').split(' ')[0]});
      this.#drawCollections(collections);
      await this.#load(this.#offset);
    } catch (error) {
      fill(this.#table, h('div', {class: 'notice bad', role: 'alert', text: explain(error)}));
    }
  }

  #drawCollections(collections) {
    const chosen = this.#chosen.value;
    fill(this.#chosen, h('option', {value: '', text: t('library.all')}), collections.map(({name}) => h('option', {value: name, text: name})));
    this.#chosen.value = collections.some(({name}) => name === chosen) ? chosen : '';
    this.#chosen.hidden = collections.length < 2;
    fill(this.#collections, collections.map((collection) => h('section', {class: 'card', 'aria-label': collection.name},
      h('h2', {text: collection.name}), h('p', {class: 'soft small path', text: collection.root || ''}),
      h('p', {text: t('library.counts', {documents: number(collection.documents), chunks: number(collection.chunks)})}),
      h('p', {class: 'soft small', text: t('library.indexed', {when: moment(collection.indexed_at)})}),
      h('button', {type: 'button', class: 'button', on: {click: () => this.#index(collection.name)}}, icon('refresh'), t('library.index')))));
  }

  async #index(collection) {
    try {
      await post('/api/v1/index', {collection});
      toast(t('library.started', {name: collection}));
      await this.#poll();
    } catch (error) {
      toast(explain(error), 'error');
    }
  }

  async #poll() {
    try {
      const {jobs} = await get('/api/v1/index');
      const busy = jobs.some((job) => job.state === 'running' || job.state === 'queued');
      this.#drawJobs(jobs.slice(0, 4));  // newest first
      if (this.#running && !busy) this.#refresh();
      this.#running = busy;
    } catch {
      // The list above says what is wrong; the next turn tries again.
    }
  }

  #drawJobs(jobs) {
    const open = new Set([...this.#jobs.querySelectorAll('details[open]')].map((node) => node.dataset.job));
    fill(this.#jobs, jobs.map((job) => {
      const running = job.state === 'running' || job.state === 'queued';
      const share = job.bytes_total > 0 ? job.bytes_done / job.bytes_total : job.files_total > 0 ? job.files_done / job.files_total : 0;
      const words = running ? t('job.progress', {done: number(job.files_done), total: number(job.files_total), chunks: number(job.chunks)}) +
          (job.eta_s !== null && job.eta_s !== undefined ? ` · ${t('job.eta', {span: span(job.eta_s)})}` : '')
        : job.error || (job.report ? t('job.report', {...job.report, seconds: number(job.report.seconds, 1)}) : '');
      return h('section', {class: `panel job ${job.state}`, 'aria-label': t('job.name', {name: job.collection})},
        h('div', {class: 'row'}, h('strong', {text: job.collection}), h('span', {class: `tag ${job.state}`, text: t(`job.${job.state}`)}),
          h('span', {class: 'soft small grow', text: words}),
          running ? h('button', {type: 'button', class: 'button', text: t('job.cancel'), on: {click: () => this.#cancel(job)}}) : null),
        running ? h('progress', {max: 1, value: share, 'aria-label': t('job.name', {name: job.collection})}) : null,
        running && job.current ? h('p', {class: 'soft small path', text: job.current}) : null,
        job.report?.files?.length ? h('details', {open: open.has(String(job.id)), data: {job: job.id}},
          h('summary', {text: t('job.notes', {n: job.report.files.length})}), this.#fileNotes(job.report.files)) : null);
    }));
  }

  #fileNotes(files) {
    return h('ul', {class: 'plain-list'}, files.map((file) => h('li', {}, h('strong', {text: file.path}), file.reason ? ` – ${file.reason}` : '',
      file.notes?.length ? h('ul', {}, file.notes.map((note) => h('li', {class: 'soft', text: noteText(note)}))) : null)));
  }

  async #cancel(job) {
    try {
      await remove(`/api/v1/index/${encodeURIComponent(job.id)}`);
      await this.#poll();
    } catch (error) {
      toast(explain(error), 'error');
    }
  }

  async #load(offset) {
    const turn = ++this.#turn;
    this.#offset = offset;
    const query = new URLSearchParams({offset, limit: kPageSize});
    if (this.#search.value.trim()) query.set('q', this.#search.value.trim());
    if (this.#chosen.value) query.set('collection', this.#chosen.value);
    const {total, documents} = await get(`/api/v1/documents?${query}`);
    if (turn !== this.#turn) return;
    if (!documents.length) {
      fill(this.#table, h('div', {class: 'empty'},
        h('p', {text: this.#search.value.trim() ? t('library.noMatch') : t('library.empty')}),
        this.#search.value.trim() ? null : h('pre', {class: 'command', tabindex: 0, text: 'vade index ~/manuals'})));
    } else this.#drawTable(documents);
    fill(this.#pager, total > kPageSize ? [
      iconButton('left', t('pager.before'), () => this.#load(Math.max(0, offset - kPageSize)), {disabled: offset === 0}),
      h('span', {class: 'soft small', text: t('pager.range', {from: number(offset + 1), to: number(offset + documents.length), total: number(total)})}),
      iconButton('right', t('pager.after'), () => this.#load(offset + kPageSize), {disabled: offset + kPageSize >= total})] : null);
  }

  #drawTable(documents) {
    const head = ['title', 'type', 'pages', 'chunks', 'size', 'indexed'];
    fill(this.#table, h('table', {class: 'table'},
      h('thead', {}, h('tr', {}, head.map((name) => h('th', {scope: 'col', class: ['pages', 'chunks', 'size'].includes(name) ? 'num' : '', text: t(`column.${name}`)})),
        h('th', {scope: 'col'}, h('span', {class: 'visually-hidden', text: t('column.actions')})))),
      h('tbody', {}, documents.map((record) => h('tr', {class: record.status === 'skipped' ? 'skipped' : ''},
        h('th', {scope: 'row'}, h('button', {type: 'button', class: 'link', text: record.title || record.path, on: {click: () => this.#showReport(record)}}),
          h('span', {class: 'soft small path', text: record.path}),
          record.status === 'skipped' ? h('span', {class: 'tag failed', text: t('library.skipped', {reason: record.reason || ''})}) : null),
        h('td', {text: [record.type, record.language].filter(Boolean).join(' · ')}),
        h('td', {class: 'num', text: record.pages ? number(record.pages) : '–'}), h('td', {class: 'num', text: number(record.chunks)}),
        h('td', {class: 'num', text: size(record.bytes)}), h('td', {class: 'soft nowrap', text: moment(record.indexed_at)}),
        h('td', {class: 'nowrap'},
          record.status === 'skipped' ? null : iconButton('book', t('library.open', {title: record.title || record.path}), (event) => this.#open(record, event.currentTarget)),
          iconButton('trash', t('library.delete', {title: record.title || record.path}), () => this.#delete(record))))))));
  }

  #open(record, opener, page = null) {
    this.#reader.open({document: record.id, title: record.title, path: record.path, quote: '', page}, opener);
  }

  async #showReport(record) {
    try {
      const full = await get(`/api/v1/documents/${record.id}`);
      const byPage = groupBy(full.notes || []);
      const silent = (full.pages || []).filter((page) => !page.has_text).length;
      this.#report.hidden = false;
      fill(this.#report,
        h('div', {class: 'row'}, h('h2', {tabindex: -1, text: full.title || full.path}), h('span', {class: 'grow'}),
          record.status === 'skipped' ? null : h('button', {type: 'button', class: 'button', on: {click: (event) => this.#open(full, event.currentTarget)}}, icon('book'), t('library.read')),
          iconButton('close', t('report.close'), () => {
            this.#report.hidden = true;
          })),
        h('p', {class: 'soft', text: t('report.summary', {pages: number(full.pages?.length || 0), silent: number(silent), chunks: number(full.chunks), text: size(full.text_bytes)})}),
        full.reason ? h('div', {class: 'notice', text: full.reason}) : null,
        byPage.get(0)?.length ? h('ul', {class: 'plain-list'}, byPage.get(0).map((note) => h('li', {text: note.text}))) : null,
        full.pages?.length > 1 ? h('ol', {class: 'page-grid', 'aria-label': t('report.pages')}, full.pages.map((page) => {
          const notes = (byPage.get(page.number) || []).map((note) => note.text);
          const words = [page.has_text ? t('report.hasText', {n: number(page.end - page.begin)}) : t('report.noText'), ...notes].join(' · ');
          return h('li', {}, h('button', {type: 'button', class: `page-cell ${page.has_text ? '' : 'silent'} ${notes.length ? 'noted' : ''}`, title: words,
            'aria-label': `${t('page.plain', {n: page.number})}: ${words}`, text: page.label || String(page.number),
            on: {click: (event) => this.#open(full, event.currentTarget, page)}}));
        })) : null,
        [...byPage].some(([page]) => page > 0) ? h('ul', {class: 'plain-list'}, [...byPage].filter(([page]) => page > 0).flatMap(([, notes]) =>
          notes.map((note) => h('li', {text: noteText(note)})))) : null,
        byPage.size === 0 && silent === 0 ? h('p', {class: 'soft', text: t('report.clean')}) : null);
      this.#report.querySelector('h2').focus();
      this.#report.scrollIntoView({block: 'nearest'});
    } catch (error) {
      toast(explain(error), 'error');
    }
  }

  async #delete(record) {
    const sure = await confirmAction({title: t('delete.title'), text: t('delete.text', {title: record.title || record.path}),
      action: t('delete.action'), cancel: t('cancel')});
    if (!sure) return;
    try {
      await remove(`/api/v1/documents/${record.id}`);
      toast(t('delete.done', {title: record.title || record.path}));
      this.#report.hidden = true;
      await this.#refresh();
    } catch (error) {
      toast(explain(error), 'error');
    }
  }
}

function groupBy(notes) {
  const groups = new Map();
  for (const note of notes) groups.set(note.page || 0, [...(groups.get(note.page || 0) || []), note]);
  return groups;
}

function noteText(note) {
  return note.page ? `${t('page.plain', {n: note.page})}: ${note.text}` : note.text;
}
