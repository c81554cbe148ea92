// The Ask view: a conversation, and the box that asks.
import {announce, fill, h, icon, iconButton} from './dom.js';
import {explain, get, remove, stream} from './api.js';
import {number} from './format.js';
import {t} from './strings.js';
import {Turn} from './turn.js';

const kNoModel = 'none';  // of the picker, not of the API

export class AskView {
  #turns = [];
  #conversation = null;
  #running = null;  // AbortController of the answer being written
  #reader;
  #list;
  #welcome;
  #box;
  #send;
  #model;
  #filter;
  #collections = new Set();

  constructor(reader) {
    this.#reader = reader;
    this.#build();
  }

  #build() {
    this.#list = h('div', {class: 'turns'});
    this.#welcome = h('section', {class: 'welcome'});
    this.#box = h('textarea', {class: 'box', id: 'question', rows: 1, maxlength: 8000, placeholder: t('ask.placeholder'),
      'aria-label': t('ask.label'), 'aria-keyshortcuts': '/', autocomplete: 'off', on: {
        input: () => this.#fitBox(),
        keydown: (event) => {
          if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            this.ask();
          }
        }}});
    this.#send = h('button', {type: 'button', class: 'send', on: {click: () => (this.#running ? this.stop() : this.ask())}});
    this.#drawSend();
    this.#model = h('select', {class: 'select', 'aria-label': t('ask.model')});
    this.#filter = h('details', {class: 'menu', hidden: true});
    const fresh = h('button', {type: 'button', class: 'chip', on: {click: () => this.reset()}}, icon('plus'), t('ask.new'));
    this.element = h('div', {class: 'ask'}, this.#welcome, this.#list,
      h('div', {class: 'composer'}, h('div', {class: 'composer-box'}, this.#box, this.#send),
        h('div', {class: 'composer-options'}, this.#model, this.#filter, fresh,
          h('span', {class: 'hint', text: t('ask.hint')}))));
    this.element.addEventListener('keydown', (event) => this.#walkCitations(event));
    document.addEventListener('click', (event) => {
      if (!this.#filter.contains(event.target)) this.#filter.open = false;
    });
  }

  async show() {
    if (matchMedia('(hover: hover)').matches) this.#box.focus({preventScroll: true});
    try {
      const [status, models, collections] = await Promise.all(
        [get('/api/v1/status'), get('/api/v1/models').catch(() => null), get('/api/v1/collections').catch(() => null)]);
      this.#drawWelcome(status);
      this.#drawModels(status, models?.models || []);
      this.#drawFilter(collections?.collections || []);
    } catch (error) {
      fill(this.#welcome, h('div', {class: 'notice bad', role: 'alert', text: explain(error)}));
    }
  }

  hide() {}

  focus() {
    this.#box.focus();
    this.#box.select();
  }

  #drawWelcome(status) {
    this.#welcome.hidden = this.#turns.length > 0;
    const empty = status.documents === 0;
    fill(this.#welcome, h('h1', {text: t('welcome.title')}),
      h('p', {class: 'lead', text: empty ? t('welcome.empty') : t('welcome.text', {documents: number(status.documents), pages: number(status.pages)})}),
      empty ? h('pre', {class: 'command', tabindex: 0, text: 'vade index ~/manuals'})
        : h('ul', {class: 'promises'}, ['quote', 'refuse', 'local'].map((name) =>
          h('li', {}, icon({quote: 'book', refuse: 'check', local: 'auto'}[name]), h('span', {text: t(`welcome.${name}`)})))));
  }

  #drawModels(status, models) {
    const chosen = this.#model.value || localStorageGet('vade.model');
    const names = models.filter((model) => model.kind === 'generate').map((model) => model.name);
    if (status.models?.default && !names.includes(status.models.default)) names.unshift(status.models.default);
    const auto = Object.values(status.models?.auto || {}).some(Boolean);
    const options = [h('option', {value: '', text: status.models?.default ? t('model.default', {name: status.models.default}) : t('model.none')})];
    if (status.models?.default) options.push(h('option', {value: kNoModel, text: t('model.none')}));
    if (auto) options.push(h('option', {value: 'auto', text: t('model.auto')}));
    for (const name of names) options.push(h('option', {value: name, text: name}));
    fill(this.#model, options);
    if (options.some((option) => option.value === chosen)) this.#model.value = chosen;
    this.#model.onchange = () => localStorageSet('vade.model', this.#model.value);
  }

  #drawFilter(collections) {
    this.#filter.hidden = collections.length < 2;
    const summary = h('summary', {class: 'chip'});
    const say = () => fill(summary, this.#collections.size ? t('filter.some', {list: [...this.#collections].join(', ')}) : t('filter.all'));
    say();
    fill(this.#filter, summary, h('div', {class: 'menu-body', role: 'group', 'aria-label': t('filter.label')},
      collections.map(({name, documents}) => h('label', {class: 'check'},
        h('input', {type: 'checkbox', value: name, checked: this.#collections.has(name), on: {change: (event) => {
          if (event.target.checked) this.#collections.add(name);
          else this.#collections.delete(name);
          say();
        }}}), h('span', {text: name}), h('span', {class: 'soft small', text: number(documents)})))));
  }

  #fitBox() {
    this.#box.style.blockSize = 'auto';
    this.#box.style.blockSize = `${Math.min(this.#box.scrollHeight, 180)}px`;
  }

  #drawSend() {
    const name = t(this.#running ? 'ask.stop' : 'ask.send');
    this.#send.setAttribute('aria-label', name);
    this.#send.title = name;
    this.#send.classList.toggle('running', Boolean(this.#running));
    fill(this.#send, icon(this.#running ? 'stop' : 'send'));
  }

  async ask(question = this.#box.value.trim()) {
    if (!question || this.#running) return;
    this.#box.value = '';
    this.#fitBox();
    this.#welcome.hidden = true;
    const turn = new Turn(question, (citation, button, from) => this.#open(citation, button, from));
    this.#turns.push(turn);
    this.#list.append(turn.element);
    this.#scrollTo(turn.element);
    this.#running = new AbortController();
    this.#drawSend();
    announce(t('stage.start'));
    const body = {question, stream: true};
    // null asks for the documents' own sentences; nothing at all for the server's default.
    if (this.#model.value) body.model = this.#model.value === kNoModel ? null : this.#model.value;
    if (this.#collections.size) body.collections = [...this.#collections];
    if (this.#conversation) body.conversation = this.#conversation;
    try {
      await stream('/api/v1/ask', body, this.#running.signal, (name, data) => turn.take(name, data));
      if (!turn.ended) turn.fail(new TypeError('stream ended'), () => this.#askAgain(turn));
    } catch (error) {
      turn.fail(error, () => this.#askAgain(turn));
    } finally {
      this.#running = null;
      this.#drawSend();
    }
    this.#conversation = turn.answer?.conversation || this.#conversation;
    this.#box.placeholder = t('ask.followUp');
  }

  #askAgain(turn) {
    turn.element.remove();
    this.#turns = this.#turns.filter((other) => other !== turn);
    this.ask(turn.question);
  }

  stop() {
    this.#running?.abort();
  }

  /// Forgets the conversation, here and on the server.
  reset() {
    this.stop();
    if (this.#conversation) remove(`/api/v1/conversations/${encodeURIComponent(this.#conversation)}`).catch(() => {});
    this.#conversation = null;
    this.#turns = [];
    fill(this.#list);
    this.#welcome.hidden = false;
    this.#box.placeholder = t('ask.placeholder');
    this.#reader.close();
    this.#box.focus();
    this.show();
  }

  #scrollTo(element) {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    element.scrollIntoView({block: 'start', behavior: calm ? 'auto' : 'smooth'});
  }

  #open(citation, button, turn) {
    for (const other of this.#list.querySelectorAll('.cite[aria-current]')) other.removeAttribute('aria-current');
    for (const same of turn.element.querySelectorAll(`.cite[data-citation="${citation.number}"]`)) {
      if (button?.classList.contains('cite')) same.setAttribute('aria-current', 'true');
    }
    this.#reader.open(citation, button, (step) => this.#step(turn, citation, step));
  }

  /// Opens the citation before (-1) or after (1) this one.
  #step(turn, citation, step) {
    const all = turn.answer?.citations || [];
    const at = all.findIndex((other) => other.number === citation.number);
    const next = all[at + step];
    if (at < 0 || !next) return false;
    const button = turn.element.querySelector(`.cite[data-citation="${next.number}"]`);
    button.focus({preventScroll: true});
    button.scrollIntoView({block: 'nearest'});
    this.#open(next, button, turn);
    return true;
  }

  /// Left and right go through the citation buttons of an answer, and the document with them.
  #walkCitations(event) {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (!step || !event.target.classList?.contains('cite')) return;
    const buttons = [...event.target.closest('.turn').querySelectorAll('.cite')];
    const next = buttons[buttons.indexOf(event.target) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
    if (this.#reader.isOpen) next.click();
  }
}

function localStorageGet(key) {
  try {
    return localStorage.getItem(key) || '';
  } catch {
    return '';
  }
}

function localStorageSet(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The choice then lasts as long as the page.
  }
}
