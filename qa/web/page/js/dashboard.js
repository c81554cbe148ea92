// The Dashboard view: load, latency, tokens, cache and cost of this server, kept up to date.
import {every, fill, h, icon, toast} from './dom.js';
import {bytes, explain, get} from './api.js';
import {Plot, seriesColor} from './charts.js';
import {clock, milliseconds, moment, number} from './format.js';
import {t} from './strings.js';

const kRefreshMs = 4000;

export class DashboardView {
  #tiles = h('div', {class: 'tiles'});
  #note = h('p', {class: 'soft'});
  #tables = h('div', {class: 'stack'});
  #plots;
  #data = null;
  #stop = null;

  constructor() {
    const line = (label, key, i, extra = {}) => ({label, data: this.#data.series.map((point) => point[key]), borderColor: seriesColor(i),
      backgroundColor: seriesColor(i), borderWidth: 2, pointRadius: 0, pointHitRadius: 8, tension: 0.25, ...extra});
    const config = (type, datasets, unit) => () => ({type, data: {labels: this.#data.series.map((point) => clock(point.t)), datasets: datasets()},
      options: {interaction: {mode: 'index', intersect: false}, plugins: {legend: {position: 'bottom', labels: {boxWidth: 10, boxHeight: 10}}},
        scales: {x: {stacked: type === 'bar', grid: {display: false}, ticks: {maxTicksLimit: 7, maxRotation: 0}},
                 y: {stacked: type === 'bar', beginAtZero: true, title: {display: true, text: unit}, ticks: {maxTicksLimit: 5}}}}});
    this.#plots = [
      new Plot(t('plot.requests'), config('bar', () => [
        {label: t('dash.requests'), data: this.#data.series.map((p) => p.requests - p.errors), backgroundColor: seriesColor(0)},
        {label: t('dash.errors'), data: this.#data.series.map((p) => p.errors), backgroundColor: seriesColor(5)}], t('plot.perMinute'))),
      new Plot(t('plot.latency'), config('line', () => [line('p50', 'p50_ms', 0), line('p95', 'p95_ms', 1)], 'ms')),
      new Plot(t('plot.speed'), config('line', () => [line(t('dash.speed'), 'tokens_per_s', 2, {fill: 'origin', backgroundColor: `${seriesColor(2)}33`})], t('plot.tokensPerSecond'))),
      new Plot(t('plot.tokens'), config('bar', () => [
        {label: t('dash.prompt'), data: this.#data.series.map((p) => p.prompt_tokens), backgroundColor: seriesColor(3)},
        {label: t('dash.completion'), data: this.#data.series.map((p) => p.completion_tokens), backgroundColor: seriesColor(2)}], t('plot.perMinute')))];
    this.element = h('div', {class: 'page'},
      h('div', {class: 'row'}, h('h1', {text: t('nav.dashboard')}), h('span', {class: 'grow'}),
        h('button', {type: 'button', class: 'button', on: {click: () => this.#download()}}, icon('download'), t('dash.csv'))),
      this.#note, this.#tiles, h('div', {class: 'plots'}, this.#plots.map((plot) => plot.element)), this.#tables);
  }

  show() {
    this.#stop = every(kRefreshMs, () => this.#refresh());
  }

  hide() {
    this.#stop?.();
  }

  async #refresh() {
    try {
      this.#data = await get('/api/v1/dashboard');
      this.#note.className = 'soft';
      this.#note.removeAttribute('role');
      this.#note.textContent = t('dash.since', {when: moment(this.#data.since)});
      this.#drawTiles();
      this.#drawTables();
      for (const plot of this.#plots) plot.draw();
    } catch (error) {
      this.#note.className = 'notice bad';
      this.#note.setAttribute('role', 'alert');
      this.#note.textContent = explain(error);
    }
  }

  #drawTiles() {
    const data = this.#data;
    const tile = (name, value, more = '') => h('div', {class: 'tile'}, h('span', {class: 'tile-name', text: name}),
      h('span', {class: 'tile-value', text: value}), h('span', {class: 'soft small', text: more}));
    const asked = Object.entries(data.latency).find(([route]) => route.includes('ask'))?.[1] || Object.values(data.latency)[0];
    const looked = data.cache.hits + data.cache.misses;
    const speeds = data.series.map((point) => point.tokens_per_s).filter((rate) => rate > 0);
    fill(this.#tiles,
      tile(t('dash.requests'), number(data.requests), t('dash.inFlight', {n: number(data.in_flight), queue: number(data.queue)})),
      tile(t('dash.errors'), number(data.errors), data.requests ? `${number(100 * data.errors / data.requests, 1)} %` : ''),
      tile(t('dash.latency'), asked ? milliseconds(asked.p50_ms) : '–', asked ? t('dash.p95', {ms: milliseconds(asked.p95_ms)}) : ''),
      tile(t('dash.speed'), speeds.length ? t('dash.perSecond', {n: number(speeds.at(-1), 1)}) : '–', t('dash.tokens', {prompt: number(data.tokens.prompt), completion: number(data.tokens.completion)})),
      tile(t('dash.cache'), looked ? `${number(100 * data.cache.hits / looked)} %` : '–', t('dash.cacheText', {hits: number(data.cache.hits), all: number(looked), entries: number(data.cache.entries)})),
      tile(t('dash.cost'), data.cost ? `${number(data.cost.total, 2)} ${data.cost.currency}` : '–', data.cost ? '' : t('dash.noPrices')));
  }

  #drawTables() {
    const data = this.#data;
    const table = (title, columns, rows) => (rows.length ? h('section', {class: 'panel'}, h('h2', {text: title}),
      h('div', {class: 'scroll', tabindex: 0}, h('table', {class: 'table'},
        h('thead', {}, h('tr', {}, columns.map((name, i) => h('th', {scope: 'col', class: i ? 'num' : '', text: name})))),
        h('tbody', {}, rows.map((row) => h('tr', {}, row.map((cell, i) => (i ? h('td', {class: 'num', text: cell}) : h('th', {scope: 'row', text: cell}))))))))) : null);
    const focused = document.activeElement;
    if (focused && this.#tables.contains(focused)) return;  // someone is scrolling it by keyboard
    fill(this.#tables,
      table(t('dash.routes'), [t('column.route'), t('dash.requests'), 'p50', 'p90', 'p95', 'p99'], Object.entries(data.latency).map(([route, l]) =>
        [route, number(l.count), ...[l.p50_ms, l.p90_ms, l.p95_ms, l.p99_ms].map(milliseconds)])),
      table(t('nav.models'), [t('column.model'), t('dash.requests'), t('dash.prompt'), t('dash.completion'), t('dash.speed'), t('dash.first')], data.models.map((m) =>
        [m.name, number(m.requests), number(m.prompt_tokens), number(m.completion_tokens), t('dash.perSecond', {n: number(m.tokens_per_s, 1)}), milliseconds(m.ttft_p50_ms)])),
      table(t('dash.keys'), [t('column.key'), t('dash.requests'), t('dash.prompt'), t('dash.completion'), t('dash.cost')], data.keys.map((k) =>
        [k.key, number(k.requests), number(k.prompt_tokens), number(k.completion_tokens), k.cost === null || k.cost === undefined ? '–' : number(k.cost, 4)])));
  }

  async #download() {
    try {
      const data = await bytes('/api/v1/usage.csv');
      const link = h('a', {href: URL.createObjectURL(new Blob([data], {type: 'text/csv'})), download: 'vade-usage.csv'});
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    } catch (error) {
      toast(explain(error), 'error');
    }
  }
}
