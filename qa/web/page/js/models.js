// The Models view: what is installed, what is in memory, and how much of it there is.
import {every, fill, h, toast} from './dom.js';
import {explain, get, post} from './api.js';
import {number, size, span} from './format.js';
import {t} from './strings.js';

export class ModelsView {
  #memory = h('section', {class: 'panel'});
  #loaded = h('section', {class: 'panel'});
  #installed = h('section', {class: 'panel'});
  #stop = null;
  #busy = new Set();  // names being loaded or unloaded
  #drawn = '';

  constructor() {
    this.element = h('div', {class: 'page'}, h('h1', {text: t('nav.models')}), this.#memory, this.#loaded, this.#installed);
  }

  show() {
    this.#drawn = '';
    this.#stop = every(2000, () => this.#refresh());
  }

  hide() {
    this.#stop?.();
  }

  async #refresh() {
    try {
      const state = await get('/api/v1/models');
      this.#drawMemory(state);
      this.#tick(state.loaded);
      // Drawn anew only when something changed: the focus stays where it is.
      const now = JSON.stringify([state.models, state.loaded.map(({expires_at, ...rest}) => rest), [...this.#busy]]);
      if (now === this.#drawn) return;
      this.#drawn = now;
      this.#drawLoaded(state.loaded);
      this.#drawInstalled(state);
      this.#tick(state.loaded);
    } catch (error) {
      fill(this.#memory, h('div', {class: 'notice bad', role: 'alert', text: explain(error)}));
    }
  }

  #drawMemory({memory, loaded}) {
    const budget = memory.budget_bytes || memory.available_bytes || 1;
    const meter = h('div', {class: 'meter', role: 'img', 'aria-label': t('memory.label', {used: size(memory.used_bytes), budget: size(budget)})},
      loaded.map((model, i) => {
        const part = h('span', {class: `meter-part series${i % 6}`, title: `${model.name}: ${size(model.memory_bytes)}`});
        part.style.inlineSize = `${Math.min(100, 100 * model.memory_bytes / budget)}%`;
        return part;
      }));
    fill(this.#memory, h('h2', {text: t('memory.title')}), meter,
      h('p', {class: 'soft', text: t('memory.text', {used: size(memory.used_bytes), budget: size(budget), free: size(memory.available_bytes)})}));
  }

  #drawLoaded(loaded) {
    fill(this.#loaded, h('h2', {text: t('models.loaded')}), loaded.length ? h('div', {class: 'scroll', tabindex: 0}, h('table', {class: 'table'},
      h('thead', {}, h('tr', {}, ['model', 'state', 'memory', 'context', 'requests', 'keep'].map((name) =>
        h('th', {scope: 'col', class: ['memory', 'context', 'requests'].includes(name) ? 'num' : '', text: t(`column.${name}`)})), h('th'))),
      h('tbody', {}, loaded.map((model, i) => h('tr', {},
        h('th', {scope: 'row'}, h('span', {class: `swatch series${i % 6}`}), model.name, ' ', h('span', {class: 'tag', text: t(`kind.${model.kind}`)})),
        h('td', {text: stateName(model.state)}), h('td', {class: 'num', text: size(model.memory_bytes)}),
        h('td', {class: 'num', text: number(model.context_length)}), h('td', {class: 'num', text: number(model.requests)}),
        h('td', {class: 'soft nowrap', data: {expires: model.name}}),
        h('td', {}, this.#button(model.name, 'unload'))))))) : h('p', {class: 'empty', text: t('models.noneLoaded')}));
  }

  #tick(loaded) {
    for (const model of loaded) {
      const cell = [...this.#loaded.querySelectorAll('[data-expires]')].find((node) => node.dataset.expires === model.name);
      if (!cell) continue;
      const at = typeof model.expires_at === 'number' ? model.expires_at * 1000 : Date.parse(model.expires_at);
      cell.textContent = !model.expires_at || Number.isNaN(at) ? t('models.forever') : span(Math.max(0, (at - Date.now()) / 1000));
    }
  }

  #drawInstalled({models, loaded}) {
    const inMemory = new Set(loaded.map((model) => model.name));
    fill(this.#installed, h('h2', {text: t('models.installed')}), models.length ? h('div', {class: 'scroll', tabindex: 0}, h('table', {class: 'table'},
      h('thead', {}, h('tr', {}, ['model', 'architecture', 'parameters', 'quantization', 'size', 'context'].map((name) =>
        h('th', {scope: 'col', class: ['parameters', 'size', 'context'].includes(name) ? 'num' : '', text: t(`column.${name}`)})), h('th'))),
      h('tbody', {}, models.map((model) => h('tr', {},
        h('th', {scope: 'row'}, model.name, ' ', h('span', {class: 'tag', text: t(`kind.${model.kind}`)})),
        h('td', {text: model.architecture || '–'}), h('td', {class: 'num', text: parameters(model.parameters)}),
        h('td', {text: model.quantization || '–'}), h('td', {class: 'num', text: size(model.size_bytes)}),
        h('td', {class: 'num', text: number(model.context_length)}),
        h('td', {}, inMemory.has(model.name) || model.loaded ? h('span', {class: 'tag done', text: t('models.inMemory')}) : this.#button(model.name, 'load'))))))) :
      h('div', {class: 'empty'}, h('p', {text: t('models.none')}), h('pre', {class: 'command', tabindex: 0, text: 'vade model pull NAME'})));
  }

  #button(name, action) {
    const busy = this.#busy.has(name);
    return h('button', {type: 'button', class: 'button', disabled: busy, 'aria-label': `${t(`models.${action}`)}: ${name}`,
      text: busy ? t('models.busy') : t(`models.${action}`), on: {click: () => this.#act(name, action)}});
  }

  async #act(name, action) {
    this.#busy.add(name);
    this.#refresh();
    try {
      await post(`/api/v1/models/${action}`, {name});
      toast(t(`models.${action}Done`, {name}));
    } catch (error) {
      toast(explain(error), 'error');
    } finally {
      this.#busy.delete(name);
      this.#refresh();
    }
  }
}

function stateName(state) {
  return ['starting', 'loading', 'ready', 'busy', 'idle', 'stopping', 'failed'].includes(state) ? t(`state.${state}`) : state || '–';
}

function parameters(count) {
  if (!count) return '–';
  if (typeof count !== 'number') return String(count);
  return count >= 1e9 ? `${number(count / 1e9, 1)} B` : `${number(count / 1e6, 0)} M`;
}
