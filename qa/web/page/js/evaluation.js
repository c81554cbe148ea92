// The Evaluation view: measures the retrieval with a set of questions and shows the report.
import {every, fill, h, toast} from './dom.js';
import {explain, get, post} from './api.js';
import {drawReport} from './report.js';
import {number} from './format.js';
import {t} from './strings.js';

const kModes = ['lexical', 'dense', 'hybrid'];

export class EvaluationView {
  #set = h('select', {class: 'select', 'aria-label': t('eval.set')});
  #modes;
  #run;
  #progress = h('div', {'aria-live': 'polite'});
  #report = h('div', {class: 'stack'});
  #stop = null;
  #job = null;     // id of the job being watched
  #drop = null;    // gives the plots of the shown report back

  constructor() {
    this.#modes = kModes.map((mode) => h('input', {type: 'checkbox', value: mode, checked: true}));
    this.#run = h('button', {type: 'button', class: 'button primary', text: t('eval.run'), on: {click: () => this.#start()}});
    this.element = h('div', {class: 'page'}, h('h1', {text: t('nav.evaluation')}), h('p', {class: 'soft', text: t('eval.about')}),
      h('section', {class: 'panel'}, h('div', {class: 'row wrap'},
        h('label', {class: 'field'}, h('span', {text: t('eval.set')}), this.#set),
        h('fieldset', {class: 'choices'}, h('legend', {text: t('eval.modes')}),
          this.#modes.map((box) => h('label', {class: 'check'}, box, h('span', {text: t(`stage.${box.value}`)})))),
        h('span', {class: 'grow'}), this.#run), this.#progress),
      this.#report);
  }

  async show() {
    try {
      const {sets, jobs} = await get('/api/v1/eval');
      fill(this.#set, sets.map((name) => h('option', {value: name, text: name})));
      this.#run.disabled = sets.length === 0;
      if (!sets.length) fill(this.#progress, h('p', {class: 'empty', text: t('eval.noSets')}));
      const last = jobs[0];  // newest first
      if (last && this.#job === null) this.#watch(last.id);
      else if (this.#job !== null) this.#watch(this.#job);
    } catch (error) {
      fill(this.#progress, h('div', {class: 'notice bad', role: 'alert', text: explain(error)}));
    }
  }

  hide() {
    this.#stop?.();
  }

  async #start() {
    const modes = this.#modes.filter((box) => box.checked).map((box) => box.value);
    if (!modes.length) {
      toast(t('eval.noModes'), 'error');
      return;
    }
    try {
      const job = await post('/api/v1/eval', {set: this.#set.value, modes});
      this.#watch(job.id);
    } catch (error) {
      toast(explain(error), 'error');
    }
  }

  #watch(id) {
    this.#stop?.();
    this.#job = id;
    let shown = false;
    this.#stop = every(1000, async () => {
      if (shown) return;
      try {
        const job = await get(`/api/v1/eval/${encodeURIComponent(id)}`);
        const running = job.state === 'running' || job.state === 'queued';
        this.#run.disabled = running;
        fill(this.#progress, running ? [h('p', {class: 'soft', text: t('eval.progress', {done: number(job.done), total: number(job.total)})}),
          h('progress', {max: Math.max(1, job.total), value: job.done, 'aria-label': t('eval.running')})] :
          job.error ? h('div', {class: 'notice bad', role: 'alert', text: job.error}) : null);
        if (running) return;
        shown = true;
        if (job.report) {
          this.#drop?.();
          this.#drop = drawReport(this.#report, job.report);
        }
      } catch (error) {
        shown = true;
        this.#run.disabled = false;
        fill(this.#progress, h('div', {class: 'notice bad', role: 'alert', text: explain(error)}));
      }
    });
  }
}
