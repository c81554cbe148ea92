// The picker of attention maps. Reads the page's own data and loads nothing; without it the page
// still has all six steps, and only the maps are missing.
#pragma once

#include <string_view>

namespace vade::qa {

inline constexpr std::string_view kExplainScript = R"js(
(() => {
  'use strict';
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId('data').textContent);
  const n = data.tokens.length;
  const triangle = n * (n + 1) / 2;
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const means = bytes(data.means);
  const heads = bytes(data.heads);
  const withHeads = new Map(data.layersWithHeads.map((layer, i) => [layer, i]));
  const layerPicker = byId('layer');
  const headPicker = byId('head');
  const map = byId('map');
  const overview = byId('overview');
  const chips = [...document.querySelectorAll('button.chip')];
  let token = n - 1;

  // A byte is 255 times the root of a weight, so that small weights keep their digits.
  const weight = (byte) => (byte / 255) ** 2;
  const mapOf = (layer, head) => {
    const start = head < 0 ? layer : withHeads.get(layer) * data.numHeads + head;
    const from = head < 0 ? means : heads;
    return from.subarray(start * triangle, (start + 1) * triangle);
  };
  const at = (cells, row, column) => cells[row * (row + 1) / 2 + column];
  const current = () => mapOf(Number(layerPicker.value), Number(headPicker.value));
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const percent = (x) => (100 * x).toFixed(x < 0.1 ? 1 : 0) + ' %';

  const fitted = (canvas, width, height) => {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = width + 'px';
    canvas.style.height = height + 'px';
    const paint = canvas.getContext('2d');
    paint.setTransform(ratio, 0, 0, ratio, 0, 0);
    return paint;
  };
  const cellsInto = (paint, cells, left, top, side) => {
    paint.fillStyle = colour('--c0');
    for (let row = 0; row < n; ++row) {
      for (let column = 0; column <= row; ++column) {
        const byte = at(cells, row, column);
        if (byte === 0) continue;
        paint.globalAlpha = byte / 255;
        paint.fillRect(left + column * side, top + row * side, side, side);
      }
    }
    paint.globalAlpha = 1;
  };

  let frame = {left: 0, top: 0, side: 1};
  const drawMap = () => {
    const room = map.parentElement.clientWidth;
    const labels = room > 420 ? 110 : 74;
    const top = n <= 40 ? labels * 0.8 : 6;
    const side = Math.max(2, Math.min(26, (room - labels - 8) / n));
    const paint = fitted(map, labels + n * side + 8, top + n * side + 4);
    frame = {left: labels, top, side};
    paint.fillStyle = colour('--ground');
    paint.fillRect(labels, top, n * side, n * side);
    cellsInto(paint, current(), labels, top, side);
    paint.fillStyle = colour('--ink');
    paint.font = Math.min(13, Math.max(8, side - 2)) + 'px ui-monospace,monospace';
    const cut = (text, most) => text.length > most ? text.slice(0, most - 1) + '…' : text;
    if (side >= 9) {
      paint.textAlign = 'right';
      paint.textBaseline = 'middle';
      for (let i = 0; i < n; ++i) {
        paint.fillText(cut(data.tokens[i], labels > 80 ? 13 : 9), labels - 6, top + (i + 0.5) * side,
                       labels - 8);
      }
    }
    if (top > 6) {
      paint.textAlign = 'left';
      for (let i = 0; i < n; ++i) {
        paint.save();
        paint.translate(labels + (i + 0.5) * side, top - 6);
        paint.rotate(-Math.PI / 3);
        paint.fillText(cut(data.tokens[i], 11), 0, 0, top);
        paint.restore();
      }
    }
    paint.strokeStyle = colour('--c1');
    paint.lineWidth = 2;
    paint.strokeRect(labels, top + token * side, (token + 1) * side, side);
  };

  let grid = {side: 1, columns: 1};
  const drawOverview = () => {
    const columns = data.numHeads;
    const room = overview.parentElement.clientWidth;
    const side = Math.max(6, Math.min(64, room / columns));
    const rows = data.numLayers;
    const paint = fitted(overview, columns * side, rows * side);
    grid = {side, columns};
    for (let layer = 0; layer < rows; ++layer) {
      for (let head = 0; head < columns; ++head) {
        const left = head * side, top = layer * side, inner = side - 3;
        paint.fillStyle = colour('--ground');
        paint.fillRect(left, top, inner, inner);
        const known = withHeads.has(layer);
        cellsInto(paint, mapOf(layer, known ? head : -1), left, top, inner / n);
        const chosen = layer === Number(layerPicker.value) && head === Number(headPicker.value);
        if (!chosen) continue;
        paint.strokeStyle = colour('--c1');
        paint.lineWidth = 2;
        paint.strokeRect(left + 1, top + 1, inner - 2, inner - 2);
      }
    }
  };

  const tell = () => {
    const cells = current();
    const seen = data.tokens.slice(0, token + 1)
        .map((name, column) => ({name, column, share: weight(at(cells, token, column))}))
        .sort((a, b) => b.share - a.share).slice(0, 4).filter((x) => x.share > 0.001)
        .map((x) => `${x.name} (${x.column}) ${percent(x.share)}`);
    byId('readout').textContent = `${data.tokens[token]} (${token}) looks at ${seen.join(', ')}`;
    const window = data.windows[Number(layerPicker.value)];
    byId('window').textContent =
        window > 0 ? `This layer sees ${window} tokens, itself included.` : '';
    chips.forEach((chip, i) => {
      chip.setAttribute('aria-pressed', String(i === token));
      chip.style.setProperty('--w', i <= token ? Math.sqrt(weight(at(cells, token, i))) : 0);
    });
  };
  const draw = () => { drawMap(); drawOverview(); tell(); };

  const fillHeads = (wanted) => {
    const known = withHeads.has(Number(layerPicker.value));
    headPicker.replaceChildren(new Option('mean of all heads', -1));
    for (let head = 0; known && head < data.numHeads; ++head) {
      headPicker.add(new Option('head ' + head, head));
    }
    headPicker.value = String(known ? wanted : -1);
  };
  const choose = (layer, head) => {
    layerPicker.value = String(layer);
    fillHeads(head);
    draw();
  };

  for (let layer = 0; layer < data.numLayers; ++layer) {
    layerPicker.add(new Option('layer ' + layer, layer));
  }
  layerPicker.addEventListener('change',
                               () => choose(Number(layerPicker.value), Number(headPicker.value)));
  headPicker.addEventListener('change', draw);
  chips.forEach((chip, i) => chip.addEventListener('click', () => { token = i; draw(); }));
  const rowAt = (event) => {
    const row = Math.floor((event.offsetY - frame.top) / frame.side);
    return Math.max(0, Math.min(n - 1, row));
  };
  map.addEventListener('click', (event) => { token = rowAt(event); draw(); });
  overview.addEventListener('click', (event) => {
    const clamp = (x, most) => Math.max(0, Math.min(most - 1, Math.floor(x / grid.side)));
    choose(clamp(event.offsetY, data.numLayers), clamp(event.offsetX, grid.columns));
  });
  byId('chips').addEventListener('keydown', (event) => {
    const step = {ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1}[event.key];
    if (!step) return;
    event.preventDefault();
    token = Math.max(0, Math.min(n - 1, token + step));
    chips[token].focus();
    draw();
  });
  window.addEventListener('resize', draw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  choose(data.layer, data.head);
  byId('picker').hidden = false;
})();
)js";

}  // namespace vade::qa
