// Plots: Chart.js in the page's colours, redrawn when the theme changes. Each has a name for screen
// readers; the figures themselves stand in a table near by.
import {h} from './dom.js';
import {loadChart} from './vendor.js';
import {t} from './strings.js';

const live = new Set();

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/// The colour of data series i.
export const seriesColor = (i) => color(`--series${i % 6}`);

function defaults(Chart) {
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 12;
  Chart.defaults.color = color('--soft');
  Chart.defaults.borderColor = color('--line');
  Chart.defaults.animation = matchMedia('(prefers-reduced-motion: reduce)').matches ? false : {duration: 250};
  Chart.defaults.maintainAspectRatio = false;
}

// Draws low and high of each bar, as dataset.spread [{low, high}].
const whiskers = {
  id: 'whiskers',
  afterDatasetsDraw(chart) {
    const context = chart.ctx;
    chart.data.datasets.forEach((dataset, i) => {
      if (!dataset.spread || !chart.isDatasetVisible(i)) return;
      context.save();
      context.strokeStyle = color('--ink');
      context.globalAlpha = 0.7;
      context.beginPath();
      chart.getDatasetMeta(i).data.forEach((bar, j) => {
        const {low, high} = dataset.spread[j] || {};
        if (low === undefined || low === null) return;
        const [top, bottom] = [chart.scales.y.getPixelForValue(high), chart.scales.y.getPixelForValue(low)];
        context.moveTo(bar.x, top);
        context.lineTo(bar.x, bottom);
        context.moveTo(bar.x - 4, top);
        context.lineTo(bar.x + 4, top);
        context.moveTo(bar.x - 4, bottom);
        context.lineTo(bar.x + 4, bottom);
      });
      context.stroke();
      context.restore();
    });
  },
};

/// A plot with a title. `config()` gives Chart.js its type, data and options in the theme's colours.
export class Plot {
  #config;
  #canvas;
  #chart = null;

  constructor(title, config) {
    this.#config = config;
    this.#canvas = h('canvas', {role: 'img', 'aria-label': title});
    this.element = h('figure', {class: 'plot'}, h('figcaption', {text: title}), h('div', {class: 'plot-frame'}, this.#canvas));
    live.add(this);
  }

  /// Draws it, or only its new figures when it was drawn before.
  async draw() {
    const Chart = await loadChart();
    if (!Chart) {
      this.#canvas.parentElement.replaceChildren(h('p', {class: 'soft', text: t('plot.none')}));
      return;
    }
    if (!this.#canvas.isConnected) return;
    const config = this.#config();
    if (this.#chart) {
      this.#chart.data.labels = config.data.labels;
      config.data.datasets.forEach((dataset, i) => Object.assign((this.#chart.data.datasets[i] ??= {}), dataset));
      this.#chart.data.datasets.length = config.data.datasets.length;
      this.#chart.update('none');
      return;
    }
    defaults(Chart);
    this.#chart = new Chart(this.#canvas, {...config, plugins: [whiskers]});
  }

  async redraw() {
    this.#chart?.destroy();
    this.#chart = null;
    await this.draw();
  }

  drop() {
    this.#chart?.destroy();
    this.#chart = null;
    live.delete(this);
  }
}

function redrawAll() {
  for (const plot of live) plot.redraw();
}
document.addEventListener('vade-theme', redrawAll);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redrawAll);
