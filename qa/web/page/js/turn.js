// One question and its answer on the page, from the first stage to the checked text.
import {announce, fill, h, icon, toast} from './dom.js';
import {answerText, asPlainText, sourceList} from './answer.js';
import {hitList, ledgerTable, timingList} from './details.js';
import {explain} from './api.js';
import {milliseconds} from './format.js';
import {t} from './strings.js';

export class Turn {
  #raw = '';        // what the model wrote, unchecked from #checked on
  #checked = 0;
  #pieces = [];     // {text, support} in the order of #raw
  #stage;
  #route;
  #body;
  #after;
  #drawing = false;
  #open;
  #concluded = false;

  /// open(citation, button, turn) shows a document.
  constructor(question, open) {
    this.question = question;
    this.answer = null;
    this.#open = (citation, button) => open(citation, button, this);
    this.#stage = h('p', {class: 'stage-line'}, h('span', {class: 'pulse', 'aria-hidden': 'true'}),
      h('span', {text: t('stage.start')}));
    this.#route = h('p', {class: 'route', hidden: true});
    this.#body = h('div', {class: 'answer-body', 'aria-busy': 'true'});
    this.#after = h('div', {class: 'after'});
    this.element = h('article', {class: 'turn', 'aria-label': question},
      h('h2', {class: 'question', text: question}), this.#stage, this.#route, this.#body, this.#after);
  }

  /// Takes one event of the answer stream.
  take(name, data) {
    const handler = {
      stage: () => this.#say(t(`ask.stage.${data.stage}`) + (data.detail ? ` · ${data.detail}` : '')),
      passages: () => this.#say(t('ask.found', {n: data.passages.length})),
      route: () => {
        this.#route.hidden = false;
        this.#route.textContent = t('ask.route', {model: data.model, size: t(`size.${data.size}`), reason: data.reason});
      },
      progress: () => this.#say(t('ask.reading', {percent: Math.round(100 * data.done / Math.max(1, data.total))})),
      token: () => {
        if (!this.#raw) this.#say(t('ask.writing'));
        this.#raw += data.text;
        this.#draw();
      },
      sentence: () => this.#takeSentence(data),
      answer: () => this.#finish(data),
      error: () => this.fail(Object.assign(new Error(data.error?.message || t('error.server')), {told: true})),
    }[name];
    if (handler) handler();
  }

  #say(text) {
    this.#stage.lastElementChild.textContent = text;
  }

  #takeSentence(sentence) {
    const at = this.#raw.indexOf(sentence.text.trim(), this.#checked);
    if (at >= 0) {
      const end = at + sentence.text.trim().length;
      this.#pieces.push({text: this.#raw.slice(this.#checked, end), support: sentence.support});
      this.#checked = end;
    } else {
      // The checker changed its citations: the checked words stand for the unchecked ones.
      this.#pieces.push({text: `${this.#pieces.length && !/^\s/.test(sentence.text) ? ' ' : ''}${sentence.text}`, support: sentence.support});
      const mark = this.#raw.slice(this.#checked).search(/[.!?。]\s|\n/u);
      if (mark >= 0) this.#checked += mark + 1;
    }
    this.#draw();
  }

  /// Checked sentences, then what is not checked yet, at most once a frame.
  #draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      if (this.answer) return;
      const shown = (text) => text.replace(/\s*\[(?:\d+|\?)\]/g, '');
      fill(this.#body, h('p', {class: 'streaming'},
        this.#pieces.map((piece) => h('span', {class: piece.support === 'none' ? 'unsupported' : 'checked', text: shown(piece.text)})),
        h('span', {class: 'unchecked', title: t('ask.unchecked'), text: shown(this.#raw.slice(this.#checked))}),
        h('span', {class: 'caret', 'aria-hidden': 'true'})));
    });
  }

  #finish(answer) {
    this.answer = answer;
    this.#stage.hidden = true;
    this.#body.removeAttribute('aria-busy');
    if (answer.refused) this.#refuse(answer);
    else {
      fill(this.#body, answerText(answer, this.#open));
      fill(this.#after, this.#notes(answer), sourceList(answer, this.#open), this.#actions(answer));
    }
    this.#concluded = true;
    this.element.dataset.state = answer.refused ? 'refused' : 'answered';
    announce(answer.refused ? t('refusal.title') : t('ask.ready', {n: answer.citations.length}));
  }

  #refuse(answer) {
    fill(this.#body, h('div', {class: 'refusal'}, h('h3', {text: t('refusal.title')}), h('p', {text: t('refusal.text')})));
    const near = answer.passages.slice(0, 3);
    fill(this.#after, this.#notes(answer),
      near.length ? h('section', {class: 'nearest'}, h('h3', {text: t('refusal.nearest')}), hitList(near, this.#open)) : null,
      this.#actions(answer));
  }

  #notes(answer) {
    const notes = [...(answer.warnings || [])];
    const unsupported = (answer.sentences || []).filter((sentence) => sentence.support === 'none').length;
    if (unsupported) notes.unshift(t('answer.unsupportedCount', {n: unsupported, all: answer.sentences.length}));
    if (answer.standalone && answer.standalone !== this.question) notes.unshift(t('ask.understood', {question: answer.standalone}));
    return notes.length ? h('ul', {class: 'notes'}, notes.map((text) => h('li', {text}))) : null;
  }

  #actions(answer) {
    const panel = h('div', {class: 'detail-panel', hidden: true});
    const tabs = [];
    const tab = (name, draw) => {
      const button = h('button', {type: 'button', class: 'chip', 'aria-expanded': 'false', text: t(name), on: {click: () => {
        const opens = button.getAttribute('aria-expanded') === 'false';
        for (const other of tabs) other.setAttribute('aria-expanded', 'false');
        button.setAttribute('aria-expanded', String(opens));
        panel.hidden = !opens;
        if (opens) fill(panel, draw());
      }}});
      tabs.push(button);
      return button;
    };
    const facts = [answer.model || t('model.none')];
    if (answer.cached) facts.push(t('ask.cached'));
    const total = answer.timings?.total_ms ?? Object.values(answer.timings || {}).reduce((sum, ms) => sum + ms, 0);
    if (total) facts.push(milliseconds(total));
    return h('div', {}, h('div', {class: 'actions'},
      h('button', {type: 'button', class: 'chip', on: {click: () => this.#copy()}}, icon('copy'), t('ask.copy')),
      answer.passages.length ? tab('ask.how', () => hitList(answer.passages, this.#open)) : null,
      tab('ask.tokens', () => [ledgerTable(answer), timingList(answer.timings)]),
      h('span', {class: 'soft small', text: facts.join(' · ')})), panel);
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(asPlainText(this.question, this.answer));
      toast(t('ask.copied'));
    } catch {
      toast(t('ask.copyFailed'), 'error');
    }
  }

  /// Ends the turn without an answer. retry() asks again.
  fail(error, retry) {
    if (this.ended) return;
    this.#concluded = true;
    this.#stage.hidden = true;
    this.#body.removeAttribute('aria-busy');
    this.element.dataset.state = 'failed';
    const text = error.told ? error.message : explain(error);
    const stopped = error.name === 'AbortError';
    if (stopped) this.#body.querySelector('.caret')?.remove();
    else fill(this.#body);
    fill(this.#after, h('div', {class: stopped ? 'notice' : 'notice bad', role: stopped ? null : 'alert'}, h('span', {text}),
      retry ? h('button', {type: 'button', class: 'chip', text: t('ask.again'), on: {click: retry}}) : null));
  }

  get ended() {
    return this.#concluded;
  }
}
